//! Streams of events: the values, the decisions and the logs that store them.
//!
//! [`EventStore`] makes the decisions, and a [`StreamLog`] only stores the results. [`MemoryLog`] stores many streams
//! in memory. [`sqlite::StreamTable`] stores one stream in a SQLite table.

pub(crate) mod appends;
pub(crate) mod decisions;
mod event_store;
pub(crate) mod events;
pub(crate) mod feeds;
mod forget;
pub mod limits;
pub(crate) mod logs;
pub(crate) mod names;
pub(crate) mod proof;
pub(crate) mod reads;
pub mod sqlite;
mod version;

pub use appends::append::{Append, AppendAllError, AppendError, Appended};
pub use appends::expected_version::ExpectedVersion;
pub use appends::idempotency_key::{IdempotencyKey, InvalidIdempotencyKey, KeyOrigin, StoredKey};
pub use decisions::log::{DecisionLog, DecisionParts, DuePlace, PendingLog, VisitAgenda, VisitPending};
pub use decisions::outcome::{CommandHash, Decided, Outcome};
pub use decisions::pending::{
    PendingChange, PendingCommand, PendingKey, PendingKind, PendingState, Receiver,
};
pub use decisions::snapshot::Snapshot;
pub use event_store::EventStore;
pub use events::cause::Cause;
pub use events::event::{EventId, EventType, EventView, InvalidEvent, NewEvent, RecordedEvent, RecordedTime};
pub use events::event_json::{push_event_json, push_feed_event_json};
pub use events::json_reader::string_text;
pub(crate) use events::json_text::all_members;
pub use events::json_text::{
    JsonText, MalformedJson, items, json_string, json_value, members, only_members, push_json_string,
};
pub use feeds::checkpoint::{Checkpoint, InvalidCheckpoint};
pub use feeds::directory::{DirectoryPage, DirectoryRange, StreamDirectory, StreamEntry, read_directory};
pub use feeds::feed::{FeedCommit, FeedEnd, FeedEventView, FeedLog, FeedRange, VisitFeed, visit_feed};
pub use feeds::position::Position;
pub use forget::{TruncateError, Truncated};
pub use logs::commit::{Commit, CommitView};
pub use logs::log::{Base, Head, StorageError, StorageFault, StreamLog, Visit};
pub use logs::memory::MemoryLog;
pub use names::category::{Category, InvalidCategory};
pub use names::name::InvalidName;
pub use names::stream_id::{InvalidStreamId, StreamId};
pub use names::tenant::{InvalidTenant, Tenant};
pub use proof::export::{ExportEnd, Exported};
pub use proof::hash::CommitHash;
pub use proof::verify::{BrokenCommit, Followed, Verification, Verifier};
pub use reads::range::{Direction, InvalidRange, ReadRange};
pub(crate) use reads::read::visit_stream;
pub use reads::read::{Page, PageEnd, ReadError};
pub use version::Version;
