/**
 * An event for an append. Declare your own events as types of this shape. The field `type` distinguishes them:
 *
 * @example
 * ```ts
 * import { EventStore } from "sillok";
 *
 * type Deposited = { type: "Deposited"; data: { amount: number } };
 * type Frozen = { type: "Frozen"; data: { reason: string } };
 * type AccountEvent = Deposited | Frozen;
 *
 * const store = new EventStore<AccountEvent>();
 * await store.append("account-42", { type: "Deposited", data: { amount: 100 } });
 * for await (const event of store.read("account-42")) {
 *   if (event.type === "Deposited") console.log(event.data.amount); // 100
 * }
 * ```
 */
export interface NewEvent {
  /** The type of the event, in the past tense: 1 to 200 bytes of UTF-8 without control characters. */
  readonly type: string;
  /** The content of the event: any value that JSON can represent. Default: `null`. */
  readonly data?: unknown;
  /** Information about the event, such as a correlation id: an object of at most 16 KiB of JSON. Default: `{}`. */
  readonly metadata?: object | undefined;
  /** The id of the event: 1 to 200 bytes. Default: a new UUIDv7. The store does not check that an id of your own is unique. */
  readonly id?: string | undefined;
}

/**
 * An event for an append or a decision: an event `E`, which may have an id and metadata of its own, also if `E` does not declare
 * them. For a union of events it is a union too.
 *
 * @example
 * ```ts
 * import { type AppendedEvent, EventStore } from "sillok";
 *
 * type AccountEvent = { type: "Opened" } | { type: "Deposited"; data: { amount: number } };
 * const store = new EventStore<AccountEvent>();
 * const opened: AppendedEvent<AccountEvent> = { type: "Opened", metadata: { correlationId: "request-7" } };
 * console.log((await store.append("account-42", opened)).version); // 1
 * ```
 */
export type AppendedEvent<E extends NewEvent = NewEvent> =
  E | (E extends NewEvent ? E & Pick<NewEvent, "id" | "metadata"> : never);

/**
 * The events of an append: one, or an array. The compiler does not infer `E` from the events, but compares the events with it. So
 * it finds a misspelt field. (`NoInfer` would do this too, but stores of two types could not be compared with it.)
 */
export type AppendedEvents<E extends NewEvent = NewEvent> = [
  AppendedEvent<E> | readonly AppendedEvent<E>[],
][E extends NewEvent ? 0 : never];

/** A value that JSON represents as it is. */
type JsonValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** The type of a value after it was written as JSON and read again. For example, a `Date` is its ISO text. */
export type Stored<T> = unknown extends T
  ? T
  : T extends JsonValue
    ? T
    : T extends { toJSON(...args: never[]): infer Json }
      ? Stored<Json>
      : [keyof T] extends [never]
        ? Record<string, unknown>
        : { [Key in keyof T]: Stored<T[Key]> };

/** The type of a field of a stored event or command `E`. It is `Absent` where the writer left it out. */
export type StoredField<E, Key extends string, Absent> =
  E extends Readonly<Record<Key, infer Value>>
    ? Stored<Value>
    : Key extends keyof E
      ? Stored<Exclude<E[Key], undefined>> | Absent
      : Absent;

/** The type of `metadata` of a stored event `E`. It is `{}` where the writer left it out. */
export type StoredMetadata<E> = 0 extends 1 & E
  ? Record<string, any>
  : E extends { readonly metadata: infer Value }
    ? Stored<Value>
    : "metadata" extends keyof E
      ? OrEmpty<Stored<Exclude<E["metadata"], undefined>>>
      : Record<string, unknown>;

/** The type of `T` or `{}`. */
type OrEmpty<T> = {} extends T ? T : Partial<T>;

/**
 * A recorded event. For a union of events it is a union too; `type` distinguishes the members. Each event is a new copy:
 * a change to it changes nothing in the store.
 *
 * It is assignable to `E`, so that you can pass it to a function that takes your own events. JSON has exceptions: a `Date` becomes
 * a text, and data that the writer left out becomes `null`. Declare such data as `data?: Content | null`.
 *
 * @example
 * ```ts
 * import { EventStore } from "sillok";
 *
 * type AccountEvent = { type: "Opened" } | { type: "Deposited"; data: { amount: number } };
 * const evolve = (sum: number, event: AccountEvent) => (event.type === "Deposited" ? sum + event.data.amount : sum);
 *
 * const store = new EventStore<AccountEvent>();
 * await store.append("account-42", [{ type: "Opened" }, { type: "Deposited", data: { amount: 100 } }]);
 * let sum = 0;
 * for await (const event of store.read("account-42")) sum = evolve(sum, event);
 * console.log(sum); // 100
 * ```
 */
