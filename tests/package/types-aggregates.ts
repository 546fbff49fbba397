// The types of aggregates and of their tests; a part of types.test.ts.

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
export const AGGREGATES = `
import {
  aggregate, EventStore, isCommandRejected, projection, reactor, reject, type Aggregate, type AggregateStore, type AnyConsumer,
  type CommandContext, type CommandOf,
  type Decision, type EventOf, type Rejection, type RejectionOf, type StandardSchema, type StateOf,
} from "sillok";
import { type Further, given, type History, laws } from "sillok/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

declare function schema<Input, Output = Input>(): StandardSchema<Input, Output>;
const cents = schema<{ cents: number }>();
const named = schema<{ name?: string }, { name: string }>();
const maps = {
  events: {
    Opened: schema<{ owner: string }>(),
    Withdrawn: { schema: cents, upcasts: [(v1: { amount: number }) => ({ cents: v1.amount * 100 })] },
    Closed: schema<null>(),
  },
  commands: { Open: named, Withdraw: cents, Close: schema<null>() },
  initialState: () => ({ owner: null as string | null, cents: 0 }),
};

const account = aggregate("account", {
  events: maps.events,
  commands: maps.commands,
  initialState: () => ({ owner: null as string | null, cents: 0 }),
  evolve: {
    Opened: (state, { owner }) => ({ ...state, owner }),
    Withdrawn(state, data) {
      is<Equal<typeof state, { owner: string | null; cents: number }>>();
      is<Equal<typeof data, { cents: number }>>();
      return { ...state, cents: state.cents - data.cents };
    },
    Closed: (state) => state,
  },
  decide: {
    Open: (data) => {
      is<Equal<typeof data, { name: string }>>();
      return { type: "Opened", data: { owner: data.name } };
    },
    Withdraw({ cents }, state, context) {
      is<Equal<typeof context, CommandContext>>();
      if (state.owner === null) return reject("not_open");
      if (cents > state.cents) return reject("insufficient_funds", { missing: cents - state.cents });
      return [{ type: "Withdrawn", data: { cents }, metadata: { by: "me" }, id: "1" }];
    },
    Close: () => ({ type: "Closed" }),
  },
  prepare: async (command, { stream }) => (command.type === "Open" ? { ...command, data: { name: stream } } : command),
  snapshotEvery: { bytes: 5000 },
  unknownEvents: "skip",
  rememberOutcomes: "forever",
  appends: "open",
});

is<Equal<StateOf<typeof account>, { owner: string | null; cents: number }>>();
is<Equal<EventOf<typeof account>["type"], "Opened" | "Withdrawn" | "Closed">>();
is<Equal<Extract<EventOf<typeof account>, { type: "Opened" }>["data"], { owner: string }>>();
is<Equal<CommandOf<typeof account>["type"], "Open" | "Withdraw" | "Close">>();
is<Equal<Extract<CommandOf<typeof account>, { type: "Open" }>["data"], { name?: string }>>();
is<Equal<RejectionOf<typeof account>["code"], "not_open" | "insufficient_funds">>();
is<Equal<Extract<RejectionOf<typeof account>, { code: "insufficient_funds" }>["data"], { missing: number }>>();
const any: Aggregate = account;
// @ts-expect-error an aggregate is not altered
account.stateVersion = 5;
// @ts-expect-error there is no such command
export const unknown: CommandOf<typeof account> = { type: "Burn", data: { cents: 5 } };
// @ts-expect-error cents is a number
export const wrong: CommandOf<typeof account> = { type: "Withdraw", data: { cents: "5" } };
export const closing: CommandOf<typeof account>[] = [{ type: "Close" }, { type: "Close", data: null }];

const evolve = { Opened: (state: StateOf<typeof account>) => state, Withdrawn: (state: StateOf<typeof account>) => state };
const all = { ...evolve, Closed: (state: StateOf<typeof account>) => state };
const decide = { Open: () => [], Withdraw: () => [], Close: () => [] };

export function refused(): void {
  aggregate("account", { ...maps, evolve: all, decide });
  // @ts-expect-error one event is not evolved
  aggregate("account", { ...maps, evolve, decide });
  // @ts-expect-error one command is not decided
  aggregate("account", { ...maps, evolve: all, decide: { Open: () => [], Close: () => [] } });
  // @ts-expect-error there is no such command to decide
  aggregate("account", { ...maps, evolve: all, decide: { ...decide, Burn: () => [] } });
  // @ts-expect-error there is no such event
  aggregate("account", { ...maps, evolve: all, decide: { ...decide, Open: () => ({ type: "Closing" }) } });
  // @ts-expect-error the event has no owner
  aggregate("account", { ...maps, evolve: all, decide: { ...decide, Open: () => ({ type: "Opened", data: {} }) } });
  // @ts-expect-error the event has no data
  aggregate("account", { ...maps, evolve: all, decide: { ...decide, Open: () => [{ type: "Opened" }] } });
  // @ts-expect-error decide is synchronous
  aggregate("account", { ...maps, evolve: all, decide: { ...decide, Open: async () => [] } });
  // @ts-expect-error the state has cents
  aggregate("account", { ...maps, evolve: { ...all, Closed: () => ({ owner: null }) }, decide });
  // @ts-expect-error evolve is synchronous
  aggregate("account", { ...maps, evolve: { ...all, Closed: async () => ({ owner: null, cents: 0 }) }, decide });
  // @ts-expect-error there is no such option
  aggregate("account", { ...maps, evolve: all, decide, timers: [] });
  // @ts-expect-error an event has a schema
  aggregate("account", { ...maps, events: { ...maps.events, Closed: {} }, evolve: all, decide });
}

type Deposited = { type: "Deposited"; data: { cents: number; at: Date } };
type Frozen = { type: "Frozen" };
type Deposit = { type: "Deposit"; data: { cents: number } };
interface Balance { readonly cents: number; readonly at: string | null }

const plain = aggregate<Deposited | Frozen, Deposit, Balance, Rejection & { code: "frozen" }>("balance", {
  initialState: () => ({ cents: 0, at: null }),
  decide({ data }, { cents }, { now }) {
    is<Equal<typeof data, { cents: number }>>();
    if (cents > 100) return reject("frozen");
    return [{ type: "Deposited", data: { cents: data.cents, at: new Date(now) } }, { type: "Frozen" }];
  },
  evolve(state, event) {
    switch (event.type) {
      case "Deposited":
        is<Equal<typeof event.data.at, string>>();
        return { cents: state.cents + event.data.cents, at: event.data.at };
      case "Frozen":
        is<Equal<typeof event.data, null>>();
        return state;
    }
  },
});
is<Equal<StateOf<typeof plain>, Balance>>();
is<Equal<EventOf<typeof plain>, Deposited | Frozen>>();
is<Equal<CommandOf<typeof plain>, Deposit>>();
is<Equal<RejectionOf<typeof plain>["code"], "frozen">>();

const rules = {
  initialState: (): Balance => ({ cents: 0, at: null }),
  decide: (): Decision<Deposited | Frozen> => ({ type: "Frozen" }),
  evolve: (state: Balance): Balance => state,
};
export function functions(): void {
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", rules);
  const upcasts = [(data: { amount: number }) => ({ cents: data.amount })];
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", { ...rules, events: { Deposited: { upcasts }, Frozen: {} } });
  // @ts-expect-error one event is not declared
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", { ...rules, events: { Deposited: { upcasts } } });
  // @ts-expect-error evolve is missing
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", { initialState: rules.initialState, decide: rules.decide });
  // @ts-expect-error decide is synchronous
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", { ...rules, decide: async () => [] });
  // @ts-expect-error there is no such event
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", { ...rules, decide: () => ({ type: "Closed" }) });
  // @ts-expect-error the state has cents
  aggregate<Deposited | Frozen, Deposit, Balance>("balance", { ...rules, evolve: () => ({ at: null }) });
}

export function tests(): void {
  given(account, [{ type: "Opened", data: { owner: "Ada" } }, { type: "Withdrawn", schemaVersion: 1, data: { amount: 1 } }])
    .when({ type: "Withdraw", data: { cents: 5 } }, { now: 5, metadata: {}, commandId: "c" })
    .thenRejected("insufficient_funds", { missing: 5 });
  const decided = given(account).when({ type: "Open", data: {} });
  is<Equal<ReturnType<typeof decided.then>, Further<typeof account>>>();
  decided.then({ type: "Opened", data: { owner: "Ada" } });
  decided.then([{ type: "Closed" }, { type: "Closed", data: null }]);
  decided.thenState({ owner: null, cents: 0 });
  decided.thenNothing();
  decided.thenFails("invalid_command");
  // @ts-expect-error there is no such code
  decided.thenFails("no_such_code");
  // @ts-expect-error there is no such rejection
  decided.thenRejected("frozen");
  // @ts-expect-error missing is a number
  decided.thenRejected("insufficient_funds", { missing: "5" });
  // @ts-expect-error there is no such event
  decided.then({ type: "Deposited", data: { cents: 5 } });
  // @ts-expect-error the state has cents
  decided.thenState({ owner: null });
  // @ts-expect-error there is no such command
  given(account).when({ type: "Burn", data: {} });
  // @ts-expect-error owner is a string
  given(account, [{ type: "Opened", data: { owner: 5 } }]);
  const histories: History<typeof account>[] = [[{ type: "Closed" }], []];
  laws(account, histories);
  laws(account, [], [{ type: "Close" }]);
  // @ts-expect-error there is no such command
  laws(account, [], [{ type: "Burn" }]);
  given(plain, [{ type: "Frozen" }]).when({ type: "Deposit", data: { cents: 5 } }).thenRejected("frozen");
  laws(any, []);
}

export function consumers(error: unknown): AnyConsumer[] {
  const owners = projection("owners", {
    events: account.events,
    on: {
      Opened(event, documents) {
        is<Equal<typeof event.data, { owner: string }>>();
        documents.put(event.stream, event.data.owner);
      },
      Closed: (event, documents) => documents.delete(event.stream),
    },
  });
  const notes = reactor("notes", {
    events: account.events,
    on: (event) => {
      is<Equal<typeof event.type, "Opened" | "Withdrawn" | "Closed">>();
      if (event.type === "Withdrawn") is<Equal<typeof event.data, { cents: number }>>();
    },
  });
  projection<EventOf<typeof account>, number>("sums", {
    events: account.events,
    on: { Withdrawn: (event, documents) => documents.put("all", (documents.get("all") ?? 0) + event.data.cents) },
  });
  // @ts-expect-error there is no such event
  projection("owners", { events: account.events, on: { Deposited() {} } });
  // @ts-expect-error an aggregate is not its events
  projection("owners", { events: account, on() {} });
  if (isCommandRejected<RejectionOf<typeof account>>(error) && error.rejection.code === "insufficient_funds") {
    is<Equal<typeof error.rejection.data.missing, number>>();
  }
  return [owners, notes];
}

export async function executed(store: AggregateStore): Promise<void> {
  const open = { type: "Open", data: {} } as const;
  const { version, events } = await store.execute("account-1", open, account, { commandId: "1", expectedVersion: 0 });
  is<Equal<typeof version, number>>();
  for (const event of events) if (event.type === "Withdrawn") is<Equal<typeof event.data, { cents: number }>>();
  const outcome = await store.attempt("account-1", { type: "Withdraw", data: { cents: 5 } }, account);
  if (!outcome.accepted && outcome.rejection.code === "insufficient_funds") {
    is<Equal<typeof outcome.rejection.data.missing, number>>();
  }
  const { state } = await store.load("account-1", account, { time: new Date() });
  is<Equal<typeof state, { owner: string | null; cents: number }>>();
  for (const other of [new EventStore(), EventStore.connect("https://sillok.example")]) await executed(other);
  // @ts-expect-error there is no such command
  await store.execute("account-1", { type: "Deposit", data: { cents: 5 } }, account);
  // @ts-expect-error the data lacks a field
  await store.execute("account-1", { type: "Withdraw", data: {} }, account);
  // @ts-expect-error there is no such event
  events[0]?.type === "Deposited";
  // @ts-expect-error there is no such rejection
  if (!outcome.accepted) outcome.rejection.code === "too_late";
  // @ts-expect-error there is no such option
  await store.load("account-1", account, { at: 5 });
}
`;

