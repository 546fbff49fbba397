// The package's types in strict projects of its users.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ROOT, useScratch } from "./scratch.ts";
import { AGGREGATES, SCHEMAS } from "./types-aggregates.ts";
import { CLIENT, HOOKS, PAGE } from "./types-client.ts";
import { CONSUMERS } from "./types-consumers.ts";
import { checkErrors, MISTAKES } from "./types-mistakes.ts";
import { PROCESSES } from "./types-processes.ts";
import { STATES } from "./types-states.ts";
import { STORE } from "./types-store.ts";

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
const PROGRAM = `
import {
  EventGateway, EventHandler, EventStore,
  type AppendOptions, type AppendResult, type BrokenHistory, type ConnectOptions,
  type ExpectedVersion,
  type FeedEvent, type Fetch, type LocalAppendResult, type NewEvent, type ReadAllOptions, type ReadOptions, type RecordedEvent, type RemoteAggregateStore, type SavedEvent,
  type Signal, type Store, type StreamAppend, type StreamEntry, type StreamHead, type StreamsOptions,
  type SubscribeAllOptions, type SubscribeOptions, type TruncateOptions, type TruncateResult, type Verification,
} from "sillok";
import { type Behaviour, type OpenStore, storeContract } from "sillok/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

type Deposited = { type: "Deposited"; data: { amount: number; at: Date; note?: string } };
type Closed = { type: "Closed" };
interface Noted extends NewEvent { type: "Noted"; data?: readonly string[]; metadata: { by: string } }
type AccountEvent = Deposited | Closed | Noted;

const store = new EventStore();

export async function append(): Promise<AppendResult> {
  await store.append<AccountEvent>("s", { type: "Closed" });
  await store.append<AccountEvent>("s", [{ type: "Closed" }, { type: "Noted", metadata: { by: "me" } }]);
  const closed: readonly Closed[] = [{ type: "Closed" }];
  await store.append("s", closed);
  // @ts-expect-error an event has a type
  await store.append("s", { data: 1 });
  // @ts-expect-error amount is a number
  await store.append<AccountEvent>("s", { type: "Deposited", data: { amount: "1", at: new Date() } });
  // @ts-expect-error there is no such event
  await store.append<AccountEvent>("s", { type: "Opened" });
  // @ts-expect-error a stream is a string
  await store.append(42, { type: "Closed" });
  // @ts-expect-error there is no such expected version
  await store.append("s", { type: "Closed" }, { expectedVersion: "none" });
  // @ts-expect-error there is no such option
  await store.append("s", { type: "Closed" }, { expected: 1 });
  const options: AppendOptions = { expectedVersion: undefined };
  const version: ExpectedVersion = 1;
  const [id] = (await store.append("s", { type: "Closed" }, { ...options, expectedVersion: version })).ids;
  is<Equal<typeof id, string | undefined>>();
  const all = await store.appendAll([{ stream: "a", events: { type: "Closed" } }, { stream: "b", events: [{ type: "A" }], expectedVersion: 1 }]);
  is<Equal<typeof all, LocalAppendResult[]>>();
  // @ts-expect-error an append has a stream
  await store.appendAll([{ events: { type: "Closed" } }]);
  return store.append("s", { type: "Closed" });
}

export async function read(options: ReadOptions): Promise<void> {
  for await (const event of store.read<AccountEvent>("s", options)) {
    is<Equal<typeof event.version, number>>();
    switch (event.type) {
      case "Deposited":
        is<Equal<typeof event.data, { amount: number; at: string; note?: string }>>();
        break;
      case "Closed":
        is<Equal<typeof event.data, null>>();
        is<Equal<typeof event.metadata, Record<string, unknown>>>();
        break;
      case "Noted":
        is<Equal<typeof event.data, readonly string[] | null>>();
        is<Equal<typeof event.metadata, { by: string }>>();
        break;
      default:
        is<Equal<typeof event, never>>();
    }
  }
  for await (const event of store.read("s")) {
    is<Equal<typeof event, FeedEvent>>();
    is<Equal<typeof event.position, number>>();
    is<Equal<typeof event.data, unknown>>();
    is<Equal<typeof event.metadata, Record<string, unknown>>>();
  }
  // @ts-expect-error there is no such direction
  store.read("s", { direction: "up" });
}

export async function keep(options: TruncateOptions): Promise<TruncateResult> {
  await store.append("s", { type: "Closed" }, { idempotencyKey: "k" });
  // @ts-expect-error a key is a string
  await store.append("s", { type: "Closed" }, { idempotencyKey: 1 });
  // @ts-expect-error a type is a string
  store.read("s", { type: 1 });
  const found = await store.verify("s");
  is<Equal<typeof found, Verification>>();
  if (found.intact) {
    // @ts-expect-error nothing is broken
    found.broken;
  } else {
    is<Equal<typeof found, BrokenHistory>>();
    is<Equal<typeof found.broken, { version: number; reason: string }>>();
  }
  const deleted = await store.delete("s");
  is<Equal<typeof deleted, void>>();
  // @ts-expect-error what is forgotten lies before a version
  await store.truncate("s", {});
  return store.truncate("s", options);
}

export function file(): void {
  const opened = EventStore.open("bank.db");
  is<Equal<typeof opened, EventStore>>();
  // @ts-expect-error a path is a string
  EventStore.open(5);
  // @ts-expect-error a store in memory has no path
  new EventStore("bank.db");
  const disposable: { [Symbol.dispose](): void } = opened;
  disposable[Symbol.dispose]();
  opened.close();
}

export async function remote(fetch: Fetch, options: SubscribeOptions): Promise<void> {
  const connect: ConnectOptions = { token: "t", retries: 0, fetch: (url, request) => fetch(url, { ...request }) };
  const remote = EventStore.connect("https://example.org", connect);
  is<Equal<typeof remote, RemoteAggregateStore>>();
  EventStore.connect({ href: "https://example.org" });
  // One program for every store.
  const stores: Store[] = [store, remote];
  for (const either of stores) {
    is<Equal<Awaited<ReturnType<typeof either.append>>, AppendResult>>();
    await either.append<AccountEvent>("s", { type: "Closed" }, { expectedVersion: "no-stream" });
    for await (const event of either.read<Closed>("s")) is<Equal<typeof event, RecordedEvent<Closed>>>();
    is<Equal<Awaited<ReturnType<typeof either.verify>>, Verification>>();
    await either.truncate("s", { before: 1 });
    await either.delete("s");
    for await (const event of either.subscribe<Closed>("s", options)) {
      is<Equal<typeof event, RecordedEvent<Closed>>>();
      break;
    }
  }
  // @ts-expect-error what answers at once is not there
  remote.saveEvent({ aggregateId: "1" });
  // @ts-expect-error nor is this
  remote.findEventsByAggregateId("1");
  // @ts-expect-error nor is there anything to close
  remote.close();
  // @ts-expect-error a token is a string
  EventStore.connect("https://example.org", { token: 5 });
  // @ts-expect-error a position is a version
  remote.subscribe("s", { after: "1" });
}

/** A store that a user has written. */
class Own implements Store {
  readonly #kept = new EventStore();
  append<E extends NewEvent>(stream: string, events: E | readonly E[], options?: AppendOptions) {
    return this.#kept.append(stream, events, options);
  }
  appendAll(appends: readonly StreamAppend<any>[]) {
    return this.#kept.appendAll(appends);
  }
  head = (stream: string): Promise<StreamHead> => this.#kept.head(stream);
  end = () => this.#kept.end();
  async *read<E extends NewEvent>(stream: string, options?: ReadOptions) {
    yield* this.#kept.read<E>(stream, options);
  }
  subscribe<E extends NewEvent>(stream: string, options?: SubscribeOptions): AsyncGenerator<RecordedEvent<E>, void, undefined>;
  subscribe<E extends NewEvent>(feed: SubscribeAllOptions): AsyncGenerator<FeedEvent<E>, void, undefined>;
  async *subscribe<E extends NewEvent>(from: string | SubscribeAllOptions, options?: SubscribeOptions) {
    if (typeof from === "string") yield* this.#kept.subscribe<E>(from, options);
    else yield* this.#kept.subscribe<E>(from);
  }
  readAll<E extends NewEvent>(options?: ReadAllOptions) {
    return this.#kept.readAll<E>(options);
  }
  async *streams(options?: StreamsOptions) {
    yield* this.#kept.streams(options);
  }
  verify = (stream: string) => this.#kept.verify(stream);
  exportCommits = (stream: string) => this.#kept.exportCommits(stream);
  truncate = (stream: string, options: TruncateOptions) => this.#kept.truncate(stream, options);
  async delete(stream: string) {
    await this.#kept.delete(stream);
  }
}

export async function contract(): Promise<void> {
  const open: OpenStore = async () => new Own();
  for (const behaviour of storeContract(open)) {
    is<Equal<typeof behaviour, Behaviour>>();
    if (behaviour.topic !== "forget") await behaviour.run();
  }
  storeContract(() => new EventStore());
  storeContract(
    () => EventStore.open("bank.db", { busyTimeout: 100, readOnly: false }),
    async () => EventStore.open("bank.db"),
  );
  // @ts-expect-error a store has more than that
  storeContract(() => ({ append: async () => undefined }));
}

export async function feed(store: Store, options: ReadAllOptions, signal: Signal): Promise<void> {
  for await (const event of store.subscribe<AccountEvent>({ category: "account", signal })) {
    is<Equal<typeof event, FeedEvent<AccountEvent>>>();
    is<Equal<typeof event.position, number>>();
    is<Equal<typeof event.checkpoint, string>>();
    if (event.type === "Deposited") is<Equal<typeof event.data.amount, number>>();
  }
  const types = ["Opened"] as const;
  store.subscribe({ all: true, after: undefined });
  store.subscribe({ types, category: "account", after: "12" });
  // @ts-expect-error all is not a part of it
  store.subscribe({ all: true, category: "account" });
  // @ts-expect-error nor is it some types
  store.subscribe({ all: true, types });
  const part: SubscribeAllOptions = types.length > 5 ? { all: true, signal } : { types, category: undefined };
  store.subscribe<AccountEvent>(part);
  // @ts-expect-error that all is wanted must be said
  store.subscribe({ after: "12" });
  store.subscribe({ all: true, after: { position: 12 } });
  store.subscribe({ all: true, after: "end" });
  // @ts-expect-error a place is a checkpoint, or a position with its name
  store.subscribe({ all: true, after: 12 });
  // @ts-expect-error a stream has one type to follow
  store.subscribe("s", { types });
  for await (const event of store.readAll(options)) is<Equal<typeof event, FeedEvent>>();
  // @ts-expect-error what is read has no signal
  store.readAll({ signal });
  const listed: StreamsOptions = { prefix: "a", limit: 5 };
  for await (const entry of store.streams(listed)) {
    is<Equal<typeof entry, StreamEntry>>();
    is<Equal<typeof entry.version, number>>();
  }
}

interface Opened { aggregateId: number; at: Date }
class OpenedHandler extends EventHandler<Opened> {
  override handleEvent({ at }: Opened) { console.log(at.getTime()); }
}
class AnyHandler extends EventHandler {
  override handleEvent(event: { aggregateId: string; type: string }) { console.log(event.type); }
}

export function tutorial(): void {
  const opened: Opened = { aggregateId: 1, at: new Date() };
  store.saveEvent(opened);
  store.saveEvent({ aggregateId: "1", anything: { goes: true } });
  // @ts-expect-error an event has an aggregateId
  store.saveEvent({ type: "Opened" });
  // @ts-expect-error an aggregateId is a string or a number
  store.saveEvent({ aggregateId: true });
  is<Equal<ReturnType<typeof store.saveEvent>, void>>();
  const found = store.findEventsByAggregateId<Opened>(1);
  is<Equal<typeof found, Opened[]>>();
  const [event] = store.findEventsByAggregateId("1");
  is<Equal<typeof event, SavedEvent | undefined>>();
  is<Equal<NonNullable<typeof event>["anything"], unknown>>();
  new EventGateway(store, new OpenedHandler()).processEventsByAggregateId(1);
  new EventGateway(store, new AnyHandler()).processEventsByAggregateId("1");
  new EventGateway(store, new EventHandler()).processEventsByAggregateId("1");
  const standIn = { findEventsByAggregateId: () => [opened] };
  new EventGateway(standIn, { handleEvent: (event: Opened) => event.at }).processEventsByAggregateId(1);
  // @ts-expect-error a handler handles events
  new EventGateway(store, {});
}
`;

