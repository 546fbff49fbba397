// The types of timers and processes, and of their tests; a part of types.test.ts.

/** The schemas of a program, and the aggregates whose events a process follows. */
const PARTS = `
declare function schema<Input, Output = Input>(): StandardSchema<Input, Output>;
const cents = schema<{ cents: number }>();
const account = aggregate("account", {
  events: { Deposited: cents, Withdrawn: cents },
  commands: { Deposit: cents, Withdraw: cents, Review: schema<{ reason: "late" | "large" }>(), Close: schema<null>() },
  initialState: () => ({ cents: 0 }),
  evolve: { Deposited: (state) => state, Withdrawn: (state) => state },
  decide: {
    Deposit: (data, _, { now }) => [
      { type: "Deposited", data },
      schedule("review", now + 5, { type: "Review", data: { reason: "late" } }),
      schedule("close", new Date(now), { type: "Close" }),
      cancel("other"),
    ],
    Withdraw: () => schedule("close", 5, { type: "Close", metadata: { by: "me" } }),
    Review: () => cancel("review"),
    Close: () => reject("open"),
  },
});
type Placed = { type: "Placed"; data: { id: string; at: Date } };
type Paid = { type: "Paid" };
const order = aggregate<Placed | Paid, { type: "Place" }, null>("order", {
  initialState: () => null,
  decide: () => [],
  evolve: () => null,
});
const base = {
  events: { Requested: schema<{ from: string; cents: number }>(), Done: schema<null>() },
  commands: { Request: schema<{ from: string; cents: number }>(), Lapse: schema<null>() },
  initialState: () => ({ status: "new" as "new" | "open" | "done", from: "" }),
};
`;

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
export const PROCESSES = `
import {
  aggregate, cancel, connect, EventGateway, EventStore, process, reactor, reject, schedule, send,
  type AggregateStore, type AnyProcess, type Answer, type CommandContext, type CommandOf, type ConsumedEvent, type EventOf,
  type Process, type Reaction, type Rejection, type RejectionOf, type StandardSchema, type StateOf,
} from "sillok";
import { answer, event, given, laws } from "sillok/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}
${PARTS}
is<Equal<RejectionOf<typeof account>["code"], "open">>();

type Transfer = { status: "new" | "open" | "done"; from: string };
const transfer = process("transfer", {
  ...base,
  sources: [account, order],
  evolve: {
    Requested: (state, { from }) => ({ ...state, status: "open", from }),
    Done: (state) => ({ ...state, status: "done" }),
  },
  decide: {
    Request(data, state, { now }) {
      is<Equal<typeof state, Transfer>>();
      if (state.status !== "new") return reject("known", { from: state.from });
      return [
        { type: "Requested", data },
        schedule("lapse", now + 1000, { type: "Lapse" }),
        send("debit", account, data.from, { type: "Withdraw", data: { cents: data.cents } }),
      ];
    },
    Lapse: () => ({ type: "Done" }),
  },
  starts: {
    Placed(event) {
      is<Equal<typeof event, ConsumedEvent<Placed>>>();
      return event.data.at === "" ? undefined : event.data.id;
    },
  },
  on: {
    Placed(event, state, context) {
      is<Equal<typeof event.data, { id: string; at: string }>>();
      is<Equal<typeof state, Transfer>>();
      is<Equal<typeof context, CommandContext>>();
      return [{ type: "Requested", data: { from: event.data.id, cents: 5 } }, cancel("lapse")];
    },
    Deposited: {
      instance: (event) => String(event.data.cents),
      decide: ({ data }, state) => (data.cents > 5 && state.status === "open" ? { type: "Done" } : []),
    },
  },
  answered: {
    debit(answer, state) {
      is<Equal<typeof answer, Answer>>();
      is<Equal<typeof state, Transfer>>();
      if (answer.accepted) return send("credit", account, "2", { type: "Deposit", data: { cents: answer.version } });
      return answer.rejection.code === "x" ? schedule("lapse", 5, { type: "Lapse" }) : { type: "Done" };
    },
    credit: () => [],
  },
  ended: (state) => {
    is<Equal<typeof state, Transfer>>();
    return state.status === "done";
  },
  category: undefined,
  onFailure: "hold-stream",
  stateVersion: 2,
});
is<Equal<StateOf<typeof transfer>, Transfer>>();
is<Equal<EventOf<typeof transfer>["type"], "Requested" | "Done">>();
is<Equal<CommandOf<typeof transfer>["type"], "Request" | "Lapse">>();
is<Equal<RejectionOf<typeof transfer>["code"], "known" | "process_ended">>();
is<Equal<typeof transfer.kind, "process">>();
const any: AnyProcess = transfer;
const named: Process = transfer;

// Without sources, the events have any data, or the type of an annotation.
export const loose = process("loose", {
  ...base,
  commands: {},
  evolve: { Requested: (state) => state, Done: (state) => state },
  decide: {},
  on: {
    Placed: (event) => [{ type: "Requested", data: { from: event.data.id, cents: 5 } }],
    Paid: { instance: ({ stream }) => stream, decide: () => ({ type: "Done" }) },
  },
  starts: { Placed: (event: ConsumedEvent<Placed>) => event.data.id },
  category: "order",
});
is<Equal<CommandOf<typeof loose>, never>>();

type Counted = { type: "Counted"; data: { by: number } };
type Count = { type: "Count"; data: { by: number } };
const counter = process<Counted, Count, number, Rejection & { code: "many" }, Placed | Paid>("counter", {
  initialState: () => 0,
  evolve: (sum, { data }) => sum + data.by,
  decide({ data }, sum) {
    if (sum > 5) return reject("many");
    return [{ type: "Counted", data }, schedule("more", 5, { type: "Count", data: { by: 1 } }), send("go", transfer, "1", { type: "Lapse" })];
  },
  starts: { Placed: (event) => event.data.id },
  on: { Placed: (event) => ({ type: "Counted", data: { by: event.data.id.length } }), Paid: { instance: () => "1", decide: () => [] } },
  answered: { go: ({ accepted }, sum) => (accepted && sum > 1 ? { type: "Counted", data: { by: 1 } } : []) },
  ended: (sum) => sum > 10,
});
is<Equal<RejectionOf<typeof counter>["code"], "many" | "process_ended">>();
// A function outside of a definition.
const lapse = (now: number) => schedule("lapse", now, { type: "Lapse" });
export const done = (): Reaction<EventOf<typeof transfer>, CommandOf<typeof transfer>> => [{ type: "Done" }, lapse(5)];

const rest = {
  ...base,
  evolve: { Requested: (state: Transfer) => state, Done: (state: Transfer) => state },
  decide: { Request: () => [], Lapse: () => [] },
};
export function refused(): void {
  process("transfer", rest);
  // @ts-expect-error there is no such command
  send("debit", account, "1", { type: "Burn", data: { cents: 5 } });
  // @ts-expect-error the command has cents
  send("debit", account, "1", { type: "Withdraw", data: {} });
  // @ts-expect-error an id is a string
  send("debit", account, 1, { type: "Withdraw", data: { cents: 5 } });
  // @ts-expect-error on has a function for a type in starts
  process("transfer", { ...rest, sources: [order], starts: { Placed: (event) => event.data.id } , on: {} });
  // @ts-expect-error no source has this event
  process("transfer", { ...rest, sources: [order], on: { Sent: { instance: () => "1", decide: () => [] } } });
  // @ts-expect-error ended returns true or false
  process("transfer", { ...rest, ended: () => "yes" });
  // @ts-expect-error there is no such option
  process("transfer", { ...rest, timers: [] });
  // @ts-expect-error an aggregate does not end
  aggregate("account", { ...rest, ended: () => true });
  const withdraw = { type: "Withdraw", data: { cents: 5 } } as const;
  // @ts-expect-error answered has no function for the name
  process("transfer", { ...rest, decide: { Request: () => send("debit", account, "1", withdraw), Lapse: () => [] } });
  process("transfer", {
    ...rest,
    // @ts-expect-error answered has no function for the name
    decide: { Request: () => send("credit", account, "1", withdraw), Lapse: () => [] },
    answered: { debit: () => [] },
  });
  // @ts-expect-error answered has no function for the name
  process("transfer", { ...rest, answered: { debit: () => send("credit", account, "1", withdraw) } });
  const paid = { instance: () => "1", decide: () => send("credit", account, "1", withdraw) };
  process("transfer", { ...rest, sources: [order], on: { Paid: paid }, answered: { credit: () => [] } });
  // @ts-expect-error answered has no function for the name
  process("transfer", { ...rest, sources: [order], on: { Paid: paid }, answered: { debit: () => [] } });
  // @ts-expect-error a process has no end in its list of sources
  process("transfer", { ...rest, sources: [account.events] });
}

export async function used(store: AggregateStore): Promise<void> {
  const request = { type: "Request", data: { from: "1", cents: 5 } } as const;
  const { events } = await store.execute("transfer-1", request, transfer);
  for (const event of events) is<Equal<typeof event.type, "Requested" | "Done">>();
  const { state } = await store.load("transfer-1", transfer);
  is<Equal<typeof state, Transfer>>();
  const outcome = await store.attempt("transfer-1", request, transfer);
  if (!outcome.accepted) is<Equal<typeof outcome.rejection.code, "known" | "process_ended">>();
  new EventGateway(new EventStore()).register(transfer, account, any);
  reactor("notes", { on: (_, { execute }) => execute("transfer-1", request, transfer) });
  // @ts-expect-error there is no such command
  await store.execute("transfer-1", { type: "Withdraw", data: { cents: 5 } }, transfer);
  // @ts-expect-error a Worker is connected by its type
  connect<typeof transfer>("https://example.com").aggregate("transfer", "1").execute({ type: "Burn" });
}

export function tests(): void {
  given(account).when({ type: "Deposit", data: { cents: 5 } }).then([])
    .thenScheduled("close", 5, { type: "Close" })
    .thenScheduled([{ key: "close", at: new Date(5), command: { type: "Close" } }])
    .thenCancelled("x")
    .thenCancelled(["x", "y"]);
  const placed = event("order-1", { type: "Placed", data: { id: "1" } });
  given(transfer, [{ type: "Done" }]).when(placed).then({ type: "Done" }).thenSent("debit", "account-1", { type: "Lapse" }).thenEnded();
  given(transfer).when(answer("debit", { accepted: true, version: 5 })).thenNothing();
  given(transfer).when(answer("debit", { accepted: false, rejection: { code: "x" } })).thenState({ status: "new", from: "" });
  given(transfer).when({ type: "Lapse" }, { now: 5 }).thenRejected("process_ended");
  laws(transfer, [[]], [placed, answer("debit", { accepted: true }), { type: "Lapse" }]);
  given(transfer).when({ type: "Lapse" }).thenSent([{ name: "debit", stream: "account-1", command: { type: "Lapse" } }]);
  given(named).when(placed);
  given(named).when(answer("other", { accepted: true }));
  given(counter).when(answer("other", { accepted: true }));
  // @ts-expect-error answered has no function for the name
  given(transfer).when(answer("other", { accepted: true }));
  // @ts-expect-error there is no such command
  given(account).when({ type: "Close" }).thenScheduled([{ key: "close", at: 5, command: { type: "Burn" } }]);
  // @ts-expect-error an aggregate takes no events of other streams
  given(account).when(placed);
  // @ts-expect-error an aggregate takes no answers
  given(account).when(answer("debit", { accepted: true }));
  // @ts-expect-error an answer of a refused command has a rejection
  answer("debit", { accepted: false });
  // @ts-expect-error there is no such command
  given(account).when({ type: "Close" }).thenScheduled("close", 5, { type: "Burn" });
  // @ts-expect-error there is no such rejection
  given(transfer).when({ type: "Lapse" }).thenRejected("open");
}
`;
