/**
 * An event to be appended. Declare your own as types of this shape, told apart by `type`:
 *
 * @example
 * ```ts
 * import { EventStore } from "sillok";
 *
 * type Deposited = { type: "Deposited"; data: { amount: number } };
 * type Frozen = { type: "Frozen"; data: { reason: string } };
 * type AccountEvent = Deposited | Frozen;
 *
 * const store = new EventStore();
 * await store.append<AccountEvent>("account-42", { type: "Deposited", data: { amount: 100 } });
 * for await (const event of store.read<AccountEvent>("account-42")) {
 *   if (event.type === "Deposited") console.log(event.data.amount); // 100
 * }
 * ```
 */
export interface NewEvent {
  /** What kind of thing happened, in the past tense: 1 to 200 bytes of UTF-8 without control characters. */
  readonly type: string;
  /** What happened: anything that JSON can carry. Default: `null`. */
  readonly data?: unknown;
  /** What is known about the event: an object of at most 16 KiB of JSON. Default: `{}`. */
  readonly metadata?: object | undefined;
  /** What tells the event from every other: 1 to 200 bytes. Default: a new UUIDv7. */
  readonly id?: string | undefined;
}

/** A value after it went through JSON: a `Date`, for example, has become its ISO text. */
export type Stored<T> = unknown extends T
  ? T
  : T extends { toJSON(...args: never[]): infer Json }
    ? Stored<Json>
    : object extends T
      ? Record<string, unknown>
      : { [Key in keyof T]: Stored<T[Key]> };

/** What `data` or `metadata` of an event `E` is once stored, and `Absent` where it was left out. */
type StoredField<E, Key extends string, Absent> =
  E extends Readonly<Record<Key, infer Value>>
    ? Stored<Value>
    : Key extends keyof E
      ? Stored<Exclude<E[Key], undefined>> | Absent
      : Absent;

/**
 * An event as it was recorded. For a union of events it is a union too, told apart by `type`. Each is a fresh
 * copy: changing it changes nothing in the store.
 */
export type RecordedEvent<E extends NewEvent = NewEvent> = E extends NewEvent
  ? {
      /** The stream that holds the event. */
      stream: string;
      /** The event's place in its stream: the first is 1. */
      version: number;
      /** What tells the event from every other: a UUIDv7 unless the writer gave an id. */
      id: string;
      /** What kind of thing happened. */
      type: E["type"];
      /** When it was recorded, as in `2026-11-23T01:02:03.456Z`. Within a stream it never goes back. */
      time: string;
      /** What happened; `null` where it was left out. */
      data: StoredField<E, "data", null>;
      /** What is known about the event; `{}` where it was left out. */
      metadata: StoredField<E, "metadata", Record<string, unknown>>;
    }
  : never;

/** An event among those of all streams, as {@link Store.readAll} and a subscription to all give it. */
export type FeedEvent<E extends NewEvent = NewEvent> = RecordedEvent<E> & {
  /** The event's place among those of all streams; on a server, among those of its partition. Never given twice. */
  position: number;
  /** From where to go on: an opaque text, which one gives as `after`. */
  checkpoint: string;
};

/** A stream, as {@link Store.streams} lists it. */
export interface StreamEntry {
  /** Its name. */
  stream: string;
  /** The version of its last event. */
  version: number;
  /** When that event was recorded, as in `2026-11-23T01:02:03.456Z`. */
  time: string;
}

/** What an append did. */
export interface AppendResult {
  /** The stream that was appended to. */
  stream: string;
  /** The version of the first event of this append. */
  firstVersion: number;
  /** The version of the last event of this append, and so of the stream. */
  version: number;
  /** When the events were recorded, as in `2026-11-23T01:02:03.456Z`. */
  time: string;
  /** Whether this is the result of an earlier append under the same idempotency key, which was only repeated. */
  replayed: boolean;
}

/** What a truncation left. */
export interface TruncateResult {
  /** The stream that was truncated. */
  stream: string;
  /** The first version that can still be read; one more than `version` when none can. */
  firstVersion: number;
  /** The version of the stream, which a truncation does not change. */
  version: number;
}

/** What {@link EventStore.verify} found, told apart by `intact`. */
export type Verification = IntactHistory | BrokenHistory;

/** A history that is as it was written. */
export interface IntactHistory {
  /** Nothing was altered. */
  intact: true;
  /** The version of the stream. */
  version: number;
  /** The hash of the whole history, 64 hexadecimal digits. Noted elsewhere, it proves later that nothing was replaced. */
  head: string;
  /** How many commits, that is appends, were verified. */
  commits: number;
}

/** A history in which something was altered after it was written. */
export interface BrokenHistory {
  /** Something was altered. */
  intact: false;
  /** The last version before the broken commit. */
  version: number;
  /** The hash of the history before the broken commit. */
  head: string;
  /** How many commits before the broken one are as they were written. */
  commits: number;
  /** The first commit that is not as it was written: the version of its last event, and what is wrong with it. */
  broken: { version: number; reason: string };
}

/** What tells one aggregate from another. The number 1 and the text "1" are two aggregates, as with `===`. */
export type AggregateId = string | number;

/** An event for {@link EventStore.saveEvent}: any object with an `aggregateId`. */
export interface SavedEvent {
  /** The aggregate that the event belongs to: a finite number, or a string of 1 to 200 bytes of UTF-8. */
  aggregateId: AggregateId;
  /** Whatever else the event says. */
  [field: string]: unknown;
}
