// The failed attempts of an application in memory.

import type { EventStore } from "sillok";

import type { Watcher } from "../gateway/watcher.js";
import type { AppFailure } from "./failures.js";

/** The failures of one application. */
export interface Failures {
  readonly all: readonly AppFailure[];
  readonly watcher: Omit<Watcher, "env">;
  /** Throws the first failure since the last call, if failures are thrown. */
  check(): void;
}

/** The failures of an application over a store. */
export function failuresOf(store: EventStore, isThrown: boolean): Failures {
  const all: AppFailure[] = [];
  let checked = 0;
  const add = (failure: Omit<AppFailure, "error">, what: string, cause: unknown) => {
    const reason = (cause as { message?: unknown } | undefined)?.message ?? String(cause);
    const message = `${what} failed in attempt ${failure.attempt}: ${String(reason)}`;
    all.push({ ...failure, error: new Error(message, { cause }) });
  };
  return {
    all,
    watcher: {
      failed(consumer, { stream, version }, cause) {
        const isSame = (of: AppFailure) =>
          of.consumer === consumer && of.stream === stream && of.version === version;
        const attempt = all.filter(isSame).length + 1;
        add({ consumer, stream, version, attempt }, `${consumer}, at ${stream}@${version},`, cause);
      },
      async pendingFailed(stream, key, isSent) {
        const pending = isSent ? store.sent(stream) : store.timers(stream);
        for await (const one of pending) {
          if (("id" in one ? one.id : one.key) !== key) continue;
          const { code, detail } = one.lastError ?? {
            code: "internal",
            detail: "no reason is stored",
          };
          const cause = Object.assign(new Error(detail), { code });
          const what = `${isSent ? "the sent command" : "the timer"} ${key} of ${stream}`;
          add({ key, stream, attempt: one.failedAttempts ?? 1 }, what, cause);
        }
      },
    },
    check() {
      const [first] = all.slice(checked);
      checked = all.length;
      if (first !== undefined && isThrown) throw first.error;
    },
  };
}
