//! The duty to forward, and the duty to attempt pending commands. Both are durable together with the commits.

use std::cell::{Cell, RefCell};

use super::agenda::Agenda;
use crate::gateway::alarm::{Alarm, is_lost};
use crate::gateway::backoff::LONGEST_MILLIS;
use crate::store::{
    Base, Commit, DecisionLog, DecisionParts, Direction, Head, IdempotencyKey, Outcome, PendingChange,
    PendingCommand, PendingKey, Position, RecordedTime, Snapshot, StorageError, StreamId, StreamLog, Version,
    Visit, VisitAgenda, VisitPending,
};

/// The time from a commit to its alarm, in milliseconds, unless an earlier alarm is set. It is long enough to forward
/// the commit first, so that the alarm finds nothing to do. It is short enough that the object is still awake and knows
/// so.
const BACKSTOP_MILLIS: u64 = 5_000;
/// The time to the next alarm if the code of pending commands is missing, in milliseconds: an hour.
const WITHOUT_CODE_MILLIS: u64 = 60 * 60 * 1000;
/// The longest time to the alarm for a timer, in milliseconds: thirty days. For a later timer the alarm is set again.
const LONGEST_SLEEP_MILLIS: u64 = 30 * 24 * 60 * 60 * 1000;
/// The largest commit that stays in memory until it is forwarded, in bytes of its events. A larger commit is read
/// again, because other objects share the memory.
const MADE_BYTES: usize = 128 * 1024;

/// The log of an aggregate. While it holds commits to forward or pending commands, an alarm is set.
///
/// There is no table of messages. The log is the outbox, and the journal knows which commits it has.
#[derive(Debug)]
pub(super) struct Outbox<L, A> {
    log: L,
    alarm: A,
    /// The time of the alarm, as far as the object knows since it has started.
    armed: Cell<Option<RecordedTime>>,
    /// The time at which the next forward needs the alarm.
    forward_at: Cell<Option<RecordedTime>>,
    /// Whether there may be commits to forward that only the alarm knows: before the alarm is found, and while the work for
    /// it is under way. Then no later alarm may take its place.
    may_owe: Cell<bool>,
    /// The time of the current call, by the caller's clock.
    now: Cell<RecordedTime>,
    /// The last commit, until [`just_made`](Self::just_made) takes it.
    made: RefCell<Option<Commit>>,
    /// The agenda of the stream, once it is read. Only the object writes to its stream.
    agenda: RefCell<Option<Agenda>>,
}

impl<L, A: Alarm> Outbox<L, A> {
    pub(super) fn new(log: L, alarm: A) -> Self {
        let (armed, forward_at, may_owe, now) = Default::default();
        let outbox =
            Self { log, alarm, armed, forward_at, may_owe, now, made: None.into(), agenda: None.into() };
        outbox.may_owe.set(true);
        outbox
    }

    /// Takes the last commit of the stream, if it was made after the previous call. Then the caller need not read it.
    pub(super) fn just_made(&self) -> Option<Commit> {
        self.made.take()
    }

    /// Sets the time of the current call.
    pub(super) fn at(&self, now: RecordedTime) {
        self.now.set(now);
    }

    /// Notes the time of the alarm. `None` if no alarm is set.
    pub(super) fn found_armed(&self, at: Option<RecordedTime>) {
        self.may_owe.set(false);
        let Some(at) = at else { return };
        self.armed.set(Some(at));
        if self.next_pending() != Some(at) {
            self.forward_at.set(Some(at));
        }
    }

    /// Notes that the alarm has rung.
    pub(super) fn rang(&self) {
        self.armed.set(None);
        self.forward_at.set(None);
        self.may_owe.set(true);
    }

    /// Notes that the work for the alarm has ended: the journal has everything, or the alarm is set for another forward.
    /// Sets the alarm for the pending commands.
    pub(super) fn rang_out(&self) -> Result<(), StorageError> {
        self.may_owe.set(false);
        self.arm(None)
    }

    /// Whether the alarm is overdue, or a wrong clock has set it too far ahead.
    pub(super) fn is_lost(&self) -> bool {
        let now = self.now.get();
        let next = self.agenda.borrow().as_ref().and_then(|agenda| agenda.next_after(now));
        let is_of_timer = |at| at > now && next.is_some_and(|next| at <= next);
        self.armed.get().is_some_and(|at| is_lost(at, LONGEST_MILLIS, now) && !is_of_timer(at))
    }

