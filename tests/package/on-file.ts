// Stores on files, in the place of those in memory.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { EventStore } from "sillok";

import type { Sillok } from "./behaviour.ts";

/** A folder for the files of a test. */
export class Files {
  readonly folder = mkdtempSync(join(tmpdir(), "sillok-files-"));
  readonly #stores: EventStore[] = [];

  /** The package, but for its stores, each of which is on a new file. */
  instead(sillok: Sillok): Sillok {
    const open = () => {
      const store = sillok.EventStore.open(join(this.folder, `${this.#stores.length}.db`));
      this.#stores.push(store);
      return store;
    };
    class OnFile extends sillok.EventStore {
      constructor() {
        super();
        // A class that extends this one keeps its own methods.
        return Object.setPrototypeOf(open(), new.target.prototype) as OnFile;
      }
    }
    return { ...sillok, EventStore: OnFile };
  }

  remove(): void {
    for (const store of this.#stores) store.close();
    rmSync(this.folder, { recursive: true });
  }
}
