// The place of an open database, and the check that the files are still there. Events that are written to a deleted, moved or
// replaced file are lost, and SQLite reports no error.

/** The parts of `node:fs` that the package uses. */
export interface Files {
  statSync(
    path: string,
    options: { readonly bigint: true; readonly throwIfNoEntry: false },
  ): FileStatus | undefined;
}

/** The status of a file. */
interface FileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** The identity of a file. */
type Identity = readonly bigint[];

const LOG = "-wal";
/** SQLite adds these texts to the name of a file for the files that belong to it: the newest commits, and the locks. */
const COMPANIONS = [LOG, "-shm"];

/** The files of one open database. */
export class Place {
  readonly #files: Files;
  readonly #path: string;
  /** Whether nobody may write to it while it is open. */
  readonly #isFixed: boolean;
  readonly #opened: ReadonlyMap<string, Identity>;

  /** The place of a new open database. A fixed database is read without the files that belong to it. */
  constructor(files: Files, path: string, isFixed: boolean) {
    this.#files = files;
    this.#path = path;
    this.#isFixed = isFixed;
    const opened = new Map<string, Identity>();
    for (const name of isFixed ? [path] : [path, ...COMPANIONS.map((end) => path + end)]) {
      const identity = this.#identity(name);
      if (identity !== undefined) opened.set(name, identity);
    }
    this.#opened = opened;
  }

  /** Whether there are commits outside the file itself. */
  get hasLog(): boolean {
    return (this.#status(this.#path + LOG)?.size ?? 0n) > 0n;
  }

  /** The reason, if these are no longer the opened files. */
  changed(): string | undefined {
    for (const [name, identity] of this.#opened) {
      const now = this.#identity(name);
      if (now === undefined || now.some((part, place) => part !== identity[place])) {
        return `${JSON.stringify(name)} was ${this.#isFixed ? "changed" : "deleted, moved or replaced"} while it was open`;
      }
    }
    if (!this.#isFixed || !this.hasLog) return undefined;
    return `${JSON.stringify(this.#path)} was written to while it was open; open it again`;
  }

  #identity(name: string): Identity | undefined {
    const status = this.#status(name);
    if (status === undefined) return undefined;
    const { dev, ino, size, mtimeNs } = status;
    return this.#isFixed ? [dev, ino, size, mtimeNs] : [dev, ino];
  }

  #status(name: string): FileStatus | undefined {
    try {
      return this.#files.statSync(name, { bigint: true, throwIfNoEntry: false });
    } catch {
      // For example, a folder of the path is no folder any more.
      return undefined;
    }
  }
}
