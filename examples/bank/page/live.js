// @ts-check
/** Follows the documents of a projection without polling: the existing documents, and then each change. */

import { connect } from "./sillok/client.js";

/** @import { Table } from "./table.js" */

/** The most documents that are shown at the beginning. */
const MOST_DOCUMENTS = 200;

export class Live {
  #projection;
  #table;
  #run = new AbortController();
  /** @type {string | undefined} */
  #token;

  /**
   * @param {string} projection
   * @param {Table} table
   */
  constructor(projection, table) {
    this.#projection = projection;
    this.#table = table;
  }

  /**
   * Ends the present run, and begins again.
   * @param {string | undefined} token
   */
  async begin(token) {
    this.#run.abort();
    this.#run = new AbortController();
    this.#token = token;
    const { signal } = this.#run;
    try {
      await this.#follow(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#run.abort();
      this.#table.fail(error, () => void this.begin(token));
    }
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    this.#table.clear();
    this.#table.show("Reading …");
    const client = connect(location.origin, { token: this.#token, fetch: this.#watched(signal) });
    let shown = 0;
    let isLive = false;
    for await (const change of client.documents(this.#projection).subscribe({ signal })) {
      if (change.kind === "reset") {
        this.#table.clear();
        [shown, isLive] = [0, false];
      } else if (change.kind === "put") {
        if (isLive) this.#table.change(change.key, change.document);
        else if (shown++ < MOST_DOCUMENTS) this.#table.add(change.key, change.document);
      } else if (change.kind === "delete") {
        this.#table.remove(change.key);
      } else {
        if (!isLive) this.#table.show("Live.");
        isLive = true;
      }
    }
  }

  /**
   * `fetch`, which shows whether the server answers. The client sends a lost request again by itself.
   * @param {AbortSignal} run
   */
  #watched(run) {
    let isLost = false;
    /** @param {string} url @param {RequestInit} request */
    return async (url, request) => {
      try {
        const response = await fetch(url, request);
        if (isLost && !run.aborted) this.#table.show("Live.");
        isLost = false;
        return response;
      } catch (error) {
        isLost = true;
        if (!run.aborted) this.#table.show("The server does not answer. The page tries again.");
        throw error;
      }
    };
  }
}