/** The same with the schemas of zod, valibot and arktype. */
export const SCHEMAS = `
import { type } from "arktype";
import { aggregate, reject, type CommandOf, type EventOf, type StateOf } from "sillok";
import * as v from "valibot";
import { z } from "zod";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

const account = aggregate("account", {
  events: { Opened: z.object({ owner: z.string() }), Deposited: v.object({ cents: v.number() }), Closed: type({ by: "string" }) },
  commands: { Open: z.object({ owner: z.string().default("me") }), Deposit: v.object({ cents: v.number() }), Close: type({ by: "string" }) },
  initialState: () => ({ owner: null as string | null, cents: 0 }),
  evolve: {
    Opened: (state, { owner }) => ({ ...state, owner }),
    Deposited: (state, { cents }) => ({ ...state, cents: state.cents + cents }),
    Closed: (state) => state,
  },
  decide: {
    Open: ({ owner }) => ({ type: "Opened", data: { owner } }),
    Deposit: ({ cents }) => [{ type: "Deposited", data: { cents } }],
    Close: ({ by }, state) => (state.cents > 0 ? reject("not_empty", { by }) : { type: "Closed", data: { by } }),
  },
});
is<Equal<StateOf<typeof account>, { owner: string | null; cents: number }>>();
is<Equal<Extract<EventOf<typeof account>, { type: "Closed" }>["data"], { by: string }>>();
is<Equal<Extract<EventOf<typeof account>, { type: "Deposited" }>["data"], { cents: number }>>();
is<Equal<Extract<CommandOf<typeof account>, { type: "Open" }>["data"], { owner?: string | undefined }>>();
`;
