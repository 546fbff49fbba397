// How a database is opened with what Node has.

import { SillokError } from "../store/errors.js";
import { type Files, Place } from "./place.js";

/** What a column may hold; whole numbers come as BigInts. */
export type Column = null | number | bigint | string | Uint8Array;

/** The parts of `node:sqlite` that are used here. */
export interface DatabaseSync {
  prepare(text: string): StatementSync;
  exec(text: string): void;
  close(): void;
}

export interface StatementSync {
  run(...values: Column[]): { changes: number | bigint };
  get(...values: Column[]): Record<string, Column> | undefined;
  all(...values: Column[]): Record<string, Column>[];
  iterate(...values: Column[]): Iterable<Record<string, Column>>;
  setReadBigInts(enabled: boolean): void;
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options?: { readonly readOnly: true }) => DatabaseSync;
  readonly StatementSync: { readonly prototype: StatementSync };
}

interface NodeUrl {
  pathToFileURL(path: string): { readonly href: string };
}

interface NodeProcess {
  readonly platform?: string;
  readonly getBuiltinModule?: (name: string) => unknown;
}

/** A database that was opened, and where it lies, if that can change. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly place: Place | undefined;
}

/** The lower byte of a result code of SQLite's is the result, the rest says more. */
const RESULT = 0xff;
const BUSY = 5;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;

/** The result of SQLite's that an error tells of, if it does. */
function resultOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & RESULT : undefined;
}

/** Opens a database to write to it, or makes it. What is committed to it is on disk. */
export function openToWrite(path: string): OpenDatabase {
  const database = opened(path, false);
  return closedUnless(database, () => {
    try {
      makeDurable(database);
    } catch (error) {
      if (resultOf(error) !== READ_ONLY) throw error;
      const detail = `${JSON.stringify(path)} can only be read here; open it with { readOnly: true }`;
      throw new SillokError({ code: "storage_read_only", detail }, { cause: error });
    }
    return { database, place: placeOf(database, false) };
  });
}

/** Opens a database that there is, only to read it. */
export function openToRead(path: string): OpenDatabase {
  const database = opened(path, true);
  try {
    return closedUnless(database, () => {
      look(database);
      return { database, place: placeOf(database, false) };
    });
  } catch (error) {
    const result = resultOf(error);
    if (result !== READ_ONLY && result !== CANNOT_OPEN) throw error;
    return openFixed(path, error);
  }
}

/**
 * Opens a database in a folder in which the files that processes share cannot be made. Then nobody writes to it; SQLite is
 * told so, and it is looked at whether it stays so. Commits that are not in the file itself cannot be read there.
 */
function openFixed(path: string, cause: unknown): OpenDatabase {
  const { pathToFileURL } = builtin("node:url") as NodeUrl;
  const database = opened(`${pathToFileURL(path).href}?immutable=1`, true);
  return closedUnless(database, () => {
    look(database);
    const place = placeOf(database, true);
    if (place?.hasLog) {
      const why = `its newest commits are in ${JSON.stringify(`${path}-wal`)}, and reading them needs a folder that can be written to`;
      throw new Error(why, { cause });
    }
    return { database, place };
  });
}

function closedUnless<T>(database: DatabaseSync, work: () => T): T {
  try {
    return work();
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Reads the file and, where it has them, the files that belong to it: none of them is opened before. */
function look(database: DatabaseSync): void {
  database.prepare("SELECT count(*) FROM sqlite_master").get();
}

/** Where SQLite has found the file. On Windows nobody can delete, move or replace a file that SQLite has open. */
function placeOf(database: DatabaseSync, isFixed: boolean): Place | undefined {
  const { platform } = nodeProcess();
  const [main] = database.prepare("PRAGMA database_list").all();
  const path = main?.["file"];
  if (platform === "win32" || typeof path !== "string" || path === "") return undefined;
  return new Place(builtin("node:fs") as Files, path, isFixed);
}

/** Sees to it that a commit is on disk before it is answered. */
function makeDurable(database: DatabaseSync): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  if (mode !== "wal") throw new Error(`its journal cannot be a write-ahead log, it is "${mode}"`);
  database.exec("PRAGMA synchronous = FULL");
  // On macOS, where an ordinary sync leaves the bytes with the drive.
  database.exec("PRAGMA fullfsync = ON");
  look(database);
  checkWritable(database);
}

/** SQLite opens what it may not write to all the same, and says so only when it writes: it begins to, and takes it back. */
function checkWritable(database: DatabaseSync): void {
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    // Whoever would have to wait to write may write.
    if (resultOf(error) === BUSY) return;
    throw error;
  }
  try {
    database.exec("PRAGMA user_version = 0");
  } finally {
    database.exec("ROLLBACK");
  }
}

/** What an error of the database's is for the caller. */
export function storageError(error: unknown, what = ""): SillokError {
  if (resultOf(error) === BUSY) {
    const detail = "the storage is busy: another connection has locked it";
    return new SillokError({ code: "storage_busy", detail }, { cause: error });
  }
  const detail = `the storage failed: ${what}${error instanceof Error ? error.message : String(error)}`;
  return new SillokError({ code: "storage_failed", detail }, { cause: error });
}

/** What an error is for the caller that came when this file was opened. */
export function openingError(path: string, error: unknown): SillokError {
  return storageError(error, `${JSON.stringify(path)} cannot be opened: `);
}

/** `node:sqlite` is asked for here and not by an import, so that every bundler and platform takes the package. */
function opened(path: string, isReadOnly: boolean): DatabaseSync {
  const sqlite = builtin("node:sqlite") as Partial<NodeSqlite> | undefined;
  // Node 22.12 has the module behind a flag, but cannot walk through rows.
  if (sqlite?.DatabaseSync === undefined || sqlite.StatementSync?.prototype.iterate === undefined) {
    throw withoutFiles();
  }
  try {
    return isReadOnly
      ? new sqlite.DatabaseSync(path, { readOnly: true })
      : new sqlite.DatabaseSync(path);
  } catch (error) {
    // Every error of Node's has a code. A Worker has the class, but refuses to make one.
    throw error instanceof Error && "code" in error ? error : withoutFiles();
  }
}

function withoutFiles(): SillokError {
  const detail =
    "there are no files here: EventStore.open needs node:sqlite, as in Node 22.13 and later, Deno 2 and Bun 1";
  return new SillokError({ code: "unsupported_platform", detail });
}

function nodeProcess(): NodeProcess {
  return (globalThis as { process?: NodeProcess }).process ?? {};
}

function builtin(name: string): unknown {
  return nodeProcess().getBuiltinModule?.(name);
}
