//! The agenda of a stream: when its pending commands are due.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{
    DecisionLog, PendingChange, PendingKey, PendingKind, PendingState, RecordedTime, StorageError, StreamId,
};

/// The keys of all pending commands of a stream, and when they are due.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    states: BTreeMap<PendingKey, PendingState>,
    due: BTreeSet<(RecordedTime, PendingKey)>,
}

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
        }
    }

    fn put(&mut self, key: PendingKey, state: PendingState) {
        self.remove(&key);
        if let Some(due) = state.due() {
            self.due.insert((due, key.clone()));
        }
        self.states.insert(key, state);
    }

    pub(super) fn remove(&mut self, key: &PendingKey) {
        if let Some(due) = self.states.remove(key).and_then(PendingState::due) {
            self.due.remove(&(due, key.clone()));
        }
    }

    pub(super) fn visit(&self, visit: &mut dyn FnMut(PendingKey, PendingState)) {
        self.states.iter().for_each(|(key, state)| visit(key.clone(), *state));
    }

    /// The number of pending commands of this kind.
    pub(super) fn count(&self, kind: PendingKind) -> usize {
        self.states.keys().filter(|key| key.kind() == kind).count()
    }

    /// The keys of all timers.
    pub(super) fn timers(&self) -> impl Iterator<Item = &PendingKey> {
        self.states.keys().filter(|key| key.kind() == PendingKind::Timer)
    }

    /// A timer that was rejected, and so is only shown.
    pub(super) fn rejected(&self) -> Option<PendingKey> {
        let rejected = self.states.iter().find(|(_, state)| **state == PendingState::Rejected);
        rejected.map(|(key, _)| key.clone())
    }

    /// The keys that are due now, the earliest first.
    pub(super) fn due(&self, now: RecordedTime) -> impl Iterator<Item = &PendingKey> {
        self.due.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| key)
    }

    /// The time of the first pending command that is not due yet.
    pub(super) fn next_after(&self, now: RecordedTime) -> Option<RecordedTime> {
        let later = (now.later(1), PendingKey::first(PendingKind::Timer));
        self.due.range(later..).next().map(|(at, _)| *at)
    }

    /// The time of the next pending command.
    pub(super) fn next(&self) -> Option<RecordedTime> {
        self.due.first().map(|(at, _)| *at)
    }
}
