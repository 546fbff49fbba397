//! Streams of events: the values, the decisions and the logs that keep them.
//!
//! [`EventStore`] makes the decisions; a [`StreamLog`] only keeps what was decided. [`MemoryLog`] keeps
//! many streams in memory, [`sqlite::StreamTable`] one stream in a SQLite table.

mod commit;
mod event;
mod event_store;
mod expected_version;
mod json_text;
pub mod limits;
mod log;
mod memory;
mod name;
mod range;
pub mod sqlite;
mod stream_id;
mod version;

pub use commit::{AppendError, Appended, Commit};
pub use event::{
    CommittedEvent, EventId, EventType, EventView, InvalidEvent, NewEvent, RecordedEvent, RecordedTime,
};
pub use event_store::{EventStore, Page, PageEnd};
pub use expected_version::ExpectedVersion;
pub use json_text::{JsonText, MalformedJson};
pub use log::{Head, Span, StorageError, StreamLog, Visit};
pub use memory::MemoryLog;
pub use name::InvalidName;
pub use range::{Direction, InvalidRange, ReadRange};
pub use stream_id::{InvalidStreamId, StreamId};
pub use version::Version;
