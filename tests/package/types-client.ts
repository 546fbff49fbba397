// The types of a client of a composed Worker; a part of types.test.ts.

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
export const CLIENT = `
import { aggregate, type AggregateName, type Client, connect, type DocumentChange, type DocumentsClient, process, projection, reject, send, type StandardSchema } from "sillok";
import { sillok } from "sillok/worker";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

declare function schema<Input, Output = Input>(): StandardSchema<Input, Output>;
const cents = schema<{ cents: number }>();
export const account = aggregate("account", {
  events: { Deposited: cents, Withdrawn: cents },
  commands: { Deposit: cents, Withdraw: cents },
  initialState: () => ({ cents: 0 }),
  evolve: {
    Deposited: (state, data) => ({ cents: state.cents + data.cents }),
    Withdrawn: (state, data) => ({ cents: state.cents - data.cents }),
  },
  decide: {
    Deposit: (data) => ({ type: "Deposited", data }),
    Withdraw: (data, state) =>
      data.cents > state.cents ? reject("insufficient_funds", { missing: 1 }) : { type: "Withdrawn", data },
  },
});
const order = aggregate("order", {
  events: { Placed: schema<null>() },
  commands: { Place: schema<null>() },
  initialState: () => "none" as string,
  evolve: { Placed: () => "placed" },
  decide: { Place: () => ({ type: "Placed" }) },
});
type Counted = { type: "Counted"; data: number };
type Count = { type: "Count"; data: number };
const counter = aggregate<Counted, Count, number>("counter", {
  initialState: () => 0,
  evolve: (sum, { data }) => sum + data,
  decide: ({ data }) => ({ type: "Counted", data }),
});

const transfer = process("transfer", {
  events: { Requested: cents },
  commands: { Request: cents },
  initialState: () => ({ cents: 0 }),
  evolve: { Requested: (_, data) => data },
  decide: { Request: (data) => [{ type: "Requested", data }, send("debit", account, "1", { type: "Withdraw", data })] },
  answered: { debit: () => [] },
});

export const balances = projection<{ type: "Deposited"; data: { cents: number } }, { cents: number }>("balances", {
  on: { Deposited: ({ stream, data }, documents) => documents.put(stream, data) },
});
const app = sillok({ aggregates: [account, order], processes: [transfer], projections: [balances] });
export type App = typeof app;
is<Equal<AggregateName<App>, "account" | "order" | "transfer">>();

export async function client(): Promise<void> {
  const bank = connect<App>("https://example.com", { token: "t" });
  is<Equal<typeof bank, Client<App>>>();
  const own = app.connect({}, { tenant: "acme" });
  for (const mine of [bank.aggregate("account", "42"), own.aggregate("account", "42")]) {
    const { events, version } = await mine.execute({ type: "Withdraw", data: { cents: 30 } }, { commandId: "a" });
    is<Equal<typeof version, number>>();
    for (const event of events) {
      is<Equal<typeof event.type, "Deposited" | "Withdrawn">>();
      is<Equal<typeof event.data, { cents: number }>>();
    }
    const outcome = await mine.attempt({ type: "Deposit", data: { cents: 1 } }, { dryRun: true, expectedVersion: 3 });
    if (!outcome.accepted) {
      is<Equal<typeof outcome.rejection.code, "insufficient_funds">>();
      is<Equal<typeof outcome.rejection.data, { missing: number }>>();
    }
    const { state } = await mine.state({ time: new Date() });
    is<Equal<typeof state, { cents: number }>>();
    // @ts-expect-error there is no such command
    await mine.execute({ type: "Close", data: { cents: 1 } });
    // @ts-expect-error the data is wrong
    await mine.execute({ type: "Withdraw", data: { cents: "1" } });
    // @ts-expect-error there is no such option: the server decides in one attempt
    await mine.execute({ type: "Withdraw", data: { cents: 1 } }, { attempts: 3 });
  }
  const ordered = await bank.aggregate("order", "7").state();
  is<Equal<typeof ordered.state, string>>();
  const placed = await bank.aggregate("order", "7").execute({ type: "Place" });
  // @ts-expect-error it is a command of another aggregate
  await bank.aggregate("order", "7").execute({ type: "Withdraw", data: { cents: 1 } });
  const asked = await bank.aggregate("transfer", "1").attempt({ type: "Request", data: { cents: 1 } });
  if (!asked.accepted) is<Equal<typeof asked.rejection.code, "process_ended">>();
  // @ts-expect-error it is a command of another aggregate
  await bank.aggregate("transfer", "1").execute({ type: "Withdraw", data: { cents: 1 } });
  // @ts-expect-error there is no such aggregate
  bank.aggregate("counter", "7");
  const inferred = bank.documents(balances);
  is<Equal<typeof inferred, DocumentsClient<{ cents: number }>>>();
  is<Equal<typeof inferred, ReturnType<typeof bank.documents<typeof balances>>>>();
  const document = await bank.documents<{ cents: number }>("balances").get("account-42");
  is<Equal<typeof document, { cents: number } | undefined>>();
  for await (const { key, document } of inferred.list({ prefix: "account-", min: placed })) {
    is<Equal<typeof key, string>>();
    is<Equal<typeof document, { cents: number }>>();
  }
  for await (const change of inferred.subscribe({ prefix: "account-", after: "1-1-1" })) {
    is<Equal<typeof change, DocumentChange<{ cents: number }>>>();
    if (change.kind === "put") is<Equal<typeof change.document, { cents: number }>>();
    if (change.kind === "delete") is<Equal<typeof change.key, string>>();
    // @ts-expect-error not every message has a document
    change.document;
  }
  // @ts-expect-error a subscription has no limit
  inferred.subscribe({ limit: 1 });
  const unknown = await bank.documents("balances").get("account-42");
  is<Equal<typeof unknown, unknown>>();
  // @ts-expect-error an aggregate has no documents
  bank.documents(account);
  const { kind } = await bank.consumer(balances).status();
  is<Equal<typeof kind, "projection" | "reactor" | "process" | "webhook" | "queue">>();
  for await (const { event } of bank.consumer("balances").deadLetters({ limit: 1 })) is<Equal<typeof event.type, string>>();
  // @ts-expect-error the client decides no commands: its aggregates do
  await bank.store.execute("account-42", { type: "Deposit", data: { cents: 1 } }, account);
  for await (const event of bank.store.read("account-42")) is<Equal<typeof event.type, string>>();
}

// An aggregate with given type parameters has every name.
const counting = sillok({ aggregates: [counter] });
export async function count(binding: { fetch(url: string, request: object): Promise<unknown> }): Promise<void> {
  const { state } = await connect<typeof counting>(binding).aggregate("counter", "1").state();
  is<Equal<typeof state, number>>();
  const plain = sillok();
  is<Equal<AggregateName<typeof plain>, never>>();
  // @ts-expect-error the Worker has no aggregates
  connect<typeof plain>(binding).aggregate("counter", "1");
  // @ts-expect-error it is not an aggregate
  sillok({ aggregates: [{ name: "account" }] });
  // @ts-expect-error an aggregate is not a process
  sillok({ processes: [order] });
}
`;

