//! The port behind which commits are kept.

use std::ops::ControlFlow;

use thiserror::Error;

use super::commit::Commit;
use super::event::{EventView, RecordedTime};
use super::range::Direction;
use super::stream_id::StreamId;
use super::version::Version;

/// Where a stream ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The version of the stream's last event; [`Version::EMPTY`] where there is none.
    pub version: Version,
    /// When the last event was recorded.
    pub time: RecordedTime,
}

/// Versions from one to another, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The least version.
    pub from: Version,
    /// The greatest version.
    pub to: Version,
}

/// What a log calls with each event that it finds; [`ControlFlow::Break`] ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(EventView<'_>) -> ControlFlow<()>;

/// Why a log could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The storage underneath refused or failed. Whether it wrote is for the storage's atomicity to say:
    /// one commit is written by one statement, so it is there wholly or not at all.
    #[error("the storage failed: {reason}")]
    Failed {
        /// What the storage said.
        reason: String,
    },
    /// What is stored is not what a store writes.
    #[error("what is stored for version {version} is corrupt: {reason}")]
    Corrupt {
        /// The last version of the commit that cannot be read.
        version: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl StorageError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "storage_failed",
            Self::Corrupt { .. } => "stored_data_corrupt",
        }
    }
}

/// Where commits are kept. An implementation stores and finds; it decides nothing.
///
/// Its caller makes sure that nothing happens between [`head`](Self::head) and the [`insert`](Self::insert)
/// that follows from it. An implementation that several writers share must refuse a commit that does not
/// follow on the stream's head.
pub trait StreamLog {
    /// Where the stream ends. A stream that was never written is at [`Head::default`].
    ///
    /// # Errors
    /// [`StorageError`].
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError>;

    /// Makes the commit durable, wholly or not at all.
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<(), StorageError>;

    /// Calls `visit` with the stream's events whose versions lie in `span`, in the order of `direction`,
    /// until it breaks off.
    ///
    /// # Errors
    /// [`StorageError`]; events before the mistake have been visited.
    fn scan(
        &self,
        stream: &StreamId,
        span: Span,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError>;
}

impl Span {
    /// Visits those events of one commit that lie in this span. The first of `events` is at version `first`.
    pub(crate) fn visit<'e, E>(
        self,
        direction: Direction,
        first: Version,
        events: &'e [E],
        view: impl Fn(Version, &'e E) -> EventView<'e>,
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        let versions = events.iter().enumerate().filter_map(|(place, event)| {
            let version = first.after(place)?;
            (self.from <= version && version <= self.to).then_some((version, event))
        });
        match direction {
            Direction::Forward => {
                versions.into_iter().try_for_each(|(version, event)| visit(view(version, event)))
            }
            Direction::Backward => {
                versions.rev().try_for_each(|(version, event)| visit(view(version, event)))
            }
        }
    }
}
