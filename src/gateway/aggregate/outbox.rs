//! The duty to forward. It is durable together with the commits.

use std::cell::{Cell, RefCell};

use crate::gateway::alarm::{Alarm, is_lost};
use crate::gateway::backoff::LONGEST_MILLIS;
use crate::store::{
    Base, Commit, DecisionLog, Direction, Head, IdempotencyKey, Outcome, RecordedTime, Snapshot,
    StorageError, StreamId, StreamLog, Version, Visit,
};

/// The time from a commit to its alarm, in milliseconds, unless an earlier alarm is set. It is long enough to forward
/// the commit first, so that the alarm finds nothing to do. It is short enough that the object is still awake and knows
/// so.
const BACKSTOP_MILLIS: u64 = 5_000;
/// The largest commit that stays in memory until it is forwarded, in bytes of its events. A larger commit is read
/// again, because other objects share the memory.
const MADE_BYTES: usize = 128 * 1024;

/// The log of an aggregate. While it holds commits to forward, an alarm is set.
///
/// There is no table of messages. The log is the outbox, and the journal knows which commits it has.
#[derive(Debug)]
pub(super) struct Outbox<L, A> {
    log: L,
    alarm: A,
    /// The time of the alarm, as far as the object knows since it has started.
    armed: Cell<Option<RecordedTime>>,
    /// The time of the current call, by the caller's clock.
    now: Cell<RecordedTime>,
    /// The last commit, until [`just_made`](Self::just_made) takes it.
    made: RefCell<Option<Commit>>,
}

impl<L, A: Alarm> Outbox<L, A> {
    pub(super) fn new(log: L, alarm: A) -> Self {
        Self { log, alarm, armed: Cell::default(), now: Cell::default(), made: RefCell::default() }
    }

    /// Takes the last commit of the stream, if it was made after the previous call. Then the caller need not read it.
    pub(super) fn just_made(&self) -> Option<Commit> {
        self.made.take()
    }

    /// Sets the time of the current call.
    pub(super) fn at(&self, now: RecordedTime) {
        self.now.set(now);
    }

    /// Notes the time of the alarm.
    pub(super) fn found_armed(&self, at: RecordedTime) {
        self.armed.set(Some(at));
    }

    /// Notes that the alarm has rung.
    pub(super) fn rang(&self) {
        self.armed.set(None);
    }

    /// Whether the alarm is overdue, or a wrong clock has set it too far ahead.
    pub(super) fn is_lost(&self) -> bool {
        self.armed.get().is_some_and(|at| is_lost(at, LONGEST_MILLIS, self.now.get()))
    }

    /// Sets the alarm to this many milliseconds from now.
    pub(super) fn arm_in(&self, millis: u64) -> Result<(), StorageError> {
        let at = self.now.get().later(millis);
        self.alarm.set(at)?;
        self.armed.set(Some(at));
        Ok(())
    }

    /// Sets the alarm, unless one is set that was not lost.
    fn arm(&self) -> Result<(), StorageError> {
        if self.armed.get().is_none() || self.is_lost() {
            self.arm_in(BACKSTOP_MILLIS)?;
        }
        Ok(())
    }
}

impl<L, A: Alarm> Outbox<L, A> {
    fn inserting(
        &mut self,
        commit: Commit,
        insert: impl FnOnce(&mut L, Commit) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        // The alarm comes first. A needless alarm does no harm, but a commit without an alarm might never be forwarded.
        self.arm()?;
        self.made.take();
        let made = (commit.events.len() <= MADE_BYTES).then(|| Commit { key: None, ..commit.clone() });
        insert(&mut self.log, commit)?;
        *self.made.get_mut() = made;
        Ok(())
    }
}

impl<L: DecisionLog, A: Alarm> DecisionLog for Outbox<L, A> {
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError> {
        self.log.outcome(stream, id)
    }

    fn insert_decision(
        &mut self,
        stream: &StreamId,
        commit: Option<Commit>,
        outcome: Option<(&IdempotencyKey, &Outcome)>,
    ) -> Result<(), StorageError> {
        match commit {
            Some(commit) => {
                self.inserting(commit, |log, commit| log.insert_decision(stream, Some(commit), outcome))
            }
            None => self.log.insert_decision(stream, None, outcome),
        }
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

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<(), StorageError> {
        self.inserting(commit, |log, commit| log.insert(stream, commit))
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
        self.arm()?;
        self.made.take();
        self.log.forget(stream, base)
    }
}
