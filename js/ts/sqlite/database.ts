// SQLite as Node has it, in the form in which the engine asks for it.

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

/** A SQLite file. What is committed to it is on disk. */
export class Database {
  /** Whether it was opened only to read. */
  readonly isReadOnly: boolean;
  /** Milliseconds to wait while another connection has the file locked. */
  readonly busyTimeout: number;
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  readonly #place: Place | undefined;
  #isCutOff = false;
  /** Whether the file was gone when it was looked at last. */
  #isAway = false;

  private constructor(path: string, { busyTimeout, readOnly }: Opening) {
    const { database, place } = readOnly ? openToRead(path) : openToWrite(path);
    this.isReadOnly = readOnly;
    this.busyTimeout = busyTimeout;
    this.#database = database;
    this.#place = place;
    this.#version = database.prepare("PRAGMA data_version");
  }

  /** Opens the file, or makes it. */
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

  /** Has nothing more written or read: what is not committed now never will be. */
  cutOff(): void {
    this.#isCutOff = true;
  }

  /** Whether the lock to write can be had now. Where something else is wrong, whoever writes is told. */
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
   * Makes a call of the engine, which is answered only where the files are still those that were opened: it looks
   * afterwards, for what was written to a file that is gone is gone too. Once it has seen that, it looks before as well.
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
