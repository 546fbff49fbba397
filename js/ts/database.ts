// SQLite as Node has it, in the form in which the engine asks for it.

import { SillokError } from "./errors.js";

/** How long a statement waits while another process writes. */
const PATIENCE_MILLISECONDS = 5000;
const BUSY = 5;

/** What a column may hold; whole numbers come as BigInts. */
type Column = null | number | bigint | string | Uint8Array;

/** The parts of `node:sqlite` that are used here. */
interface DatabaseSync {
  prepare(text: string): StatementSync;
  exec(text: string): void;
  close(): void;
}

interface StatementSync {
  run(...values: Column[]): { changes: number | bigint };
  get(...values: Column[]): Record<string, Column> | undefined;
  all(...values: Column[]): Record<string, Column>[];
  iterate(...values: Column[]): Iterable<Record<string, Column>>;
  setReadBigInts(enabled: boolean): void;
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => DatabaseSync;
  readonly StatementSync: { readonly prototype: StatementSync };
}

/** A SQLite file. What is committed to it is on disk. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  #isCutOff = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#version = database.prepare("PRAGMA data_version");
  }

  /** Opens the file, or makes it. */
  static open(path: unknown): Database {
    if (typeof path !== "string" || path === "") {
      const detail = "the path must be a string, the name of a file";
      throw new SillokError({ code: "invalid_parameter", detail, field: "path" });
    }
    let database: DatabaseSync | undefined;
    try {
      database = opened(path);
      makeDurable(database);
      return new Database(database);
    } catch (error) {
      database?.close();
      if (error instanceof SillokError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const detail = `the storage failed: ${JSON.stringify(path)} cannot be opened: ${reason}`;
      throw new SillokError({ code: "storage_failed", detail });
    }
  }

  prepare(text: string): Prepared {
    return new Prepared(this.#database, text, () => this.#check());
  }

  /** Has nothing more written or read: what is not committed now never will be. */
  cutOff(): void {
    this.#isCutOff = true;
  }

  /** A number that changes when another connection writes to the file. */
  changes(): number {
    try {
      return Number(this.#version.get()?.["data_version"]);
    } catch (error) {
      const detail = `the storage failed: ${error instanceof Error ? error.message : String(error)}`;
      throw new SillokError({ code: "storage_failed", detail });
    }
  }

  close(): void {
    this.#database.close();
  }

  #check(): void {
    if (this.#isCutOff) throw new Error("the file was cut off");
  }
}

/** A statement, prepared once and run many times. */
class Prepared {
  readonly #statement: StatementSync;
  readonly #check: () => void;
  /** For each parameter in turn, the place of its value; nothing where that is its own. */
  readonly #places: readonly number[] | undefined;
  readonly #isLong: boolean;

  constructor(database: DatabaseSync, text: string, check: () => void) {
    this.#check = check;
    // Node binds numbered parameters (?1) by place only in later releases, those without a number in all.
    const numbers = text.matchAll(/\?(\d+)/g);
    const places = Array.from(numbers, ([, number]) => Number(number) - 1);
    this.#places = places.every((place, own) => place === own) ? undefined : places;
    this.#statement = database.prepare(text.replaceAll(/\?\d+/g, "?"));
    // As numbers, one that is too large would end the query with an error instead of being reported as corrupt.
    this.#statement.setReadBigInts(true);
    // What is put in order and not limited is walked row by row. The rest is a row or none, had at once for less.
    this.#isLong = text.includes("ORDER BY") && !text.includes("LIMIT");
  }

  /** Runs it, and tells whether it changed a row. */
  run(values: Column[]): boolean {
    this.#check();
    return Number(this.#statement.run(...this.#inPlace(values)).changes) > 0;
  }

  /** Calls `visit` with the columns of each row, for as long as it returns true. */
  rows(values: Column[], visit: (columns: Column[]) => boolean): void {
    this.#check();
    const [statement, bound] = [this.#statement, this.#inPlace(values)];
    for (const row of this.#isLong ? statement.iterate(...bound) : statement.all(...bound)) {
      if (!visit(Object.values(row).map(whole))) return;
    }
  }

  #inPlace(values: readonly Column[]): readonly Column[] {
    return this.#places?.map((place) => values[place] ?? null) ?? values;
  }
}

function whole(column: Column): Column {
  if (typeof column !== "bigint") return column;
  const number = Number(column);
  return Number.isSafeInteger(number) ? number : null;
}

/** `node:sqlite` is asked for here and not by an import, so that every bundler and platform takes the package. */
function opened(path: string): DatabaseSync {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  const sqlite = process?.getBuiltinModule?.("node:sqlite") as Partial<NodeSqlite> | undefined;
  // Node 22.12 has the module behind a flag, but cannot walk through rows.
  if (sqlite?.DatabaseSync === undefined || sqlite.StatementSync?.prototype.iterate === undefined) {
    throw withoutFiles();
  }
  try {
    return new sqlite.DatabaseSync(path);
  } catch (error) {
    // Every error of Node's has a code. A Worker has the class, but refuses to make one.
    throw error instanceof Error && "code" in error ? error : withoutFiles();
  }
}

function withoutFiles(): SillokError {
  const detail =
    "there are no files here: EventStore.open needs node:sqlite, which Node has from 22.13 on";
  return new SillokError({ code: "unsupported_platform", detail });
}

/** Sees to it that a commit is on disk before it is answered, and that processes wait for each other. */
function makeDurable(database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = ${PATIENCE_MILLISECONDS}`);
  const mode = writeAheadLog(database);
  if (mode !== "wal") throw new Error(`its journal cannot be a write-ahead log, it is "${mode}"`);
  database.exec("PRAGMA synchronous = FULL");
  // On macOS, where an ordinary sync leaves the bytes with the drive.
  database.exec("PRAGMA fullfsync = ON");
}

/** Turns the log on. For this one statement SQLite does not wait by itself while another process does the same. */
function writeAheadLog(database: DatabaseSync): unknown {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode !== BUSY || Date.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
