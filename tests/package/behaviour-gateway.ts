import type { EventGateway, EventSource, ProjectionHandle } from "sillok";

import type { Behaviours } from "./behaviour.ts";
import { codeOf, count, sums } from "./behaviour-consume.ts";
import { rejection, same } from "./check.ts";

const PARAMETER = "invalid_parameter";
const CONSUMER = "invalid_consumer";
const handler = { handleEvent() {} };
const NO_HANDLERS: unknown[] = [null, {}, () => {}, "x", { handleEvent: 5 }];
const NO_SIGNALS: unknown[] = [null, 5, "x", {}, { aborted: true }];

/** The code and the field of the error that `call` throws, or with which it rejects. */
async function refusal(call: () => unknown): Promise<unknown[]> {
  const { code, field, name } = (await rejection(Promise.resolve().then(call))) as Error & {
    code?: unknown;
    field?: unknown;
  };
  return [name, code, field];
}

/** Calls that are refused with this code and this field. */
type Refusals = [code: string, field: string, calls: (() => unknown)[]];

async function areRefused(all: Refusals[]): Promise<void> {
  for (const [code, field, calls] of all) {
    for (const [place, call] of calls.entries()) {
      same(await refusal(call), ["SillokError", code, field], `${field}, call ${place}`);
    }
  }
}

function asked(
  gateway: EventGateway,
  documents: ProjectionHandle,
  bad: unknown,
): (() => unknown)[] {
  const signal = bad as AbortSignal;
  return [
    () => gateway.run({ signal }),
    () => gateway.catchUp({ signal }),
    () => gateway.replay(handler, { signal }),
    () => gateway.replay(handler, { stream: "s", signal }),
    () => documents.get("k", { signal }),
    () => documents.get("k", { min: { stream: "s", version: 1 }, signal }),
  ];
}

/** The errors of a gateway, the time for which it runs, and the time for which it waits. */
export const gatewaying: Behaviours = {
  async "an invalid argument of a gateway is refused, naming the field"(sillok) {
    const store = new sillok.EventStore();
    await count(store, "s", 1);
    const counts = sums(sillok);
    const gateway = new sillok.EventGateway(store).register(counts);
    const documents = gateway.projection("sums");
    const over = (source: unknown) => new sillok.EventGateway(source as EventSource, handler);
    const remote = sillok.EventStore.connect("http://127.0.0.1:1", { retries: 0 });
    const [none, like] = [null as never, { kind: "projection", name: "x" } as never];
    await areRefused([
      [
        PARAMETER,
        "handler",
        NO_HANDLERS.flatMap((bad) => [
          () => new sillok.EventGateway(store, bad as never),
          () => gateway.replay(bad as never),
          () => gateway.replay(bad as never, { stream: "s" }),
        ]),
      ],
      [
        PARAMETER,
        "store",
        [null, undefined, {}, remote, 5].flatMap((bad) => [
          () => over(bad).processEventsByAggregateId("1"),
          () => over(bad).register(counts),
          () => over(bad).replay(handler),
          () => over(bad).run(),
          () => over(bad).catchUp(),
        ]),
      ],
      [PARAMETER, "signal", NO_SIGNALS.flatMap((bad) => asked(gateway, documents, bad))],
      [
        PARAMETER,
        "min",
        [null, 5, {}, { stream: "s", version: -1 }].map(
          (min) => () => documents.get("k", { min: min as never }),
        ),
      ],
      [
        PARAMETER,
        "consumer",
        [null, undefined, 5, {}].map((bad) => () => gateway.consumer(bad as never)),
      ],
      [PARAMETER, "projection", [null, 5].map((bad) => () => gateway.projection(bad as never))],
      [
        CONSUMER,
        "consumers",
        [none, like, { ...counts, name: "copy" }, [counts]].map(
          (bad) => () => gateway.register(bad as never),
        ),
      ],
      [CONSUMER, "name", [() => gateway.register(counts)]],
      [
        PARAMETER,
        "types",
        [[], "A", null, {}].flatMap((types) => [
          () => gateway.replay(handler, { types: types as never }),
          () => gateway.replay(handler, { stream: "s", types: types as never }),
        ]),
      ],
      [
        "invalid_event_type",
        "types",
        [[5], [""], ["A", "\ud800"], ["x".repeat(201)]].flatMap((types) => [
          () => gateway.replay(handler, { types: types as never }),
          () => gateway.replay(handler, { stream: "s", types: types as never }),
        ]),
      ],
    ]);
    await gateway.catchUp();
    same(await documents.get("s"), 1, "it goes on working");
  },

  async "it runs until the signal is given, also what is registered later"(sillok) {
    const store = new sillok.EventStore();
    const gateway = new sillok.EventGateway(store);
    const stop = new AbortController();
    let ended = false;
    const running = gateway.run({ signal: stop.signal }).then(() => (ended = true));
    await count(store, "s-1", 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    same(ended, false, "nothing was registered");
    const handled: number[] = [];
    let next = () => {};
    const reacts = (name: string, by: number) =>
      sillok.reactor<{ type: "Counted"; data: { by: number } }>(name, {
        on({ data }) {
          handled.push(by * data.by);
          next();
        },
      });
    const until = (length: number) =>
      new Promise<void>((resolve) => (next = () => handled.length === length && resolve()));
    let done = until(1);
    gateway.register(reacts("first", 1));
    await done;
    done = until(2);
    gateway.register(reacts("second", 10));
    await done;
    done = until(4);
    await count(store, "s-1", 2);
    await done;
    same(
      handled.toSorted((a, b) => a - b),
      [1, 2, 10, 20],
    );
    same(ended, false);
    stop.abort();
    await running;
    gateway.register(reacts("third", 100));
    await count(store, "s-1", 3);
    same(handled.length, 4, "it runs no more");
  },

  async "to run nothing fails too when the store is closed"({ EventStore, EventGateway }) {
    const store = new EventStore();
    const running = new EventGateway(store).run();
    store.close();
    same(await codeOf(running), "storage_failed");
  },

  async "an event that does not come is waited for 5 seconds, or until the signal"(sillok) {
    const store = new sillok.EventStore();
    await count(store, "s-1", 1, 2);
    // The next attempt is in an hour.
    const later = sums(sillok, new Set([2]), { firstDelay: 3_600_000 });
    const documents = new sillok.EventGateway(store).register(later).projection(later);
    const began = Date.now();
    const stop = new AbortController();
    let isOver = false;
    const signalled = documents
      .get("s-1", { min: { stream: "never", version: 1 }, signal: stop.signal })
      .catch((error) => error)
      .finally(() => (isOver = true));
    for (const refused of await Promise.all([
      codeOf(documents.get("s-1", { min: { stream: "s-1", version: 2 } })),
      codeOf(documents.get("s-1", { min: { stream: "never", version: 1 } })),
    ])) {
      same(refused, "projection_behind");
    }
    const waited = Date.now() - began;
    same([waited >= 4900, waited < 30_000], [true, true], `${waited} ms`);
    same(isOver, false, "the signal was not given");
    stop.abort();
    same((await signalled).code, "projection_behind");
    await documents.pause();
    const paused = Date.now();
    same(
      await codeOf(documents.get("s-1", { min: { stream: "s-1", version: 2 } })),
      "projection_behind",
    );
    same(Date.now() - paused < 4000, true, "one that is paused is not waited for");
  },
};
