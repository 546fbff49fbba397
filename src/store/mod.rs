//! Streams of events: the values, the decisions and the logs that keep them.
//!
//! [`EventStore`] makes the decisions; a [`StreamLog`] only keeps what was decided. [`MemoryLog`] keeps
//! many streams in memory, [`sqlite::StreamTable`] one stream in a SQLite table.

mod append;
mod commit;
mod content;
mod event;
mod event_store;
mod expected_version;
mod export;
mod forget;
mod hash;
mod idempotency_key;
mod json_text;
pub mod limits;
mod log;
mod memory;
mod name;
mod range;
mod read;
pub mod sqlite;
mod stream_id;
mod verify;
mod version;

pub use append::{Append, AppendError, Appended};
pub use commit::{Commit, CommitView};
pub use event::{EventId, EventType, EventView, InvalidEvent, NewEvent, RecordedEvent, RecordedTime};
pub use event_store::EventStore;
pub use expected_version::ExpectedVersion;
pub use export::{ExportEnd, Exported};
pub use forget::{TruncateError, Truncated};
pub use hash::CommitHash;
pub use idempotency_key::{IdempotencyKey, InvalidIdempotencyKey};
pub use json_text::{JsonText, MalformedJson};
pub use log::{Base, Head, StorageError, StreamLog, Visit};
pub use memory::MemoryLog;
pub use name::InvalidName;
pub use range::{Direction, InvalidRange, ReadRange};
pub use read::{Page, PageEnd};
pub use stream_id::{InvalidStreamId, StreamId};
pub use verify::{BrokenCommit, Followed, Verification, Verifier};
pub use version::Version;