/** The package accepts the platform's own values. */
const PLATFORM = `
import { EventStore, type Fetch } from "sillok";

const own: Fetch = fetch;
const limited: Fetch = (url, request) => fetch(url, { ...request, signal: AbortSignal.timeout(1000) });
EventStore.connect(new URL("https://example.org"), { fetch: own });
EventStore.connect("https://example.org", { fetch: limited })
  .subscribe("s", { signal: new AbortController().signal });
`;

const REQUIRING = `
import sillok = require("sillok");
const store: sillok.EventStore = new sillok.EventStore();
store.saveEvent({ aggregateId: "1" });
`;

/** The compilers by their versions. */
const COMPILERS = {
  "5.9": `${ROOT}node_modules/typescript-5/bin/tsc`,
  "7.0": `${ROOT}node_modules/typescript/bin/tsc`,
};

const scratch = useScratch((scratch) => scratch.link("react", "@types/react", "csstype"));

/** The output of each compiler for these files. */
async function compiled(
  options: object,
  files: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string }[]> {
  for (const [file, text] of Object.entries(files)) await scratch.write(file, text);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noUnusedLocals: true,
    // The package's own types are checked too.
    skipLibCheck: false,
    target: "es2022",
    types: [],
    noEmit: true,
    ...options,
  };
  await scratch.write(
    "tsconfig.json",
    JSON.stringify({ compilerOptions, files: Object.keys(files) }),
  );
  const outputs = [];
  for (const compiler of Object.values(COMPILERS)) {
    outputs.push(await scratch.run(process.execPath, [compiler, "--project", "."]));
  }
  return outputs;
}

