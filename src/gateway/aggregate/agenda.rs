//! The agenda of a stream: when its pending commands are due.

use crate::gateway::Due;
use crate::gateway::backoff::LONGEST_MILLIS;
use crate::sorted::Sorted;
use crate::store::{
    DecisionLog, PendingChange, PendingKey, PendingKind, PendingState, RecordedTime, StorageError, StreamId,
};

/// The keys of all pending commands of a stream, and when they are due. There are few, so a look goes through all.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda(Sorted<PendingKey, PendingState>);

impl Agenda {
    /// Reads the agenda of a stream.
    pub(super) fn of<L: DecisionLog>(log: &L, stream: &StreamId) -> Result<Self, StorageError> {
        let mut agenda = Self::default();
        log.agenda(stream, &mut |key, state| agenda.put(key, state))?;
        Ok(agenda)
    }

    /// Notes a change that was stored.
    pub(super) fn change(&mut self, change: &PendingChange) {
        match change {
            PendingChange::Put(pending) => self.put(pending.key.clone(), pending.state),
            PendingChange::Remove(key) => self.remove(key),
            PendingChange::Park(key) => self.put(key.clone(), PendingState::Parked),
        }
    }

    fn put(&mut self, key: PendingKey, state: PendingState) {
        self.0.insert(key, state);
    }

    pub(super) fn remove(&mut self, key: &PendingKey) {
        self.0.remove(key);
    }

    pub(super) fn visit(&self, visit: &mut dyn FnMut(PendingKey, PendingState)) {
        self.0.iter().for_each(|(key, state)| visit(key.clone(), *state));
    }

    /// The number of pending commands of this kind.
    pub(super) fn count(&self, kind: PendingKind) -> usize {
        self.0.iter().filter(|(key, _)| key.kind() == kind).count()
    }

    /// The keys of all timers.
    pub(super) fn timers(&self) -> impl Iterator<Item = &PendingKey> {
        self.0.iter().map(|(key, _)| key).filter(|key| key.kind() == PendingKind::Timer)
    }

    /// A timer that was rejected, and so is only shown.
    pub(super) fn rejected(&self) -> Option<PendingKey> {
        let rejected = self.0.iter().find(|(_, state)| **state == PendingState::Rejected);
        rejected.map(|(key, _)| key.clone())
    }

    /// The pending commands of a kind that are due now and may begin, the earliest first, and at most so many.
    pub(super) fn due(
        &self,
        kind: PendingKind,
        now: RecordedTime,
        most: usize,
        may_begin: &dyn Fn(&PendingKey) -> bool,
    ) -> Vec<PendingKey> {
        let mut first: Vec<(RecordedTime, &PendingKey)> = Vec::new();
        for (key, at) in self.waiting() {
            let place = first.partition_point(|(earlier, _)| *earlier <= at);
            if place < most && key.kind() == kind && is_reached(kind, at, now) && may_begin(key) {
                first.truncate(most - 1);
                first.insert(place, (at, key));
            }
        }
        first.into_iter().map(|(_, key)| key.clone()).collect()
    }

    /// The time of the first pending command that is not due yet.
    pub(super) fn next_after(&self, now: RecordedTime) -> Option<RecordedTime> {
        self.waiting().map(|(_, at)| at).filter(|at| *at > now).min()
    }

    /// The time of the next pending command. A command that a wrong clock has put off for too long is due now.
    pub(super) fn next(&self, now: RecordedTime) -> Option<RecordedTime> {
        let next = |(key, at): (&PendingKey, RecordedTime)| {
            if is_reached(key.kind(), at, now) { at.min(now) } else { at }
        };
        self.waiting().map(next).min()
    }

    /// The pending commands that are attempted again, and when.
    fn waiting(&self) -> impl Iterator<Item = (&PendingKey, RecordedTime)> {
        self.0.iter().filter_map(|(key, state)| Some((key, state.due()?)))
    }
}

/// Whether a pending command is due. A sent command waits at most as long as after many failures: a later time was set by
/// a clock that was wrong. A timer may be set for any time.
pub(super) fn is_reached(kind: PendingKind, at: RecordedTime, now: RecordedTime) -> bool {
    match kind {
        PendingKind::Timer => at <= now,
        PendingKind::Sent => Due::new(at, LONGEST_MILLIS).is_reached(now),
    }
}
