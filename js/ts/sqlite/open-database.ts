// Opens a database by Node's own modules.

import { SillokError } from "../store/errors.js";
import { type Files, Place } from "./place.js";

/** The value of a column. Whole numbers are BigInts. */
export type Column = null | number | bigint | string | Uint8Array;

/** The parts of `node:sqlite` that the package uses. */
export interface DatabaseSync {
  prepare(text: string): StatementSync;
  exec(text: string): void;
  close(): void;
}

export interface StatementSync {
  run(...values: Column[]): { changes: number | bigint; lastInsertRowid: number | bigint };
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

/** An open database, and its place, if the place can change. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly place: Place | undefined;
}

/** The lower byte of a SQLite result code is the result. The other bytes have details. */
const RESULT = 0xff;
const BUSY = 5;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;

/** The SQLite result of an error, if it has one. */
function resultOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & RESULT : undefined;
}

/** Opens a database for writing, or creates it. A commit returns when it is on disk. */
export function openToWrite(path: string): OpenDatabase {
  const database = opened(path, false);
  return closedUnless(database, () => {
    try {
      makeDurable(database);
    } catch (error) {
      if (resultOf(error) !== READ_ONLY) throw error;
      const detail = `${JSON.stringify(path)} is not writable; open it with { readOnly: true }`;
      throw new SillokError({ code: "storage_read_only", detail }, { cause: error });
    }
    return { database, place: placeOf(database, false) };
  });
}

/** Opens an existing database for reading only. */
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
 * Opens a database in a folder where SQLite cannot create the files that processes share. Nobody may write to such a database:
 * the package opens it as immutable, and checks that it stays so. Commits outside the file itself cannot be read there.
 */
function openFixed(path: string, cause: unknown): OpenDatabase {
  const { pathToFileURL } = builtin("node:url") as NodeUrl;
  const database = opened(`${pathToFileURL(path).href}?immutable=1`, true);
  return closedUnless(database, () => {
    look(database);
    const place = placeOf(database, true);
    if (place?.hasLog) {
      const why = `its newest commits are in ${JSON.stringify(`${path}-wal`)}, and SQLite can read them only in a writable folder`;
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

/** Reads the file, and the files that belong to it: SQLite opens them only when it reads. */
function look(database: DatabaseSync): void {
  database.prepare("SELECT count(*) FROM sqlite_master").get();
}

/** The place where SQLite has found the file. On Windows nobody can delete, move or replace a file that SQLite has open. */
function placeOf(database: DatabaseSync, isFixed: boolean): Place | undefined {
  const { platform } = nodeProcess();
  const [main] = database.prepare("PRAGMA database_list").all();
  const path = main?.["file"];
  if (platform === "win32" || typeof path !== "string" || path === "") return undefined;
  return new Place(builtin("node:fs") as Files, path, isFixed);
}

/** Sets the database so that a commit returns only when it is on disk. */
function makeDurable(database: DatabaseSync): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  if (mode !== "wal") throw new Error(`its journal mode must be "wal", and it is "${mode}"`);
  database.exec("PRAGMA synchronous = FULL");
  // For macOS, where an ordinary sync leaves the bytes in the cache of the drive.
  database.exec("PRAGMA fullfsync = ON");
  look(database);
  checkWritable(database);
}

/** Starts a write and rolls it back: SQLite also opens a file that is not writable, and reports that only at a write. */
function checkWritable(database: DatabaseSync): void {
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    // A locked database is writable.
    if (resultOf(error) === BUSY) return;
    throw error;
  }
  try {
    database.exec("PRAGMA user_version = 0");
  } finally {
    database.exec("ROLLBACK");
  }
}

/** The error for the caller, made from an error of the database. */
export function storageError(error: unknown, what = ""): SillokError {
  if (resultOf(error) === BUSY) {
    const detail = "the storage is busy: another connection has locked it";
    return new SillokError({ code: "storage_busy", detail }, { cause: error });
  }
  const detail = `the storage failed: ${what}${error instanceof Error ? error.message : String(error)}`;
  return new SillokError({ code: "storage_failed", detail }, { cause: error });
}

/** The error for the caller, made from an error while this file was opened. */
export function openingError(path: string, error: unknown): SillokError {
  return storageError(error, `${JSON.stringify(path)} cannot be opened: `);
}

/** Opens a database. It loads `node:sqlite` without an import, so that the package works with every bundler and platform. */
function opened(path: string, isReadOnly: boolean): DatabaseSync {
  const sqlite = builtin("node:sqlite") as Partial<NodeSqlite> | undefined;
  // Node 22.12 has the module behind a flag, but it cannot iterate over rows.
  if (sqlite?.DatabaseSync === undefined || sqlite.StatementSync?.prototype.iterate === undefined) {
    throw withoutFiles();
  }
  try {
    return isReadOnly
      ? new sqlite.DatabaseSync(path, { readOnly: true })
      : new sqlite.DatabaseSync(path);
  } catch (error) {
    // Every error of Node has a code. A Worker has the class, but refuses to make an object of it.
    throw error instanceof Error && "code" in error ? error : withoutFiles();
  }
}

function withoutFiles(): SillokError {
  const detail =
    "this platform has no files: EventStore.open needs node:sqlite, as in Node 22.13 and later, Deno 2 and Bun 1";
  return new SillokError({ code: "unsupported_platform", detail });
}

function nodeProcess(): NodeProcess {
  return (globalThis as { process?: NodeProcess }).process ?? {};
}

function builtin(name: string): unknown {
  return nodeProcess().getBuiltinModule?.(name);
}
