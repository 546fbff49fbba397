//! All limits of the store. Each limit has an error of its own.

/// The longest stream id, in bytes of UTF-8.
pub const STREAM_ID_BYTES: usize = 200;
/// The longest name of a tenant, in bytes of UTF-8.
pub const TENANT_BYTES: usize = 200;
/// The longest event type, in bytes of UTF-8.
pub const EVENT_TYPE_BYTES: usize = 200;
/// The longest event id, in bytes of UTF-8.
pub const EVENT_ID_BYTES: usize = 200;
/// The longest idempotency key, in bytes of UTF-8.
pub const IDEMPOTENCY_KEY_BYTES: usize = 200;
/// The largest metadata of one event, in bytes of JSON text.
pub const METADATA_BYTES: usize = 16 * 1024;
/// The highest schema version of an event's data.
pub const SCHEMA_VERSION: u32 = 65_535;
/// The most events of one append.
pub const COMMIT_EVENTS: usize = 1024;
/// The most streams to which one call appends.
pub const APPENDS: usize = 1_024;
/// The largest commit: its events as they are stored, in bytes of UTF-8.
pub const COMMIT_BYTES: usize = 1024 * 1024;
/// The most events of one page.
pub const PAGE_EVENTS: usize = 1000;
/// The most bytes that a page looks at, wanted or not. The page ends after the commit, name, document or dead letter
/// that reaches this number. So a page of large items needs only a small memory.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most items that a page looks at, wanted or not. The page ends after the commit, name, document or dead letter
/// that reaches this number. So a search for rare items takes only a short turn. Each commit counts as the number of
/// its events.
pub const PAGE_LOOKED_AT: usize = 10_000;
/// The most rows of old data that a consumer removes in one turn. So the removal of a big table consists of short
/// turns.
pub const REMOVED_ROWS: usize = 500;
/// The most dead letters that a retry looks at in one turn to find the next letter.
pub const LETTERS_LOOKED_AT: usize = 500;
/// The largest row or value that a Durable Object accepts, in bytes.
pub const ROW_BYTES: usize = 2_000_000;
/// The journal begins a new row when a row has this number of bytes, or would have more than [`ROW_BYTES`].
pub const JOURNAL_GROUP_BYTES: usize = 512 * 1024;
/// The most streams that one statement of the journal names, so that its text stays below [`ROW_BYTES`].
pub const JOURNAL_STREAMS: usize = 1000;
/// The largest storage of a stream that still accepts events. It is 64 MiB less than the 10 GB at which a Durable
/// Object refuses every write. So a full stream can still be truncated.
pub const STREAM_BYTES: u64 = 10_000_000_000 - 64 * 1024 * 1024;
/// The longest name of a consumer, in bytes of UTF-8.
pub const CONSUMER_NAME_BYTES: usize = 200;
/// The most partitions that a consumer follows.
pub const CONSUMER_PARTITIONS: usize = 256;
/// The most attempts at one event before the consumer gives it up.
pub const CONSUMER_ATTEMPTS: u32 = 100;
/// The longest time between two attempts at one event, in milliseconds: a day.
pub const CONSUMER_DELAY_MILLIS: u64 = 24 * 60 * 60 * 1000;
/// The longest time for one attempt at an event, in milliseconds: ten minutes.
pub const CONSUMER_TIMEOUT_MILLIS: u64 = 10 * 60 * 1000;
/// The highest version of the code of a projection.
pub const PROJECTION_VERSION: u32 = u32::MAX;
/// The longest stored text of an error, in bytes of UTF-8. The rest is cut off.
pub const ERROR_BYTES: usize = 4096;
/// The longest stored stack of an error, in bytes of UTF-8. The rest is cut off.
pub const STACK_BYTES: usize = 8192;
/// The longest key of a document, in bytes of UTF-8.
pub const DOCUMENT_KEY_BYTES: usize = 200;
/// The largest document, in bytes of JSON text.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;
/// The longest time that a read of a document waits for an event, in milliseconds.
pub const DOCUMENT_WAIT_MILLIS: u64 = 5000;
/// The most memory for the recent changes of a projection's documents, in bytes: about 5,000 keys. A follower that is
/// further behind gets all documents again.
pub const RECENT_CHANGES_BYTES: usize = 512 * 1024;
/// The largest state that a snapshot stores, in bytes of JSON text. A larger state works without snapshots.
pub const STATE_BYTES: usize = 1024 * 1024;
/// The largest rejection of a command, in bytes of JSON text.
pub const REJECTION_BYTES: usize = 64 * 1024;
/// The largest command, in bytes of JSON text. It is as large as a commit.
pub const COMMAND_BYTES: usize = COMMIT_BYTES;
/// The most versions of an aggregate's code whose snapshots a stream keeps: after a rollback to the code before, nothing is
/// replayed.
pub const SNAPSHOT_CODES: u64 = 2;
/// The most outcomes that are looked at in each of three places when a command removes those that are too old.
pub const OUTCOMES_LOOKED_AT: u64 = 250;
/// The longest key of a timer, and the longest name of a sent command, in bytes of UTF-8.
pub const TIMER_KEY_BYTES: usize = 200;
/// The most timers of a stream.
pub const STREAM_TIMERS: usize = 1000;
/// The most commands of a stream that are sent and not answered.
pub const STREAM_SENT: usize = 1000;
/// The attempts at a timer or a sent command before it is parked.
pub const PENDING_ATTEMPTS: u32 = 16;
/// The commands of one stream that are sent at the same time.
pub const SENT_AT_ONCE: usize = 16;
/// The most pending commands that a look for the next one visits.
pub const DUE_SCAN: usize = 500;
/// The highest version: the largest integer that JavaScript's numbers hold exactly, 2^53 - 1.
pub const MAX_VERSION: u64 = (1 << 53) - 1;
/// The latest recorded time, in milliseconds since 1970: the end of the year 9999. RFC 3339 cannot write a later year.
pub const MAX_TIME_MILLIS: u64 = 253_402_300_799_999;

/// The most bytes of a row beside its largest text: names with every character escaped, keys, hashes and numbers.
pub(crate) const ROW_FRAME_BYTES: usize = 4096;

// The largest content of each row, with its frame, is smaller than the largest row.
const _: () = assert!(COMMIT_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
const _: () = assert!(JOURNAL_GROUP_BYTES + COMMIT_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
const _: () = assert!(JOURNAL_STREAMS * (2 * STREAM_ID_BYTES + 128) < ROW_BYTES);
const _: () = assert!(DOCUMENT_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
const _: () = assert!(STATE_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
const _: () = assert!(REJECTION_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
// A pending command holds a command and an error, which may contain a rejection. An escape in the text of an error has 6 bytes.
const _: () =
    assert!(COMMAND_BYTES + METADATA_BYTES + REJECTION_BYTES + 6 * ERROR_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
// A dead letter holds an event, and the text and the stack of an error. The event may be as large as a commit.
const _: () = assert!(COMMIT_BYTES + ERROR_BYTES + STACK_BYTES + ROW_FRAME_BYTES < ROW_BYTES);