export type RecordedEvent<E extends NewEvent = NewEvent> = E extends NewEvent
  ? {
      /** The stream of the event. */
      stream: string;
      /** The place of the event in its stream. The first event has version 1. */
      version: number;
      /** The id of the event: a UUIDv7, unless the writer set another id. The store does not check that such an id is unique. */
      id: E extends { readonly id: infer Id extends string } ? Id : string;
      /** The type of the event. */
      type: E["type"];
      /** The recorded time, such as `2026-11-23T01:02:03.456Z`. Within a stream it never decreases. */
      time: string;
      /** The schema version of the data; left out where it is 1. */
      schemaVersion?: number;
      /** The content of the event; `null` where the writer left it out. */
      data: StoredField<E, "data", null>;
      /** Information about the event; `{}` where the writer left it out. */
      metadata: StoredMetadata<E>;
    }
  : never;

/** An event of the feed: {@link Store.readAll} and a subscription to all streams return it. */
export type FeedEvent<E extends NewEvent = NewEvent> = RecordedEvent<E> & {
  /** The place of the event among the events of all streams; on a server, of its partition. No two events have the same. */
  position: number;
  /** An opaque text. Pass it as `after` to continue after this event. */
  checkpoint: string;
};

/** A stream in the list of {@link Store.streams}. */
export interface StreamEntry {
  /** The stream id. */
  stream: string;
  /** The version of its last event. */
  version: number;
  /** The recorded time of that event, such as `2026-11-23T01:02:03.456Z`. */
  time: string;
}

/** The result of an append. */
export interface AppendResult {
  /** The stream of the append. */
  stream: string;
  /** The version of the first event of this append. */
  firstVersion: number;
  /** The version of the last event of this append. It was the version of the stream after the append. */
  version: number;
  /** The recorded time of the events, such as `2026-11-23T01:02:03.456Z`. */
  time: string;
  /** The ids of the events, in their order. */
  ids: string[];
  /** True if an earlier append under the same idempotency key wrote the events, and this call only repeated it. */
  replayed: boolean;
}

/** The result of an append to a store in this program, which has all streams in one order. */
export interface LocalAppendResult extends AppendResult {
  /** The place of the last event among the events of all streams. The events of one append have places without gaps. */
  position: number;
}

/** The head of a stream: {@link Store.head} returns it. */
export interface StreamHead {
  /** The stream. */
  stream: string;
  /** The version of its last event, also if that event was forgotten; 0 if the stream never had an event. */
  version: number;
  /** The first version that you can still read; `version` + 1 if there is none. */
  firstVersion: number;
  /** The recorded time of the last event, such as `2026-11-23T01:02:03.456Z`; null if the stream never had an event. */
  time: string | null;
  /** Whether the stream was deleted. */
  deleted: boolean;
}

/** The end of the feed: {@link Store.end} returns it. */
export interface FeedEnd {
  /** The checkpoint after the last event. */
  checkpoint: string;
  /** The position of the last event, forgotten or not; 0 if there was none. A server with several partitions leaves it out. */
  position?: number;
}

/** The result of a truncation. */
export interface TruncateResult {
  /** The truncated stream. */
  stream: string;
  /** The first version that you can still read; `version` + 1 if there is none. */
  firstVersion: number;
  /** The version of the stream. A truncation does not change it. */
  version: number;
}

/** The result of {@link EventStore.verify}. The field `intact` distinguishes the two results. */
export type Verification = IntactHistory | BrokenHistory;

/** An unaltered history. */
export interface IntactHistory {
  /** The history is unchanged. */
  intact: true;
  /** The version of the stream. */
  version: number;
  /** The hash of the whole history: 64 hexadecimal digits. Store it elsewhere to prove later that nothing was replaced. */
  head: string;
  /** The number of verified commits. Each append is one commit. */
  commits: number;
}

/** An altered history. */
export interface BrokenHistory {
  /** Somebody has altered the history. */
  intact: false;
  /** The last version before the broken commit. */
  version: number;
  /** The hash of the history before the broken commit. */
  head: string;
  /** The number of unaltered commits before the broken one. */
  commits: number;
  /** The first altered commit: the version of its last event, and the reason. */
  broken: { version: number; reason: string };
}

/** The id of an aggregate. The number 1 and the string "1" are two aggregates, as with `===`. */
export type AggregateId = string | number;

/** An event for {@link EventStore.saveEvent}: any object with an `aggregateId`. */
export interface SavedEvent {
  /** The aggregate that the event belongs to: a finite number, or a string of 1 to 200 bytes of UTF-8. */
  aggregateId: AggregateId;
  /** All other fields of the event. */
  [field: string]: unknown;
}