async function check(options: object, files: Readonly<Record<string, string>>): Promise<void> {
  for (const { code, stdout } of await compiled(options, files)) assert.equal(code, 0, stdout);
}

test("the types are checked by TypeScript 5.9 and 7", async () => {
  for (const [version, compiler] of Object.entries(COMPILERS)) {
    const { stdout } = await scratch.run(process.execPath, [compiler, "--version"]);
    assert.ok(stdout.startsWith(`Version ${version}.`), stdout);
  }
});

test("in a project for Node", async () => {
  const files = {
    "program.ts": PROGRAM,
    "store.ts": STORE,
    "consumers.ts": CONSUMERS,
    "aggregates.ts": AGGREGATES,
    "states.ts": STATES,
    "processes.ts": PROCESSES,
    "platform.ts": PLATFORM,
  };
  await check({ module: "nodenext", lib: ["es2022", "dom"] }, files);
});

test("in a CommonJS project for Node", async () => {
  const files = {
    "program.cts": PROGRAM,
    "store.cts": STORE,
    "consumers.cts": CONSUMERS,
    "aggregates.cts": AGGREGATES,
    "processes.cts": PROCESSES,
    "requiring.cts": REQUIRING,
  };
  await check({ module: "nodenext", lib: ["es2022", "dom"] }, files);
});

