import type { NewEvent } from "sillok";

import type { Behaviours, Sillok } from "./behaviour.ts";
import { count, same } from "./check.ts";

const COMMITS = 30;
/** The longest chain of events. It ends the chain if nothing else does. */
const LONGEST_CHAIN = 12_000;
/** The number of events after which the signal is given. */
const WARM = 300;

/** A store with two full streams. */
async function full({ EventStore }: Sillok) {
  const store = new EventStore();
  const events = count(1, 1000).map((data) => ({ type: "A", data }));
  for (let done = 0; done < COMMITS; done += 1) await store.append("s-1", events);
  await store.append("s-2", { type: "B" });
  return store;
}

/** A signal of a timer. The timer needs a turn to give it. */
function soon(): AbortSignal {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 5);
  return stop.signal;
}

/**
 * A reactor that makes another event from each event, the number of its events, and a signal of a timer during its run.
 */
function chain({ reactor }: Sillok) {
  const handled = { times: 0 };
  const stop = new AbortController();
  const links = reactor<NewEvent>("links", {
    category: "chain",
    on: ({ stream }, { append }) => {
      handled.times += 1;
      // The first run of code is slow: that alone would give other code a turn.
      if (handled.times === WARM) setTimeout(() => stop.abort(), 1);
      return handled.times < LONGEST_CHAIN ? append(stream, { type: "Link" }) : undefined;
    },
  });
  return { links, handled, signal: stop.signal };
}

/** All loops of the package give turns to the rest of the program. */
export const takingTurns: Behaviours = {
  async "other code has turns during every read"(sillok) {
    const store = await full(sillok);
    const readings = {
      read: () => store.read("s-1"),
      backward: () => store.read("s-1", { direction: "backward" }),
      all: () => store.readAll(),
      stream: () => store.subscribe("s-1"),
      feed: () => store.subscribe({ all: true }),
      oneType: () => store.readAll({ types: ["A"] }),
    };
    for (const [name, reading] of Object.entries(readings)) {
      let [seen, turns] = [0, 0];
      const timer = setInterval(() => (turns += 1), 1);
      for await (const _ of reading()) {
        seen += 1;
        if (seen === COMMITS * 1000) break;
      }
      clearInterval(timer);
      same([name, seen, turns > 0], [name, COMMITS * 1000, true]);
    }
  },

  async "a subscription that catches up, and a replay, end when a timer gives their signal"(
    sillok,
  ) {
    const store = await full(sillok);
    const gateway = new sillok.EventGateway(store);
    let seen = 0;
    for await (const _ of store.subscribe("s-1", { signal: soon() })) seen += 1;
    same([seen > 0, seen < COMMITS * 1000], [true, true], `${seen} of the stream`);
    seen = 0;
    for await (const _ of store.subscribe({ all: true, signal: soon() })) seen += 1;
    same([seen > 0, seen < COMMITS * 1000], [true, true], `${seen} of all`);
    for (const stream of [undefined, "s-1"]) {
      const options = { stream, signal: soon() };
      const { handled } = await gateway.replay({ handleEvent() {} }, options);
      same([handled > 0, handled < COMMITS * 1000], [true, true], `${handled} replayed`);
    }
  },

  async "a chain of events leaves others their turn, and ends with the signal"(sillok) {
    for (const act of ["run", "catchUp"] as const) {
      const store = new sillok.EventStore();
      const { links, handled, signal } = chain(sillok);
      const gateway = new sillok.EventGateway(store).register(links);
      await store.append("chain-1", { type: "Link" });
      await gateway[act]({ signal });
      const isCutOff = handled.times >= WARM && handled.times < LONGEST_CHAIN / 2;
      same([act, isCutOff], [act, true], `${handled.times} times`);
    }
  },
};
