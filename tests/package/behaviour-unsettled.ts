import type { Behaviours, Sillok } from "./behaviour.ts";
import { all, same } from "./check.ts";

type Rung = { type: "Rung"; data: string };
type Set = { type: "Set"; data: { key: string; at: number } };
type Ring = { type: "Ring"; data: string };

/** An aggregate whose timers ring. The timer `again` sets itself for now, and `fails` always fails. */
function clockOf({ aggregate, schedule }: Sillok, failed = () => {}) {
  return aggregate<Rung, Set | Ring, number>("clock", {
    initialState: () => 0,
    evolve: (count) => count + 1,
    decide(command, _, { now }) {
      if (command.type === "Set") {
        const { key, at } = command.data;
        return schedule(key, at, { type: "Ring", data: key });
      }
      if (command.data === "again") return schedule("again", now, { type: "Ring", data: "again" });
      if (command.data === "fails") {
        failed();
        throw new Error("it always fails");
      }
      return { type: "Rung", data: command.data };
    },
  });
}

const set = (key: string, at: number) => ({ type: "Set", data: { key, at } }) as const;
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

/** Timers and sent commands that are not done: listed, parked, cancelled, or without an end. */
export const unsettled: Behaviours = {
  async "a timer that sets itself for now holds up nothing else"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok);
    const seen: string[] = [];
    const watcher = sillok.reactor("watcher", { on: ({ stream }) => void seen.push(stream) });
    const gateway = new sillok.EventGateway(store).register(clock, watcher);
    await store.execute("clock-1", set("again", 1), clock);
    await store.execute("clock-2", set("once", Date.now() + 30), clock);
    for (const run of ["run", "catchUp"] as const) {
      const stop = new AbortController();
      const running = gateway[run]({ signal: stop.signal });
      const began = Date.now();
      await pause(20);
      same(Date.now() - began < 1000, true, "the timers of the platform run");
      while (seen.length === 0) await pause(10);
      stop.abort();
      await running;
    }
    same(seen, ["clock-2"]);
    same(
      (await all(store.timers("clock-1"))).map(({ key }) => key),
      ["again"],
    );
  },
};
