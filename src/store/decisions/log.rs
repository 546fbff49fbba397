//! The port to the storage of outcomes and snapshots.

use super::outcome::Outcome;
use super::snapshot::Snapshot;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::event::RecordedTime;
use crate::store::logs::commit::Commit;
use crate::store::logs::log::{StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;

/// A [`StreamLog`] that also stores what an aggregate needs beside its commits. An implementation decides nothing.
///
/// Snapshots and outcomes are no part of the stream: they have no version and no hash, and are not forwarded. A
/// [deletion](StreamLog::forget) removes them.
pub trait DecisionLog: StreamLog {
    /// The outcome of the command with this id, if it is stored.
    ///
    /// # Errors
    /// [`StorageError`].
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError>;

    /// Stores a commit and the outcome of its command, both or neither. An outcome replaces an older one of the same id.
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert_decision(
        &mut self,
        stream: &StreamId,
        commit: Option<Commit>,
        outcome: Option<(&IdempotencyKey, &Outcome)>,
    ) -> Result<(), StorageError>;

    /// Removes outcomes from before a time. It looks at a bounded number of outcomes: those whose ids follow `near`, and
    /// those with the first ids. So calls with the ids of the commands come by all outcomes in the end, whether the ids
    /// grow or are random.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove_outcomes(
        &mut self,
        stream: &StreamId,
        before: RecordedTime,
        near: &IdempotencyKey,
    ) -> Result<(), StorageError>;

    /// The snapshot that this code has made, if there is one.
    ///
    /// # Errors
    /// [`StorageError`].
    fn snapshot(&self, stream: &StreamId, code: &str) -> Result<Option<Snapshot>, StorageError>;

    /// Stores a snapshot in place of the earlier one of the same code. It keeps the snapshots of the two codes that were
    /// stored last, and removes all others.
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert_snapshot(&mut self, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StorageError>;
}