    /// Sets the alarm for another forward, this many milliseconds from now.
    pub(super) fn arm_in(&self, millis: u64) -> Result<(), StorageError> {
        self.forward_at.set(Some(self.now.get().later(millis)));
        self.armed.set(None);
        self.arm(None)
    }

    /// Sets the alarm for the next forward, unless it is set already.
    fn arm_to_forward(&self, pending: Option<RecordedTime>) -> Result<(), StorageError> {
        let now = self.now.get();
        if self.forward_at.get().is_none_or(|at| is_lost(at, LONGEST_MILLIS, now)) {
            self.forward_at.set(Some(now.later(BACKSTOP_MILLIS)));
        }
        self.arm(pending)
    }

    /// Sets the alarm for the next forward, for the agenda, and for the commands that become pending, unless it is set to
    /// ring before. `pending` is the time to ring for those commands.
    fn arm(&self, pending: Option<RecordedTime>) -> Result<(), StorageError> {
        let pending = self.next_ring().into_iter().chain(pending).min();
        let owes = pending.is_some() && self.may_owe.get() && self.armed.get().is_none();
        let owed = owes.then(|| self.now.get().later(BACKSTOP_MILLIS));
        let forward = self.forward_at.get().or(owed);
        let Some(at) = forward.into_iter().chain(pending).min() else { return Ok(()) };
        if self.armed.get().is_none_or(|armed| at < armed) || self.is_lost() {
            self.alarm.set(at)?;
            self.armed.set(Some(at));
        }
        Ok(())
    }

    /// The time to ring for a command that is due at this time.
    fn ring_for(&self, due: RecordedTime) -> RecordedTime {
        let now = self.now.get();
        // Work that is due now begins after this turn. The alarm only repeats it after a crash.
        if due <= now { now.later(BACKSTOP_MILLIS) } else { due.min(now.later(LONGEST_SLEEP_MILLIS)) }
    }

    /// The time to ring for the agenda. A command that is due now must not hide the next timer.
    fn next_ring(&self) -> Option<RecordedTime> {
        let agenda = self.agenda.borrow();
        let agenda = agenda.as_ref()?;
        let now = self.now.get();
        let next = [agenda.next(now), agenda.next_after(now)];
        next.into_iter().flatten().map(|due| self.ring_for(due)).min()
    }

    fn next_pending(&self) -> Option<RecordedTime> {
        self.agenda.borrow().as_ref().and_then(|agenda| agenda.next(self.now.get()))
    }
}

impl<L: StreamLog, A: Alarm> Outbox<L, A> {
    fn inserting(
        &mut self,
        commit: Commit,
        pending: Option<RecordedTime>,
        insert: impl FnOnce(&mut L, Commit) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        // The alarm comes first. A needless alarm does no harm, but a commit without an alarm might never be forwarded.
        self.arm_to_forward(pending)?;
        self.made.take();
        let made = (commit.events.len() <= MADE_BYTES).then(|| Commit { key: None, ..commit.clone() });
        insert(&mut self.log, commit)?;
        *self.made.get_mut() = made;
        Ok(())
    }
}

impl<L: DecisionLog, A: Alarm> Outbox<L, A> {
    /// Reads the agenda of the stream, unless it is known.
    pub(super) fn know_agenda(&self, stream: &StreamId) -> Result<(), StorageError> {
        if self.agenda.borrow().is_none() {
            let agenda = Agenda::of(&self.log, stream)?;
            self.agenda.replace(Some(agenda));
        }
        Ok(())
    }

    /// Sets the alarm for pending commands whose code this deployment does not have. It rings once an hour at most, until a
    /// deployment with the code can begin with them.
    pub(super) fn arm_without_code(&self, stream: &StreamId) -> Result<(), StorageError> {
        let now = self.now.get();
        let Some(next) = Agenda::of(&self.log, stream)?.next(now) else { return Ok(()) };
        let at = next.min(now.later(LONGEST_SLEEP_MILLIS)).max(now.later(WITHOUT_CODE_MILLIS));
        if self.armed.get().is_none() {
            self.alarm.set(at)?;
            self.armed.set(Some(at));
        }
        Ok(())
    }

