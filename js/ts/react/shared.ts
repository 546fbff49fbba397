// Subscriptions that components share: one for each client and key, from the first component that is mounted to the last one.

import { useCallback, useSyncExternalStore } from "react";

import type { Client } from "../client/client.js";

/** A subscription: the snapshot that components render, and how it is made from messages. */
export interface Source<Snapshot, Message> {
  /** The name of the subscription. Two components with the same key share it. */
  readonly key: string;
  /** The snapshot before the first message, and on the server. */
  readonly initial: Snapshot;
  /** The messages, until `signal` is aborted. */
  readonly follow: (signal: AbortSignal) => AsyncIterable<Message>;
  /** Takes a message. The result is the new snapshot, or undefined if it has not changed. */
  readonly take: () => (message: Message) => Snapshot | undefined;
  /** The snapshot after an error, which ends the subscription. */
  readonly failed: (snapshot: Snapshot, error: unknown) => Snapshot;
}

/** A running subscription. */
class Shared<Snapshot, Message> {
  snapshot: Snapshot;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #end: () => void;

  constructor(source: Source<Snapshot, Message>, end: () => void) {
    this.snapshot = source.initial;
    this.#end = end;
    void this.#run(source);
  }

  /** Adds a component. The result removes it. */
  add(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      // React removes a component and adds it again, for example in its strict mode. The connection stays for that time.
      setTimeout(() => {
        if (this.#listeners.size > 0 || this.#stop.signal.aborted) return;
        this.#stop.abort();
        this.#end();
      });
    };
  }

  async #run(source: Source<Snapshot, Message>): Promise<void> {
    const take = source.take();
    try {
      for await (const message of source.follow(this.#stop.signal)) {
        if (this.#stop.signal.aborted) return;
        this.#show(take(message));
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#show(source.failed(this.snapshot, error));
    }
  }

  #show(snapshot: Snapshot | undefined): void {
    if (snapshot === undefined) return;
    this.snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}

const running = new WeakMap<Client<any>, Map<string, Shared<any, any>>>();

function sharedOf(client: Client<any>): Map<string, Shared<any, any>> {
  let all = running.get(client);
  if (all === undefined) running.set(client, (all = new Map()));
  return all;
}

/** The present snapshot of a subscription. A render starts no connection: only a mounted component does. */
export function useShared<Snapshot, Message>(
  client: Client<any>,
  source: Source<Snapshot, Message>,
): Snapshot {
  const { key, initial } = source;
  const subscribe = useCallback(
    (listener: () => void) => {
      const all = sharedOf(client);
      let shared = all.get(key);
      if (shared === undefined) {
        shared = new Shared(source, () => all.delete(key));
        all.set(key, shared);
      }
      return shared.add(listener);
    },
    // The key names everything that differs between two sources.
    [client, key],
  );
  const snapshot = () => (sharedOf(client).get(key)?.snapshot as Snapshot | undefined) ?? initial;
  return useSyncExternalStore(subscribe, snapshot, () => initial);
}
