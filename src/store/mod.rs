//! Streams of events: the values, the decisions and the logs that keep them.
//!
//! [`EventStore`] makes the decisions; a [`StreamLog`] only keeps what was decided. [`MemoryLog`] keeps
//! many streams in memory, [`sqlite::StreamTable`] one stream in a SQLite table.

mod append;
mod category;
mod cause;
mod checkpoint;
mod commit;
mod content;
mod directory;
mod event;
mod event_store;
mod expected_version;
mod export;
mod feed;
mod forget;
mod hash;
mod idempotency_key;
mod journal;
mod json_text;
pub mod limits;
mod log;
mod memory;
pub(crate) mod name;
pub(crate) mod page_budget;
mod position;
mod range;
mod read;
pub mod sqlite;
mod stream_id;
mod tenant;
mod verify;
mod version;

pub use append::{Append, AppendError, Appended};
pub use category::{Category, InvalidCategory};
pub use cause::Cause;
pub use checkpoint::{Checkpoint, InvalidCheckpoint};
pub use commit::{Commit, CommitView};
pub use directory::{DirectoryPage, DirectoryRange, StreamDirectory, StreamEntry, read_directory};
pub use event::{EventId, EventType, EventView, InvalidEvent, NewEvent, RecordedEvent, RecordedTime};
pub use event_store::EventStore;
pub use expected_version::ExpectedVersion;
pub use export::{ExportEnd, Exported};
pub use feed::{FeedCommit, FeedEnd, FeedEvent, FeedLog, FeedRange, VisitFeed, visit_feed};
pub use forget::{TruncateError, Truncated};
pub use hash::CommitHash;
pub use idempotency_key::{IdempotencyKey, InvalidIdempotencyKey, KeyOrigin, StoredKey};
pub use journal::{Forward, Journal, RecordError, Recorded, partition_of};
pub(crate) use json_text::all_members;
pub use json_text::{JsonText, MalformedJson, json_string, members, push_json_string};
pub use log::{Base, Head, StorageError, StorageFault, StreamLog, Visit};
pub use memory::MemoryLog;
pub use name::InvalidName;
pub use position::Position;
pub use range::{Direction, InvalidRange, ReadRange};
pub use read::{Page, PageEnd, ReadError};
pub use stream_id::{InvalidStreamId, StreamId};
pub use tenant::{InvalidTenant, Tenant};
pub use verify::{BrokenCommit, Followed, Verification, Verifier};
pub use version::Version;
