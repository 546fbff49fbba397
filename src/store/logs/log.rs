//! The port behind which commits are kept.

use std::ops::ControlFlow;

use thiserror::Error;

use super::commit::{Commit, CommitView};
use crate::ErrorCode;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::event::RecordedTime;
use crate::store::names::stream_id::StreamId;
use crate::store::proof::hash::CommitHash;
use crate::store::reads::range::Direction;
use crate::store::version::Version;

/// Where a stream ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The version of the stream's last event; [`Version::EMPTY`] where there never was one.
    pub version: Version,
    /// When the last event was recorded.
    pub time: RecordedTime,
    /// The hash of the stream's whole history.
    pub hash: CommitHash,
    /// The last version that is no longer shown; [`Version::EMPTY`] where none was truncated.
    pub hidden: Version,
    /// Whether the stream was deleted.
    pub deleted: bool,
    /// How many bytes the storage takes; 0 where it has no limit of its own.
    pub bytes: u64,
}

/// What is left of the forgotten part of a stream: enough to prove the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Base {
    /// The version of the last commit that is gone, or [`Version::EMPTY`].
    pub version: Version,
    /// When that commit was recorded.
    pub time: RecordedTime,
    /// The hash of the history up to and with that commit.
    pub hash: CommitHash,
    /// The last version that is no longer shown: at least `version`, and more where the cut fell into a commit.
    pub hidden: Version,
    /// Whether the stream was deleted.
    pub deleted: bool,
}

impl Head {
    /// The first version that is still shown; one beyond [`version`](Self::version) where none is.
    #[must_use]
    pub fn first_version(&self) -> Version {
        self.hidden.after(1).unwrap_or(Version::MAX)
    }
}

impl From<Base> for Head {
    /// The head of a stream of which nothing is kept but its base.
    fn from(base: Base) -> Self {
        let Base { version, time, hash, hidden, deleted } = base;
        Self { version, time, hash, hidden, deleted, bytes: 0 }
    }
}

/// What a log calls with each commit that it finds; [`ControlFlow::Break`] ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(CommitView<'_>) -> ControlFlow<()>;

/// Why a log could not do its work. It is one pointer wide, for it is a part of most results and hardly ever there.
///
/// ```
/// use sillok::ErrorCode;
/// use sillok::store::{StorageError, StorageFault};
///
/// let error = StorageError::failed("the disk is full");
/// assert_eq!(error.code(), ErrorCode::StorageFailed);
/// assert_eq!(error.fault(), &StorageFault::Failed { reason: "the disk is full".to_owned() });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(transparent)]
pub struct StorageError(Box<StorageFault>);

/// What a [`StorageError`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorageFault {
    /// The storage underneath refused or failed. Whether it wrote is for the storage's atomicity to say:
    /// one commit is written by one statement, so it is there wholly or not at all.
    #[error("the storage failed: {reason}")]
    Failed {
        /// What the storage said.
        reason: String,
    },
    /// Another connection has locked the database. Nothing was read or written: the same call may be made again.
    #[error("the storage is busy: another connection has locked it")]
    Busy,
    /// The database was opened only to read. Nothing was written.
    #[error("the storage is open only for reading")]
    ReadOnly,
    /// What is stored is not what a store writes.
    #[error("the stored data{} cannot be read: {reason}", of_version(*version))]
    Corrupt {
        /// The last version of the commit that cannot be read.
        version: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Names the version, unless what cannot be read has none.
fn of_version(version: u64) -> String {
    if version == 0 { String::new() } else { format!(" of version {version}") }
}

impl StorageError {
    /// The storage underneath refused or failed.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self(Box::new(StorageFault::Failed { reason: reason.into() }))
    }

    /// Another connection has locked the database, and nothing was read or written.
    #[must_use]
    pub fn busy() -> Self {
        Self(Box::new(StorageFault::Busy))
    }

    /// The database was opened only to read, and nothing was written.
    #[must_use]
    pub fn read_only() -> Self {
        Self(Box::new(StorageFault::ReadOnly))
    }

    /// What is stored for a version is not what a store writes.
    #[must_use]
    pub fn corrupt(version: u64, reason: impl Into<String>) -> Self {
        Self(Box::new(StorageFault::Corrupt { version, reason: reason.into() }))
    }

    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &StorageFault {
        &self.0
    }

    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match *self.0 {
            StorageFault::Failed { .. } => ErrorCode::StorageFailed,
            StorageFault::Busy => ErrorCode::StorageBusy,
            StorageFault::ReadOnly => ErrorCode::StorageReadOnly,
            StorageFault::Corrupt { .. } => ErrorCode::StoredDataCorrupt,
        }
    }
}

/// Where commits are kept. An implementation stores and finds; it decides nothing.
///
/// What a store reads before it writes, and what it then writes, it does within one call of
/// [`exclusively`](Self::exclusively).
pub trait StreamLog {
    /// Runs `work` so that no other writer comes between what it reads and what it writes; nothing is written where it
    /// fails. A log that only one engine can reach just runs it.
    ///
    /// # Errors
    /// What `work` says, or a [`StorageError`] where the log cannot be had alone or the writes cannot be made durable.
    fn exclusively<T, E: From<StorageError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E>
    where
        Self: Sized,
    {
        work(self)
    }

    /// Where the stream ends. A stream that was never written is at [`Head::default`].
    ///
    /// # Errors
    /// [`StorageError`].
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError>;

    /// After what the kept commits of the stream begin.
    ///
    /// # Errors
    /// [`StorageError`].
    fn base(&self, stream: &StreamId) -> Result<Base, StorageError>;

    /// Makes the commit and its key durable, wholly or not at all.
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<(), StorageError>;

    /// Where the stream ended when this log last wrote to it, if the log remembers. It may have grown since: this is only
    /// for [`insert_after`](Self::insert_after).
    fn remembered(&self, _: &StreamId) -> Option<Head> {
        None
    }

    /// Makes the commit durable if the stream still ends at a remembered head, not deleted, and has no commit of this key;
    /// tells whether it did. One act by itself, it is not called within [`exclusively`](Self::exclusively).
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert_after(&mut self, _: &StreamId, _: &Head, _: &Commit) -> Result<bool, StorageError> {
        Ok(false)
    }

    /// Calls `visit` with the commit of this key, if there is one: it is stored [with its origin](IdempotencyKey::as_stored), or
    /// [without](IdempotencyKey::as_stored_without_origin) by a store from before keys had one.
    ///
    /// # Errors
    /// [`StorageError`].
    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError>;

    /// Calls `visit` with the commit that holds version `start` and then with those after it, or going
    /// [backward](Direction::Backward) those before it, until it breaks off.
    ///
    /// # Errors
    /// [`StorageError`]; commits before the mistake have been visited.
    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError>;

    /// Makes durable that the stream begins after `base`, and removes the commits up to `base.version` with their
    /// keys, as one.
    ///
    /// # Errors
    /// [`StorageError`]; the stream is then as it was.
    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError>;
}
