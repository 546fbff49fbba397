//! Every bound of the store, in one place. Each has an error of its own.

/// Longest stream id, in bytes of UTF-8.
pub const STREAM_ID_BYTES: usize = 200;
/// Longest name of a tenant, in bytes of UTF-8.
pub const TENANT_BYTES: usize = 200;
/// Longest event type, in bytes of UTF-8.
pub const EVENT_TYPE_BYTES: usize = 200;
/// Longest event id, in bytes of UTF-8.
pub const EVENT_ID_BYTES: usize = 200;
/// Longest idempotency key, in bytes of UTF-8.
pub const IDEMPOTENCY_KEY_BYTES: usize = 200;
/// Largest metadata of one event, in bytes of JSON text.
pub const METADATA_BYTES: usize = 16 * 1024;
/// Most events one append may carry.
pub const COMMIT_EVENTS: usize = 1024;
/// Largest commit: its events as they are stored, in bytes of UTF-8.
pub const COMMIT_BYTES: usize = 1024 * 1024;
/// Most events one page may carry.
pub const PAGE_EVENTS: usize = 1000;
/// A page ends with the commit, name, document or dead letter with which so many bytes were looked at, wanted or not, so
/// that reading what is large stays within a small memory.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// A page ends with the commit, name, document or dead letter with which so many were looked at, wanted or not, so that to
/// look for what is rare takes no long turn. A commit that is read counts as the events that it holds.
pub const PAGE_LOOKED_AT: usize = 10_000;
/// Most rows that are removed in one turn of what consumers have left, so that to clear a big table takes no long one.
pub const REMOVED_ROWS: usize = 500;
/// Most dead letters that are looked at in one turn for the next that is to be retried.
pub const LETTERS_LOOKED_AT: usize = 500;
/// Largest row or value that is written: what a Durable Object takes, in bytes.
pub const ROW_BYTES: usize = 2_000_000;
/// The journal begins a new row once one has so many bytes, or would have more than [`ROW_BYTES`].
pub const JOURNAL_GROUP_BYTES: usize = 512 * 1024;
/// The most streams that one statement of the journal names, so that its text stays below [`ROW_BYTES`].
pub const JOURNAL_STREAMS: usize = 1000;
/// A stream whose storage takes more than this takes no more events: 64 MiB less than the 10 GB at which a Durable
/// Object refuses every write, so that a full stream can still be truncated.
pub const STREAM_BYTES: u64 = 10_000_000_000 - 64 * 1024 * 1024;
/// Longest name of a consumer, in bytes of UTF-8.
pub const CONSUMER_NAME_BYTES: usize = 200;
/// Most partitions that a consumer follows.
pub const CONSUMER_PARTITIONS: usize = 256;
/// Most attempts at one event before it is given up.
pub const CONSUMER_ATTEMPTS: u32 = 100;
/// Longest time between two attempts at one event, in milliseconds: a day.
pub const CONSUMER_DELAY_MILLIS: u64 = 24 * 60 * 60 * 1000;
/// Longest that one attempt at an event may take, in milliseconds: ten minutes.
pub const CONSUMER_TIMEOUT_MILLIS: u64 = 10 * 60 * 1000;
/// What is kept of the text of an error, in bytes of UTF-8.
pub const ERROR_BYTES: usize = 4096;
/// Longest key of a document, in bytes of UTF-8.
pub const DOCUMENT_KEY_BYTES: usize = 200;
/// Largest document, in bytes of JSON text.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;
/// Longest time that a read of a document waits for an event, in milliseconds.
pub const DOCUMENT_WAIT_MILLIS: u64 = 5000;
/// Highest version: the largest integer that JavaScript's numbers hold exactly, 2^53 - 1.
pub const MAX_VERSION: u64 = (1 << 53) - 1;
/// Latest recorded time, in milliseconds since 1970: the end of the year 9999, the last that RFC 3339 can write.
pub const MAX_TIME_MILLIS: u64 = 253_402_300_799_999;

/// The most bytes that a row holds beside its largest text: names with every character escaped, keys, hashes and numbers.
pub(crate) const ROW_FRAME_BYTES: usize = 4096;

// What each row may hold, with its frame, is less than a row takes.
const _: () = assert!(COMMIT_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
const _: () = assert!(JOURNAL_GROUP_BYTES + COMMIT_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
const _: () = assert!(JOURNAL_STREAMS * (2 * STREAM_ID_BYTES + 128) < ROW_BYTES);
const _: () = assert!(DOCUMENT_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
// A dead letter has the event, whose commit it may fill, and what was wrong with it.
const _: () = assert!(COMMIT_BYTES + ERROR_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
