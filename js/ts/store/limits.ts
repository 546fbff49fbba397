// Every bound and default that the package checks or sets, in one place. `tests/limits.rs` compares them with the core's.

// Bounds that the core has under the same names.

/** Longest stream id, in bytes of UTF-8. A category and the prefix of a stream id have the same bound. */
export const STREAM_ID_BYTES = 200;
/** Longest event type, in bytes of UTF-8. */
export const EVENT_TYPE_BYTES = 200;
/** Longest id of an event, in bytes of UTF-8. The id of a sent command has the same bound. */
export const EVENT_ID_BYTES = 200;
/** Longest idempotency key, in bytes of UTF-8. */
export const IDEMPOTENCY_KEY_BYTES = 200;
/** Longest name of a consumer, in bytes of UTF-8. */
export const CONSUMER_NAME_BYTES = 200;
/** Most attempts at one event before the consumer gives it up. */
export const CONSUMER_ATTEMPTS = 100;
/** Longest time between two attempts at one event, in milliseconds: a day. */
export const CONSUMER_DELAY_MILLIS = 24 * 60 * 60 * 1000;
/** Longest time that one attempt at an event may take, in milliseconds: ten minutes. */
export const CONSUMER_TIMEOUT_MILLIS = 10 * 60 * 1000;
/** Highest version of the code of a projection. */
export const PROJECTION_VERSION = 4_294_967_295;
/** Longest key of a document, in bytes of UTF-8. */
export const DOCUMENT_KEY_BYTES = 200;
/** Longest time that a read of a document waits for an event, in milliseconds. */
export const DOCUMENT_WAIT_MILLIS = 5000;
/** Longest key of a timer, in bytes of UTF-8. The name of a sent command has the same bound. */
export const TIMER_KEY_BYTES = 200;
/** Most items of one page. */
export const PAGE_EVENTS = 1000;

// A consumer's policy, where its options say nothing: the core's `Policy::DEFAULT`.

/** Attempts at one event. */
export const POLICY_ATTEMPTS = 8;
/** Time after the first failure, in milliseconds. */
export const POLICY_FIRST_DELAY_MILLIS = 500;
/** Longest time between two attempts, in milliseconds: five minutes. */
export const POLICY_LONGEST_DELAY_MILLIS = 5 * 60 * 1000;
/** Longest time of one attempt, in milliseconds: half a minute. */
export const POLICY_TIMEOUT_MILLIS = 30 * 1000;

// Bounds and defaults of aggregates.

/** Default of `snapshotEvery`: a snapshot is due after so many events. */
export const SNAPSHOT_EVENTS = 500;
/** Default of `attempts`: how many times a command is decided while other writers change the stream. */
export const EXECUTE_ATTEMPTS = 3;
/** The most attempts at one command. */
export const MOST_EXECUTE_ATTEMPTS = 100;
/** The most streams whose states a store keeps in memory. */
export const KEPT_STATES = 1000;

// Bounds and defaults of the package alone.

// At one time of a store with a clock of its own. More timers and sent commands than these have no end.
/** Most timers and sent commands at one time. */
export const ATTEMPTS_AT_ONE_TIME = 100_000;
/** Most timers and sent commands of one stream at one time: a stream has at most 2,000 of them at once. */
export const STREAM_ATTEMPTS_AT_ONE_TIME = 10_000;
/** Longest checkpoint that the package sends, in characters: longer than every checkpoint of a server, and short enough for a URL. */
export const CHECKPOINT_CHARACTERS = 5000;
/** Most levels of a value. Every JavaScript engine's stack has room for this many. */
export const JSON_LEVELS = 1000;
/** Longest JSON that the package writes, in characters: far more than the largest commit. The bound protects the memory of the engine. */
export const JSON_CHARACTERS = 16 * 1024 * 1024;
/** Default of `retries`: how many times a remote store repeats a request. */
export const RETRIES = 4;
/** Largest `retries`. */
export const MOST_RETRIES = 100;
/** Default of `busyTimeout`, in milliseconds. */
export const BUSY_TIMEOUT_MILLIS = 5000;
/** Longest delay of a timer, in milliseconds: a timer with a longer delay fires at once. */
export const TIMER_MILLIS = 2147483647;
