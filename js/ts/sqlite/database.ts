// A SQLite file by Node's SQLite, with the methods that the engine calls.

import { SillokError } from "../store/errors.js";
import {
  type Column,
  type DatabaseSync,
  openingError,
  openToRead,
  openToWrite,
  type StatementSync,
  storageError,
} from "./open-database.js";
import type { Opening } from "./open-options.js";
import { Patience } from "./patience.js";
import type { Place } from "./place.js";

/** A SQLite file. A commit returns when it is on disk. */
export class Database {
  /** Whether it was opened for reading only. */
  readonly isReadOnly: boolean;
  /** Milliseconds to wait while another connection has the file locked. */
  readonly busyTimeout: number;
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  readonly #place: Place | undefined;
  #isCutOff = false;
  /** Whether the file was gone at the last check. */
  #isAway = false;

  private constructor(path: string, { busyTimeout, readOnly }: Opening) {
    const { database, place } = readOnly ? openToRead(path) : openToWrite(path);
    this.isReadOnly = readOnly;
    this.busyTimeout = busyTimeout;
    this.#database = database;
    this.#place = place;
    this.#version = database.prepare("PRAGMA data_version");
  }

  /** Opens the file, or creates it. */
  static open(path: unknown, opening: Opening): Database {
    if (typeof path !== "string" || path === "") {
      const detail = "the path must be a string, the name of a file";
      throw new SillokError({ code: "invalid_parameter", detail, field: "path" });
    }
    return new Patience(opening.busyTimeout, () => true).readNow(() => {
      try {
        return new Database(path, opening);
      } catch (error) {
        throw error instanceof SillokError ? error : openingError(path, error);
      }
    });
  }

  prepare(text: string): Prepared {
    return new Prepared(this.#database, text, () => this.#check());
  }

  /** Prevents every later read and write. Uncommitted data is never committed. */
  cutOff(): void {
    this.#isCutOff = true;
  }

  /** Whether the lock for writing is free now. Other errors count as free: the write itself reports them. */
  mayWrite(): boolean {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      this.#database.exec("ROLLBACK");
      return true;
    } catch (error) {
      return storageError(error).code !== "storage_busy";
    }
  }

  /** A number that changes when another connection writes to the file. */
  changes(): number {
    try {
      return Number(this.#version.get()?.["data_version"]);
    } catch (error) {
      throw storageError(error);
    }
  }

  /**
   * Calls the engine, and returns the answer only if the files are still the opened ones. It checks after the call, because
   * events in a removed file are lost. Once the files are gone, it also checks before each call.
   */
  inPlace<T>(call: () => T): T {
    if (this.#isAway) this.#checkPlace();
    const answer = call();
    this.#checkPlace();
    return answer;
  }

  close(): void {
    this.#database.close();
  }

  #checkPlace(): void {
    const changed = this.#place?.changed();
    this.#isAway = changed !== undefined;
    if (changed === undefined) return;
    throw new SillokError({ code: "storage_failed", detail: `the storage failed: ${changed}` });
  }

  #check(): void {
    if (this.#isCutOff) throw new Error("the file was cut off");
  }
}

/** A statement, which is prepared once and run many times. */
class Prepared {
  readonly #statement: StatementSync;
  readonly #check: () => void;
  /** For each parameter in order, the place of its value; undefined where every parameter has its own place. */
  readonly #places: readonly number[] | undefined;
  readonly #isLong: boolean;

  constructor(database: DatabaseSync, text: string, check: () => void) {
    this.#check = check;
    // Only later releases of Node bind numbered parameters (?1) by place. All releases bind those without a number.
    const numbers = text.matchAll(/\?(\d+)/g);
    const places = Array.from(numbers, ([, number]) => Number(number) - 1);
    this.#places = places.every((place, own) => place === own) ? undefined : places;
    this.#statement = database.prepare(text.replaceAll(/\?\d+/g, "?"));
    // With numbers, a number that is too large would end the query with an error instead of a report of corrupt data.
    this.#statement.setReadBigInts(true);
    // An ordered query without a limit is read row by row. Every other query has at most one row, which is cheaper at once.
    this.#isLong = text.includes("ORDER BY") && !text.includes("LIMIT");
  }

  /** Runs the statement. Returns the number of the last inserted row, or 0 if the statement has changed no row. */
  run(values: Column[]): number {
    this.#check();
    const { changes, lastInsertRowid } = this.#statement.run(...this.#inPlace(values));
    return Number(changes) > 0 ? Number(lastInsertRowid) : 0;
  }

  /** Calls `visit` with the columns of each row, as long as it returns true. */
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