test("in a project for a bundler", async () => {
  const options = { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"] };
  await check(options, {
    "program.ts": PROGRAM,
    "store.ts": STORE,
    "consumers.ts": CONSUMERS,
    "aggregates.ts": AGGREGATES,
    "processes.ts": PROCESSES,
    "client.ts": CLIENT,
    "hooks.ts": HOOKS,
    "page.ts": PAGE,
  });
});

test("without the types of a browser or of Node", async () => {
  const program = PROGRAM.replaceAll("console.log(", "String(");
  const files = { "program.ts": program, "consumers.ts": CONSUMERS, "aggregates.ts": AGGREGATES };
  await check({ module: "nodenext", lib: ["es2022"] }, files);
});

test("a mistake in a definition is an error at its line", async () => {
  const options = { module: "nodenext", lib: ["es2022"], noUnusedLocals: false };
  for (const { stdout } of await compiled(options, MISTAKES)) checkErrors(stdout);
});

test("with schemas of zod, valibot and arktype", async () => {
  const paths = Object.fromEntries(
    ["zod", "valibot", "arktype"].map((name) => [name, [`${ROOT}node_modules/${name}`]]),
  );
  // The libraries' own types are not the subject.
  const options = { module: "esnext", moduleResolution: "bundler", skipLibCheck: true, paths };
  await check({ ...options, lib: ["es2024", "dom"] }, { "schemas.ts": SCHEMAS });
});
