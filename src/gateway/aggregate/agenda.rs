//! The agenda of a stream: when its pending commands are due.

use std::collections::{BTreeMap, BTreeSet};

use crate::gateway::Due;
use crate::gateway::backoff::LONGEST_MILLIS;
use crate::store::{
    DecisionLog, PendingChange, PendingKey, PendingKind, PendingState, RecordedTime, StorageError, StreamId,
};

/// The keys of all pending commands of a stream, and when they are due.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    states: BTreeMap<PendingKey, PendingState>,
    timers: BTreeSet<(RecordedTime, PendingKey)>,
    sent: BTreeSet<(RecordedTime, PendingKey)>,
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
            PendingChange::Park(key) => self.put(key.clone(), PendingState::Parked),
        }
    }

    fn put(&mut self, key: PendingKey, state: PendingState) {
        self.remove(&key);
        if let Some(due) = state.due() {
            self.due_of(&key).insert((due, key.clone()));
        }
        self.states.insert(key, state);
    }

    pub(super) fn remove(&mut self, key: &PendingKey) {
        if let Some(due) = self.states.remove(key).and_then(PendingState::due) {
            self.due_of(key).remove(&(due, key.clone()));
        }
    }

    fn due_of(&mut self, key: &PendingKey) -> &mut BTreeSet<(RecordedTime, PendingKey)> {
        match key.kind() {
            PendingKind::Timer => &mut self.timers,
            PendingKind::Sent => &mut self.sent,
        }
    }

    /// The state of a pending command. `None` if there is none with this key.
    pub(super) fn state(&self, key: &PendingKey) -> Option<PendingState> {
        self.states.get(key).copied()
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

    /// The timers that are due now, the earliest first.
    pub(super) fn due_timers(&self, now: RecordedTime) -> impl Iterator<Item = &PendingKey> {
        let due = self.timers.iter().take_while(move |(at, _)| is_reached(PendingKind::Timer, *at, now));
        due.map(|(_, key)| key)
    }

    /// The commands to send now.
    pub(super) fn due_sent(&self, now: RecordedTime) -> impl Iterator<Item = &PendingKey> {
        let early = self.sent.iter().take_while(move |(at, _)| *at <= now);
        early.chain(self.beyond(now)).map(|(_, key)| key)
    }

    /// The commands that a wrong clock has put off for too long.
    fn beyond(&self, now: RecordedTime) -> impl Iterator<Item = &(RecordedTime, PendingKey)> {
        let late = self.sent.iter().rev().take_while(move |(at, _)| *at > now);
        late.take_while(move |(at, _)| is_reached(PendingKind::Sent, *at, now))
    }

    /// The time of the first pending command that is not due yet.
    pub(super) fn next_after(&self, now: RecordedTime) -> Option<RecordedTime> {
        let later = |due: &BTreeSet<(RecordedTime, PendingKey)>, kind| {
            due.range((now.later(1), PendingKey::first(kind))..).next().map(|(at, _)| *at)
        };
        let next = [later(&self.timers, PendingKind::Timer), later(&self.sent, PendingKind::Sent)];
        next.into_iter().flatten().min()
    }

    /// The time of the next pending command.
    pub(super) fn next(&self, now: RecordedTime) -> Option<RecordedTime> {
        let first = [self.timers.first(), self.sent.first()].into_iter().flatten().map(|(at, _)| *at);
        first.chain(self.beyond(now).next().map(|_| now)).min()
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
