// Stores on files, in place of stores in memory.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { EventStore } from "sillok";

import type { Sillok } from "./behaviour.ts";

/** A folder for the files of a test. */
export class Files {
  readonly folder = mkdtempSync(join(tmpdir(), "sillok-files-"));
  readonly #stores: EventStore[] = [];
  readonly #paths = new WeakMap<object, string>();

  /** The package, with each store on a new file. */
  instead(sillok: Sillok): Sillok {
    const open = () => this.#opened(sillok, join(this.folder, `${this.#stores.length}.db`));
    class OnFile extends sillok.EventStore {
      constructor() {
        super();
        // A class that extends this one needs its own methods.
        return Object.setPrototypeOf(open(), new.target.prototype) as OnFile;
      }
    }
    return { ...sillok, EventStore: OnFile };
  }

  /** Opens another store on the file of an open store. */
  another(sillok: Sillok, store: object): EventStore {
    return this.#opened(sillok, this.#paths.get(store) ?? "");
  }

  #opened(sillok: Sillok, path: string): EventStore {
    const store = sillok.EventStore.open(path);
    this.#stores.push(store);
    this.#paths.set(store, path);
    return store;
  }

  remove(): void {
    for (const store of this.#stores) store.close();
    rmSync(this.folder, { recursive: true });
  }
}
