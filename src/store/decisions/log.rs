//! The port to the storage of outcomes, pending commands and snapshots.

use std::ops::ControlFlow;

use super::outcome::Outcome;
use super::pending::{PendingChange, PendingCommand, PendingKey, PendingState};
use super::snapshot::Snapshot;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::event::RecordedTime;
use crate::store::logs::commit::Commit;
use crate::store::logs::log::{StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;

/// The parts of a decision. They are stored together.
#[derive(Debug, Clone, Default)]
pub struct DecisionParts<'a> {
    /// The events.
    pub commit: Option<Commit>,
    /// The outcome of the command, if the command has an id. It replaces an older one of the same id.
    pub outcome: Option<(&'a IdempotencyKey, &'a Outcome)>,
    /// The changes of the pending commands, in their order.
    pub pending: &'a [PendingChange],
}

/// The function that is called with the key and the state of each pending command.
pub type VisitAgenda<'a> = &'a mut dyn FnMut(PendingKey, PendingState);

/// The function that is called with each pending command. [`ControlFlow::Break`] ends the scan.
pub type VisitPending<'a> = &'a mut dyn FnMut(PendingCommand) -> ControlFlow<()>;

/// A [`StreamLog`] that also stores what an aggregate needs beside its commits. An implementation decides nothing.
///
/// Outcomes, pending commands and snapshots are no part of the stream: they have no version and no hash, and are not
/// forwarded. A [deletion](StreamLog::forget) removes them.
pub trait DecisionLog: StreamLog {
    /// The outcome of the command with this id, if it is stored.
    ///
    /// # Errors
    /// [`StorageError`].
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError>;

    /// Stores all parts of a decision, or none.
    ///
    /// # Errors
    /// [`StorageError`].
    fn insert_decision(&mut self, stream: &StreamId, parts: DecisionParts<'_>) -> Result<(), StorageError>;

    /// The pending command with this key, if it is stored.
    ///
    /// # Errors
    /// [`StorageError`].
    fn pending(&self, stream: &StreamId, key: &PendingKey) -> Result<Option<PendingCommand>, StorageError>;

    /// Visits the pending commands of the stream that have the kind of this key and come after it, in the order of their
    /// keys. [`PendingKey::first`] comes before all others.
    ///
    /// # Errors
    /// [`StorageError`].
    fn scan_pending(
        &self,
        stream: &StreamId,
        after: &PendingKey,
        visit: VisitPending<'_>,
    ) -> Result<(), StorageError>;

    /// Visits the keys and the states of all pending commands of the stream. A stream has a limited number of them.
    ///
    /// # Errors
    /// [`StorageError`].
    fn agenda(&self, stream: &StreamId, visit: VisitAgenda<'_>) -> Result<(), StorageError>;

    /// Removes outcomes from before a time, but for those of commands that a process has sent and of events that it has taken. It looks at a
    /// bounded number of outcomes: those whose ids follow `near`, and those with the first ids before and after the ids
    /// of sent commands. So calls with the ids of the commands come by all outcomes in the end, whether the ids grow or
    /// are random.
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

/// The place of a pending command among those of many streams, in the order in which they are due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuePlace {
    /// The time of the next attempt.
    pub due: RecordedTime,
    /// The stream.
    pub stream: StreamId,
    /// The key within the stream.
    pub key: PendingKey,
}

/// The pending commands of many streams, in the order in which they are due.
pub trait PendingLog {
    /// Visits the pending commands that are attempted again, after a place or from the first one. Those that are due first come
    /// before the others. Each log has an order of its own for those that are due at the same time.
    ///
    /// # Errors
    /// [`StorageError`].
    fn scan_due(
        &self,
        after: Option<&DuePlace>,
        visit: &mut dyn FnMut(DuePlace) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;
}
