// A store with a union of events, and errors by their codes; a part of types.test.ts.

/** This program checks itself. Each line below `@ts-expect-error` must be an error, and no other line may be one. */
export const STORE = `
import {
  EventGateway, EventHandler, EventStore, isSillokError, isWrongExpectedVersion, SillokError,
  type AppendedEvent, type ExpectedVersion, type FeedEvent, type NewEvent, type RecordedEvent, type Rejection, type Store,
} from "sillok";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(_proof?: T): void {}

type Opened = { type: "Opened"; data: { owner: string; note?: string } };
type Deposited = { type: "Deposited"; data: { amount: number } };
type Closed = { type: "Closed" };
type BankEvent = Opened | Deposited | Closed;

export async function union(url: string): Promise<void> {
  const stores = [new EventStore<BankEvent>(), EventStore.open<BankEvent>("bank.db"), EventStore.connect<BankEvent>(url)];
  for (const store of stores) {
    await store.append("account-1", { type: "Deposited", data: { amount: 1 } });
    await store.append("account-1", [{ type: "Opened", data: { owner: "Ada" } }, { type: "Closed" }]);
    // Every event takes metadata and an id.
    await store.append("account-1", { type: "Closed", metadata: { correlationId: "c" }, id: "1" });
    await store.append("account-1", [{ type: "Deposited", data: { amount: 1 }, metadata: { by: "me" } }]);
    const closed: readonly Closed[] = [{ type: "Closed" }];
    await store.append("account-1", closed);
    // @ts-expect-error a misspelt type
    await store.append("account-1", { type: "Deposted", data: { amount: 1 } });
    // @ts-expect-error a misspelt field of data
    await store.append("account-1", { type: "Deposited", data: { amuont: 1 } });
    // @ts-expect-error a misspelt optional field of data
    await store.append("account-1", { type: "Opened", data: { owner: "Ada", notes: "x" } });
    // @ts-expect-error the same within an array
    await store.append("account-1", [{ type: "Opened", data: { owner: "Ada", notes: "x" } }]);
    // @ts-expect-error a misspelt field
    await store.append("account-1", { type: "Closed", metdata: {} });
    // @ts-expect-error a misspelt field, after a narrower type
    await store.append<Closed>("account-1", { type: "Closed", metdata: {} });
    // @ts-expect-error data is missing
    await store.append("account-1", { type: "Deposited" });
    // @ts-expect-error metadata is an object
    await store.append("account-1", { type: "Closed", metadata: "me" });
    // @ts-expect-error a misspelt field of one of several appends
    await store.appendAll([{ stream: "account-1", events: { type: "Deposited", data: { amuont: 1 } } }]);
    for await (const event of (store as Store<BankEvent>).read("account-1")) {
      is<Equal<typeof event, RecordedEvent<BankEvent>>>();
      if (event.type === "Deposited") is<Equal<typeof event.data.amount, number>>();
      // @ts-expect-error there is no such event
      if (event.type === "Deposted") return;
    }
    for await (const event of store.readAll()) is<Equal<typeof event, FeedEvent<BankEvent>>>();
    for await (const event of (store as Store<BankEvent>).subscribe("account-1")) is<Equal<typeof event, RecordedEvent<BankEvent>>>();
    for await (const event of store.subscribe({ all: true })) is<Equal<typeof event, FeedEvent<BankEvent>>>();
    // A type of a call is narrower.
    for await (const event of (store as Store<BankEvent>).read<Closed>("account-1", { type: "Closed" })) {
      is<Equal<typeof event, RecordedEvent<Closed>>>();
    }
    anyStore(store);
  }
  new EventGateway(new EventStore<BankEvent>(), new EventHandler());
}
function anyStore(store: Store): Store<BankEvent> { return store; }

/** A function over the store of any events. */
export async function generic<E extends NewEvent>(store: Store<E>, event: E): Promise<AppendedEvent<E>> {
  await store.append("account-1", event);
  await store.append("account-1", [event]);
  return event;
}

declare const NAME: unique symbol;
type Cents = number & { readonly [NAME]: "Cents" };
type Id = string & { readonly [NAME]: "Id" };
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
interface Person { readonly name: string; readonly born?: number | undefined }
type Any =
  | BankEvent
  | { type: "Optional"; data: { note?: string } }
  | { type: "Branded"; data: { id: Id; cents: Cents }; id: Id }
  | { type: "Mapped"; data: Record<string, number> }
  | { type: "Json"; data: Json }
  | { type: "Tuple"; data: readonly [string, { at: 1 | 2 }][]; metadata: { by: string } }
  | { type: "Person"; data: readonly Person[] }
  | { type: "One" | "Two"; data: { a: string } | { b: null }; metadata?: { by?: string } }
  | { type: "Empty"; data: {} } | { type: "Null"; data: null } | { type: "Any"; data: any }
  | { type: "Unknown"; data: unknown } | { type: "Object"; data: object; metadata?: Record<string, unknown> }
  | { type: "Absent"; data?: { x: 1 } | null };

export async function assignable(store: EventStore<Any>): Promise<void> {
  const evolve = (state: number, _event: Any): number => state + 1;
  let state = 0;
  for await (const event of store.read("s")) {
    const own: Any = event;
    state = evolve(state, event) + evolve(state, own);
    if (event.type === "Branded") is<Equal<typeof event.data.id, Id>>();
  }
  for await (const event of store.readAll()) state = evolve(state, event);
  const placed: Array<Any> = [];
  for await (const event of store.read<BankEvent>("s")) placed.push(event);
  type Timed = { type: "Timed"; data: { at: Date } };
  for await (const event of new EventStore<Timed>().read("s")) {
    // @ts-expect-error JSON has made the Date a text
    const own: Timed = event;
    console.log(own);
  }
}

export function errors(error: unknown): void {
  if (!isSillokError(error)) return;
  is<Equal<typeof error, SillokError>>();
  console.log(error.message, error.code, error.field);
  if (error.code === "wrong_expected_version") {
    is<Equal<typeof error.actual, number>>();
    is<Equal<typeof error.stream, string>>();
    is<Equal<typeof error.expected, ExpectedVersion>>();
    // @ts-expect-error a conflict has no rejection
    console.log(error.rejection);
  } else if (error.code === "command_rejected") {
    is<Equal<typeof error.rejection, Rejection>>();
    // @ts-expect-error a rejection has no actual version
    console.log(error.actual);
  } else if (error.code === "invalid_event") {
    is<Equal<typeof error.field, string | undefined>>();
    // @ts-expect-error an invalid event has no actual version
    console.log(error.actual);
  }
  // @ts-expect-error the code must be known first
  console.log(error.actual);
  // @ts-expect-error a misspelt code
  if (error.code === "wrong_expectedversion") return;
  switch (error.code) {
    case "wrong_expected_version":
      return void error.actual.toFixed();
    case "stream_deleted":
      return;
    default: {
      // A newer server may have other codes.
      const code: string = error.code;
      console.log(code);
    }
  }
}

export function guarded(error: unknown): number | undefined {
  if (!isWrongExpectedVersion(error)) return undefined;
  is<Equal<typeof error.code, "wrong_expected_version">>();
  return error.actual;
}

export function byClass(error: string | SillokError): number {
  if (!(error instanceof SillokError)) return error.length;
  return error.code === "wrong_expected_version" ? error.actual : 0;
}
`;
