//! The duty to forward: durable together with what is to be forwarded.

use std::cell::{Cell, RefCell};

use crate::gateway::alarm::{Alarm, is_lost};
use crate::gateway::backoff::LONGEST_MILLIS;
use crate::store::{
    Base, Commit, Direction, Head, IdempotencyKey, RecordedTime, StorageError, StreamId, StreamLog, Version,
    Visit,
};

/// How long after a commit its alarm rings, unless it rings for an earlier one before, in milliseconds. Long enough that
/// the commit is forwarded by then and the alarm finds nothing to do; short enough that the object is still awake and
/// knows so.
const BACKSTOP_MILLIS: u64 = 5_000;
/// The largest commit that is kept in memory until it is forwarded, in bytes of its events. A larger one is read again: the
/// memory is shared with other objects.
const MADE_BYTES: usize = 128 * 1024;

/// The log of an aggregate, which never holds anything to be forwarded without an alarm that is to ring.
///
/// There is no table of messages: the log is the outbox, and how far the journal has it, the journal knows.
#[derive(Debug)]
pub(super) struct Outbox<L, A> {
    log: L,
    alarm: A,
    /// When the alarm is to ring, as far as is known since the object has started.
    armed: Cell<Option<RecordedTime>>,
    /// The time of what is going on, by the caller's clock.
    now: Cell<RecordedTime>,
    /// The last commit, from when it was made until it is taken.
    made: RefCell<Option<Commit>>,
}

impl<L, A: Alarm> Outbox<L, A> {
    pub(super) fn new(log: L, alarm: A) -> Self {
        Self { log, alarm, armed: Cell::default(), now: Cell::default(), made: RefCell::default() }
    }

    /// The last commit of the stream, if it was made since this was last asked for: then it need not be read.
    pub(super) fn just_made(&self) -> Option<Commit> {
        self.made.take()
    }

    /// Tells what time it is.
    pub(super) fn at(&self, now: RecordedTime) {
        self.now.set(now);
    }

    /// Takes note of the alarm that is set.
    pub(super) fn found_armed(&self, at: RecordedTime) {
        self.armed.set(Some(at));
    }

    /// Takes note that the alarm has rung.
    pub(super) fn rang(&self) {
        self.armed.set(None);
    }

    /// Whether the alarm should have rung, or is set for a time that a wrong clock has told.
    pub(super) fn is_lost(&self) -> bool {
        self.armed.get().is_some_and(|at| is_lost(at, LONGEST_MILLIS, self.now.get()))
    }

    /// Sets the alarm so many milliseconds from now.
    pub(super) fn arm_in(&self, millis: u64) -> Result<(), StorageError> {
        let at = self.now.get().later(millis);
        self.alarm.set(at)?;
        self.armed.set(Some(at));
        Ok(())
    }

    /// Sees to it that the alarm is going to ring.
    fn arm(&self) -> Result<(), StorageError> {
        if self.armed.get().is_none() || self.is_lost() {
            self.arm_in(BACKSTOP_MILLIS)?;
        }
        Ok(())
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
        // First the alarm: one that rings for nothing does no harm, a commit without one might never be forwarded.
        self.arm()?;
        self.made.take();
        let made = (commit.events.len() <= MADE_BYTES).then(|| Commit { key: None, ..commit.clone() });
        self.log.insert(stream, commit)?;
        *self.made.get_mut() = made;
        Ok(())
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