/** The same program with the client of `sillok/client`. */
export const PAGE = CLIENT.replace(
  "type Client, connect, type DocumentChange, type DocumentsClient, ",
  "",
).replace(
  'from "sillok";',
  'from "sillok";\nimport { type Client, connect, type DocumentChange, type DocumentsClient } from "sillok/client";',
);

/** The hooks of `sillok/react`; this program checks itself as well. */
export const HOOKS = `
import { type Client, type CommandOutcome, type EventOf, type Projection } from "sillok";
import { useClient, useCommand, useDocuments, useStream } from "sillok/react";
import type { account, App, balances } from "./client.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

export function useAll(projection: Projection<any, { cents: number }>): void {
  is<Equal<ReturnType<typeof useClient<App>>, Client<App>>>();
  const inferred = useDocuments(projection, { prefix: "account-" });
  is<Equal<(typeof inferred.documents)[number]["document"], { cents: number }>>();
  is<Equal<typeof inferred.status, "loading" | "live" | "failed">>();
  const named = useDocuments<typeof balances>("balances");
  is<Equal<typeof named, typeof inferred>>();
  // @ts-expect-error there is no such option
  useDocuments("balances", { limit: 1 });
  const { events } = useStream<EventOf<typeof account>>("account-42", { after: 1 });
  is<Equal<(typeof events)[number]["type"], "Deposited" | "Withdrawn">>();
  const { execute, pending, rejection } = useCommand<typeof account>("account", "42");
  is<Equal<typeof pending, boolean>>();
  is<Equal<NonNullable<typeof rejection>["code"], "insufficient_funds">>();
  const outcome: Promise<CommandOutcome | undefined> = execute({ type: "Withdraw", data: { cents: 30 } });
  void outcome;
  // @ts-expect-error there is no such command
  void execute({ type: "Close", data: { cents: 1 } });
  // @ts-expect-error the aggregate has another name
  useCommand<typeof account>("order", "42");
}
`;
