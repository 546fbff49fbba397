//! The port to the storage of commits.

use std::ops::ControlFlow;

use thiserror::Error;

use super::commit::{Commit, CommitView};
use crate::ErrorCode;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::event::RecordedTime;
use crate::store::feeds::position::Position;
use crate::store::names::stream_id::StreamId;
use crate::store::proof::hash::CommitHash;
use crate::store::reads::range::Direction;
use crate::store::version::Version;

/// The end of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The version of the stream's last event. [`Version::EMPTY`] if the stream never had an event.
    pub version: Version,
    /// The time at which the last event was recorded.
    pub time: RecordedTime,
    /// The hash of the stream's whole history.
    pub hash: CommitHash,
    /// The last hidden version. [`Version::EMPTY`] if nothing was truncated.
    pub hidden: Version,
    /// Whether the stream was deleted.
    pub deleted: bool,
    /// The bytes that the storage takes. 0 if the storage has no limit of its own.
    pub bytes: u64,
}

/// The rest of the forgotten part of a stream. The verification of the hash chain starts from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Base {
    /// The version of the last removed commit, or [`Version::EMPTY`].
    pub version: Version,
    /// The time at which that commit was recorded.
    pub time: RecordedTime,
    /// The hash of the history, up to and including that commit.
    pub hash: CommitHash,
    /// The last hidden version. It is at least `version`. It is higher if a truncation hides only a part of a commit.
    pub hidden: Version,
    /// Whether the stream was deleted.
    pub deleted: bool,
}

impl Head {
    /// The first version that readers can see. It is the stream's version + 1 if all events are hidden.
    #[must_use]
    pub fn first_version(&self) -> Version {
        self.hidden.after(1).unwrap_or(Version::MAX)
    }
}

impl From<Base> for Head {
    /// The head of a stream whose commits are all removed.
    fn from(base: Base) -> Self {
        let Base { version, time, hash, hidden, deleted } = base;
        Self { version, time, hash, hidden, deleted, bytes: 0 }
    }
}

/// The function that a log calls with each commit. [`ControlFlow::Break`] ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(CommitView<'_>) -> ControlFlow<()>;

/// The reason why a log has failed. It is one pointer wide, because most results contain it and few of them are errors.
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

/// The content of a [`StorageError`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorageFault {
    /// The storage has refused or failed. One statement writes one commit, so the commit is stored wholly or not at
    /// all.
    #[error("the storage failed: {reason}")]
    Failed {
        /// The message of the storage.
        reason: String,
    },
    /// Another connection has locked the database. Nothing was read or written. You can repeat the same call.
    #[error("the storage is busy: another connection has locked it")]
    Busy,
    /// The database is open only for reading. Nothing was written.
    #[error("the storage is open only for reading")]
    ReadOnly,
    /// Stored data has a form that no store writes.
    #[error("the stored data{} cannot be read: {reason}", of_version(*version))]
    Corrupt {
        /// The last version of the unreadable commit.
        version: u64,
        /// What is wrong with the data.
        reason: String,
    },
}

/// Names the version, if the unreadable data have one.
fn of_version(version: u64) -> String {
    if version == 0 { String::new() } else { format!(" of version {version}") }
}

impl StorageError {
    /// The storage has refused or failed.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self(Box::new(StorageFault::Failed { reason: reason.into() }))
    }

    /// Another connection has locked the database. Nothing was read or written.
    #[must_use]
    pub fn busy() -> Self {
        Self(Box::new(StorageFault::Busy))
    }

    /// The database is open only for reading. Nothing was written.
    #[must_use]
    pub fn read_only() -> Self {
        Self(Box::new(StorageFault::ReadOnly))
    }

    /// The stored data of a version has a form that no store writes.
    #[must_use]
    pub fn corrupt(version: u64, reason: impl Into<String>) -> Self {
        Self(Box::new(StorageFault::Corrupt { version, reason: reason.into() }))
    }

    /// The content of the error.
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

/// The storage of commits. An implementation stores and finds commits. It decides nothing.
///
/// A store reads and then writes within one call of [`exclusively`](Self::exclusively).
pub trait StreamLog {
    /// Runs `work` without other writers between its reads and its writes. If `work` fails, the log writes nothing. A
    /// log that only one engine can reach just runs `work`.
    ///
    /// # Errors
    /// The error of `work`. A [`StorageError`] if the log cannot exclude other writers or cannot make the writes
    /// durable.
    fn exclusively<T, E: From<StorageError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E>
    where
        Self: Sized,
    {
        work(self)
    }

    /// Runs `work` so that all its reads see one moment, even if other connections write meanwhile. A log that only one
    /// engine can reach just runs `work`.
    ///
    /// # Errors
    /// The error of `work`, or a [`StorageError`].
    fn reading<T, E: From<StorageError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E>
    where
        Self: Sized,
    {
        work(self)
    }

    /// The head of the stream. A stream without events is at [`Head::default`].
    ///
    /// # Errors
    /// [`StorageError`].
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError>;

    /// The base of the stream, after which its stored commits begin.
    ///
    /// # Errors
    /// [`StorageError`].
    fn base(&self, stream: &StreamId) -> Result<Base, StorageError>;

    /// Stores the commit and its key, wholly or not at all. Returns the position of its last event, or `None` if the log
    /// stores only one stream.
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError>;

    /// The head of the stream after the last write of this log, if the log remembers it. The stream may have grown
    /// since. Use it only for [`insert_after`](Self::insert_after).
    fn remembered(&self, _: &StreamId) -> Option<Head> {
        None
    }

    /// Stores the commit if the stream still ends at `head`, is not deleted, and has no commit of this key. Returns
    /// the position of its last event, or `None` if the commit was not stored. This call is one act. Do not call it within
    /// [`exclusively`](Self::exclusively).
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert_after(&mut self, _: &StreamId, _: &Head, _: &Commit) -> Result<Option<Position>, StorageError> {
        Ok(None)
    }

    /// Calls `visit` with the commit of this key, if there is one. The key is stored [with its
    /// origin](IdempotencyKey::as_stored). A store from before keys had an origin has stored it
    /// [without](IdempotencyKey::as_stored_without_origin).
    ///
    /// # Errors
    /// [`StorageError`].
    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError>;

    /// Calls `visit` with the commit that holds version `start`, and then with the commits after it. In the direction
    /// [backward](Direction::Backward), it continues with the commits before it. It ends when `visit` breaks.
    ///
    /// # Errors
    /// [`StorageError`]. Commits before the error have been visited.
    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError>;

    /// Stores `base` as the base of the stream. In the same act it removes the commits up to `base.version` with their
    /// keys. If the base is deleted, it also removes the [outcomes and snapshots](crate::store::DecisionLog) of the stream.
    ///
    /// # Errors
    /// [`StorageError`]. The stream is then unchanged.
    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError>;
}