    /// Calls `look` with the agenda. Without a known agenda, nothing is pending.
    pub(super) fn with_agenda<T: Default>(&self, look: impl FnOnce(&Agenda) -> T) -> T {
        self.agenda.borrow().as_ref().map(look).unwrap_or_default()
    }

    /// Sets the alarm for the pending commands, unless it is set to ring before. While the work for the alarm is under way, a
    /// later alarm is set at its end: a crash before must not leave an alarm that is too late for the forwards.
    pub(super) fn arm_for_pending(&self, is_ringing: bool) -> Result<(), StorageError> {
        let backstop = self.now.get().later(BACKSTOP_MILLIS);
        if is_ringing && self.next_ring().is_none_or(|next| next >= backstop) {
            return Ok(());
        }
        self.arm(None)
    }

    fn insert_parts(&mut self, stream: &StreamId, parts: DecisionParts<'_>) -> Result<(), StorageError> {
        let due = parts.pending.iter().filter_map(|change| match change {
            PendingChange::Put(pending) => pending.state.due(),
            PendingChange::Remove(_) | PendingChange::Park(_) => None,
        });
        let due = due.map(|due| self.ring_for(due)).min();
        match parts.commit {
            Some(_) => {
                let DecisionParts { commit, outcome, pending } = parts;
                let Some(commit) = commit else { return Ok(()) };
                self.inserting(commit, due, |log, commit| {
                    log.insert_decision(stream, DecisionParts { commit: Some(commit), outcome, pending })
                })
            }
            None => {
                if due.is_some() {
                    self.arm(due)?;
                }
                self.log.insert_decision(stream, parts)
            }
        }
    }
}

impl<L: DecisionLog, A: Alarm> DecisionLog for Outbox<L, A> {
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError> {
        self.log.outcome(stream, id)
    }

    fn insert_decision(&mut self, stream: &StreamId, parts: DecisionParts<'_>) -> Result<(), StorageError> {
        let pending = parts.pending;
        if !pending.is_empty() {
            self.know_agenda(stream)?;
        }
        let inserted = self.insert_parts(stream, parts);
        match (&inserted, self.agenda.get_mut()) {
            (Ok(()), Some(agenda)) => pending.iter().for_each(|change| agenda.change(change)),
            // A failed call may still have written.
            (Err(_), agenda) if !pending.is_empty() => *agenda = None,
            _ => {}
        }
        inserted
    }

    fn pending(&self, stream: &StreamId, key: &PendingKey) -> Result<Option<PendingCommand>, StorageError> {
        self.log.pending(stream, key)
    }

    fn scan_pending(
        &self,
        stream: &StreamId,
        after: &PendingKey,
        visit: VisitPending<'_>,
    ) -> Result<(), StorageError> {
        self.log.scan_pending(stream, after, visit)
    }

    fn agenda(&self, stream: &StreamId, visit: VisitAgenda<'_>) -> Result<(), StorageError> {
        self.know_agenda(stream)?;
        self.with_agenda(|agenda| agenda.visit(visit));
        Ok(())
    }

    fn remove_outcomes(
        &mut self,
        stream: &StreamId,
        before: RecordedTime,
        near: &IdempotencyKey,
    ) -> Result<(), StorageError> {
        self.log.remove_outcomes(stream, before, near)
    }

    fn snapshot(&self, stream: &StreamId, code: &str) -> Result<Option<Snapshot>, StorageError> {
        self.log.snapshot(stream, code)
    }

    fn insert_snapshot(&mut self, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.log.insert_snapshot(stream, snapshot)
    }
}

impl<L: StreamLog, A: Alarm> StreamLog for Outbox<L, A> {
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.log.head(stream)
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        self.log.base(stream)
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        self.inserting(commit, None, |log, commit| log.insert(stream, commit).map(|_| ()))?;
        Ok(None)
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        self.log.find(stream, key, visit)
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.log.scan(stream, start, direction, visit)
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.arm_to_forward(None)?;
        self.made.take();
        self.agenda.take();
        self.log.forget(stream, base)
    }
}
