// @ts-check
/**
 * Follows the documents of a projection without polling. It reads the documents once. Then it follows the feed of the events
 * that change them, and reads a document again after each event of its stream.
 */

import { connect } from "./sillok/sillok.js";

/** @import { Table } from "./table.js" */
/** @typedef {{ stream: string, version: number }} Changed */

/** The most documents that are read at the beginning. */
const MOST_DOCUMENTS = 200;

export class Live {
  #source;
  #table;
  #run = new AbortController();
  /** @type {string | undefined} */
  #token;

  /**
   * @param {{ projection: string, category: string }} source each key of a document is the name of a stream of the category
   * @param {Table} table
   */
  constructor(source, table) {
    this.#source = source;
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
    const { projection, category } = this.#source;
    const documents = client.projection(projection);
    // The documents include every event up to this checkpoint, because it is read before them.
    const after = await this.#checkpoint(signal);
    for await (const { key, document } of documents.documents({ limit: MOST_DOCUMENTS })) {
      if (signal.aborted) return;
      this.#table.add(key, document);
    }
    this.#table.show("Live.");
    for await (const changed of batches(client.store.subscribe({ category, after, signal }))) {
      for (const { stream, version } of changed) {
        const document = await documents.get(stream, { min: { stream, version } });
        if (signal.aborted) return;
        if (document !== undefined) this.#table.change(stream, document);
      }
    }
  }

  /**
   * The checkpoint of the projection; undefined, if it has handled no event.
   * @param {AbortSignal} signal
   * @returns {Promise<string | undefined>}
   */
  async #checkpoint(signal) {
    const headers = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    const path = `/v1/consumers/${this.#source.projection}`;
    const response = await fetch(path, { headers, signal, cache: "no-store" });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.detail), { code: answer.code });
    return answer.checkpoint ?? undefined;
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

/**
 * Yields the events that have come since the last time: of each stream, only the last one.
 * @param {AsyncIterable<Changed>} events
 */
async function* batches(events) {
  /** @type {Map<string, Changed>} */
  let waiting = new Map();
  let wake = () => {};
  /** @type {{ error?: unknown } | undefined} */
  let end;
  const read = async () => {
    for await (const event of events) {
      waiting.set(event.stream, event);
      wake();
    }
  };
  void read()
    .then(
      () => (end = {}),
      (error) => (end = { error }),
    )
    .then(() => wake());
  for (;;) {
    if (waiting.size > 0) {
      const batch = [...waiting.values()];
      waiting = new Map();
      yield batch;
    } else if (end !== undefined) {
      if ("error" in end) throw end.error;
      return;
    } else {
      await /** @type {Promise<void>} */ (new Promise((resolve) => (wake = resolve)));
    }
  }
}
