import type { EventStore, FeedEvent, RecordedEvent } from "sillok";

import type { Behaviours, Sillok } from "./behaviour.ts";
import { all, count, rejection, same } from "./check.ts";
import { account, add, deposit, deposited, list, open, withdraw } from "./ledger.ts";

/** An open account with this many cents. */
async function opened(sillok: Sillok, cents: number) {
  const { account: rules, calls } = account(sillok);
  const store = new sillok.EventStore();
  await store.execute("account-1", open("Ada"), rules);
  await store.execute("account-1", deposit(cents), rules);
  Object.assign(calls, { decided: 0, evolved: 0 });
  return { store, account: rules, calls };
}

async function length(store: EventStore): Promise<number> {
  return (await all(store.readAll())).length;
}

/** The commands of aggregates: what is decided, stored, repeated and refused. */
export const commanding: Behaviours = {
  async "a command decides, and its events are stored"({ EventStore, ...sillok }) {
    const { account: rules } = account({ EventStore, ...sillok });
    const store = new EventStore();
    const { events, time, ...first } = await store.execute("account-1", open("Ada"), rules);
    same(first, { stream: "account-1", firstVersion: 1, version: 1, replayed: false });
    const [{ position, checkpoint, ...stored }] = (await all(store.read("account-1"))) as [
      FeedEvent,
    ];
    same([events, position, checkpoint], [[stored], 1, "1"]);
    same([events[0]?.type, events[0]?.data, events[0]?.time], ["Opened", { owner: "Ada" }, time]);
    const outcome = await store.attempt("account-1", deposit(100), rules);
    same(outcome.accepted && [outcome.firstVersion, outcome.version], [2, 2]);
    same(await store.load("account-1", rules), { state: { owner: "Ada", cents: 100 }, version: 2 });
    const refused = await store.attempt("account-1", withdraw(101), rules);
    const reason = { code: "insufficient_funds", data: { missing: 1 } };
    same(refused, { accepted: false, rejection: reason, version: 2, replayed: false });
    const error = await rejection(store.execute("account-1", withdraw(101), rules));
    same(sillok.isCommandRejected(error) && error.rejection, reason);
    same(await length(store), 2);
  },

  async "a decision of several events is one commit"(sillok) {
    const decide = ({ data }: { data: number }) =>
      count(1, data).map((n) => ({ type: "Added", data: n, metadata: { n }, id: `id-${n}` }));
    const store = new sillok.EventStore();
    const rules = list(sillok, { decide });
    const result = await store.execute("list-1", add(3), rules);
    same([result.firstVersion, result.version], [1, 3]);
    same(
      result.events.map(({ id, metadata }: RecordedEvent) => [id, metadata]),
      count(1, 3).map((n) => [`id-${n}`, { n }]),
    );
    same((await all(store.exportCommits("list-1"))).length, 1);
    same((await store.load("list-1", rules)).state, { list: [1, 2, 3] });
    const tooMany = await rejection(store.execute("list-1", add(1025), rules));
    same((tooMany as { code?: unknown }).code, "too_many_events");
    same((await store.load("list-1", rules)).version, 3);
  },

  async "the context names the decision, and its causes are in the metadata of the events"(sillok) {
    const contexts: { version: number; now: number; commandId?: string }[] = [];
    const decide = ({ data }: { data: unknown }, _: unknown, context: (typeof contexts)[0]) => {
      contexts.push(context);
      return { type: "Added", data };
    };
    const store = new sillok.EventStore();
    const rules = list(sillok, { decide });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const metadata = { correlationId: "c", traceparent, from: "test" };
    const options = { commandId: "id-1" };
    const { events, time } = await store.execute("list-1", add(1, metadata), rules, options);
    same(events[0]?.metadata, { correlationId: "c", causationId: "id-1", traceparent });
    const [context] = contexts;
    same(context, {
      stream: "list-1",
      version: 0,
      now: Date.parse(time),
      commandId: "id-1",
      metadata,
      timer: undefined,
    });
    const own = await store.execute("list-1", add(1), rules, { commandId: "id-2" });
    same(own.events[0]?.metadata, { correlationId: "id-2", causationId: "id-2" });
    same((await store.execute("list-1", add(1), rules)).events[0]?.metadata, {});
    same(
      contexts.map(({ version, commandId }) => [version, commandId]),
      [
        [0, "id-1"],
        [1, "id-2"],
        [2, undefined],
      ],
    );
  },

  async "after a direct append, the next command reads only what is new"(sillok) {
    const { store, account: rules, calls } = await opened(sillok, 100);
    await store.append("account-1", [deposited(5), deposited(6)]);
    const { version } = await store.execute("account-1", withdraw(111), rules);
    same([version, calls], [5, { decided: 1, evolved: 3 }]);
    await store.execute("account-1", deposit(1), rules);
    same(calls, { decided: 2, evolved: 4 });
    same((await store.load("account-1", rules)).state, { owner: "Ada", cents: 1 });
    same(calls.evolved, 4, "the state is in memory");
  },

  async "after a truncation, the next command decides on the true state"(sillok) {
    const { store, account: rules, calls } = await opened(sillok, 100);
    await store.truncate("account-1", { before: 3 });
    const { version } = await store.execute("account-1", withdraw(100), rules);
    same([version, calls], [3, { decided: 1, evolved: 1 }]);
    // Events that the state lacks are forgotten.
    await store.append("account-1", [deposited(5), deposited(6)]);
    await store.truncate("account-1", { before: 6 });
    const error = await rejection(store.execute("account-1", withdraw(1), rules));
    same((error as { code?: unknown }).code, "state_unavailable");
    same([calls.decided, (await store.verify("account-1")).version], [1, 5]);
  },

  async "a deleted stream has no state, and takes no commands"(sillok) {
    const { store, account: rules } = await opened(sillok, 100);
    await store.delete("account-1");
    for (const refused of [
      store.execute("account-1", deposit(1), rules),
      store.load("account-1", rules),
      store.load("account-1", rules, { version: 1 }),
    ]) {
      same(((await rejection(refused)) as { code?: unknown }).code, "stream_deleted");
    }
  },

  async "a given expected version is tried once, before the decision"(sillok) {
    const { store, account: rules, calls } = await opened(sillok, 100);
    for (const [expectedVersion, actual] of [
      [1, 2],
      ["no-stream", 2],
      [7, 2],
    ] as const) {
      const options = { expectedVersion, attempts: 5 };
      const error = await rejection(store.execute("account-1", deposit(1), rules, options));
      same(sillok.isWrongExpectedVersion(error) && [error.expected, error.actual], [
        expectedVersion === "no-stream" ? "no-stream" : expectedVersion,
        actual,
      ]);
    }
    same(calls, { decided: 0, evolved: 0 });
    for (const expectedVersion of [2, "stream-exists", "any"] as const) {
      await store.execute("account-1", deposit(1), rules, { expectedVersion });
    }
    same(calls, { decided: 3, evolved: 3 });
  },

  async "of two that create, one wins"(sillok) {
    const { account: rules } = account(sillok);
    const store = new sillok.EventStore();
    const options = { expectedVersion: "no-stream" } as const;
    const both = await Promise.allSettled(
      ["Ada", "Bob"].map((owner) => store.execute("account-1", open(owner), rules, options)),
    );
    const [won, lost] = both.toSorted((a, b) => a.status.localeCompare(b.status));
    same([won?.status, lost?.status], ["fulfilled", "rejected"]);
    const { reason } = lost as PromiseRejectedResult;
    same([reason.code, reason.actual, await length(store)], ["wrong_expected_version", 1, 1]);
  },

  async "200 commands at once lose nothing"(sillok) {
    const { store, account: rules, calls } = await opened(sillok, 100);
    const outcomes = await Promise.all(
      count(1, 200).map(() => store.attempt("account-1", withdraw(1), rules)),
    );
    same(outcomes.filter(({ accepted }) => accepted).length, 100);
    same(await store.load("account-1", rules), {
      state: { owner: "Ada", cents: 0 },
      version: 102,
    });
    same(calls, { decided: 200, evolved: 100 });
  },

  async "a repeat under its id has the first outcome, also after the state has changed"(sillok) {
    const { store, account: rules, calls } = await opened(sillok, 100);
    const commands = {
      accepted: withdraw(100),
      rejected: withdraw(500),
      nothing: open("Ada"),
    };
    const send = async (commandId: keyof typeof commands) =>
      store.attempt("account-1", commands[commandId], rules, { commandId });
    const names = Object.keys(commands) as (keyof typeof commands)[];
    const first = [await send("accepted"), await send("rejected"), await send("nothing")];
    same(
      first.map((outcome) => outcome.accepted && outcome.events.length),
      [1, false, 0],
    );
    const repeated = async (about: string) => {
      for (const [place, name] of names.entries()) {
        same(await send(name), { ...first[place], replayed: true }, `${name} ${about}`);
      }
    };
    const decided = calls.decided;
    await repeated("at once");
    // Now the first would be rejected, the second accepted, and the third rejected.
    await store.append("account-1", [
      { type: "Opened", data: { owner: "Bob" } },
      deposited(600),
      { type: "Withdrawn", data: { cents: 599 } },
      deposited(599),
    ]);
    await repeated("after the state has changed");
    same([calls.decided, await length(store)], [decided, 7]);
    for (const other of [deposit(1), withdraw(99), add(1)]) {
      const reused = store.attempt("account-1", other as never, rules, { commandId: "accepted" });
      same(((await rejection(reused)) as { code?: unknown }).code, "idempotency_key_reused");
    }
    const options = { commandId: "accepted", expectedVersion: 7 } as const;
    same((await store.execute("account-1", withdraw(100), rules, options)).replayed, true);
  },

  async "a repeat after its events were forgotten has the versions and no events"(sillok) {
    const { store, account: rules } = await opened(sillok, 100);
    const options = { commandId: "id" };
    const first = await store.execute("account-1", withdraw(100), rules, options);
    await store.execute("account-1", deposit(1), rules);
    await store.truncate("account-1", { before: 4 });
    const again = await store.execute("account-1", withdraw(100), rules, options);
    same(again, { ...first, events: [], replayed: true });
  },

  async "an outcome is remembered as long as the aggregate says"(sillok) {
    const store = new sillok.EventStore();
    const options = { commandId: "id" };
    for (const [stream, rememberOutcomes, isReplayed] of [
      ["list-1", 1, false],
      ["list-2", 3_600_000, true],
    ] as const) {
      const rules = list(sillok, { rememberOutcomes });
      await store.execute(stream, add(1), rules, options);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const again = await store.execute(stream, add(1), rules, options);
      same(again.replayed, isReplayed);
    }
  },

  async "where nothing happens, nothing is written"(sillok) {
    const { store, account: rules } = await opened(sillok, 100);
    const verified = await store.verify("account-1");
    const following = store.subscribe("account-1", { after: 2 });
    const next = following.next();
    const { events, time, ...result } = await store.execute("account-1", open("Ada"), rules);
    same(result, { stream: "account-1", firstVersion: 3, version: 2, replayed: false });
    same([events, Number.isNaN(Date.parse(time))], [[], false]);
    same(await store.verify("account-1"), verified);
    await store.execute("account-1", deposit(1), rules);
    same((await next).value?.version, 3);
    await following.return();
    const none = await store.execute("list-1", add(1), list(sillok, { decide: () => [] }));
    same([none.firstVersion, none.version, (await all(store.streams())).length], [1, 0, 1]);
  },

  async "prepare looks up, and the id is compared by the command as it was given"(sillok) {
    let rate = 0;
    const seen: unknown[] = [];
    const prepare = async (command: { data: number }, context: object) => {
      seen.push(context);
      rate += 1;
      await store.append("rates", { type: "Asked" });
      return { ...command, data: command.data * rate };
    };
    const store = new sillok.EventStore();
    const rules = list(sillok, { prepare });
    const options = { commandId: "id" };
    const first = await store.execute("list-1", add(10), rules, options);
    const again = await store.execute("list-1", add(10), rules, options);
    same([first.events[0]?.data, again.events[0]?.data, again.replayed], [10, 10, true]);
    same(seen[0], { stream: "list-1", commandId: "id" });
    same((await store.execute("list-1", add(10), rules)).events[0]?.data, 30);
    const boom = new Error("boom");
    const failing = list(sillok, { prepare: () => Promise.reject(boom) });
    const error = await rejection(store.execute("list-1", add(1), failing));
    same((error as { code?: unknown }).code, "decider_failed");
    same((error as Error).cause === boom, true);
    const lossy = list(sillok, {
      prepare: (command: object) => ({ ...command, data: { at: NaN } }),
    });
    const wrong = (await rejection(store.execute("list-1", add(1), lossy))) as { field?: unknown };
    same([wrong.field, (await store.load("list-1", rules)).version], ["data.at", 2]);
  },
};
