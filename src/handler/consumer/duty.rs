//! The duty to run. The alarm makes it durable: even after a crash, the consumer is woken again while there may be
//! work.

use super::machine::Consumer;
use crate::gateway::alarm::is_lost;
use crate::gateway::{Alarm, Due};
use crate::handler::stored::state::{Running, Trouble};
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

/// The longest time from the start of a duty to its alarm, in milliseconds.
pub const BACKSTOP_MILLIS: u64 = 5000;

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Notes whether a partition may have more events for the live lane.
    pub(in crate::handler) fn set_pending(&mut self, partition: usize, pending: bool) {
        if let Some(place) = self.pending.get_mut(partition) {
            *place = pending;
        }
    }

    /// Passes the time of the alarm to the machine, once after it was opened. Returns whether the alarm was lost: it is
    /// overdue, or is set further ahead than any alarm may be. The machine then sets it again. Run the machine after a
    /// lost alarm.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn started(&mut self, armed: Option<RecordedTime>, now: RecordedTime) -> Result<bool, StorageError> {
        self.armed.set(armed);
        // An alarm that is only just due may be the one that starts the object.
        let lost = armed.is_some_and(|at| self.is_lost(at, now));
        if lost {
            self.busy = true;
            self.arm(now.later(BACKSTOP_MILLIS))?;
        }
        Ok(lost)
    }

    /// Takes on the duty to read new events in a partition of the feed. The alarm is set when this returns, so the duty
    /// survives a crash. Run the machine then.
    ///
    /// # Errors
    /// [`StorageError`]. The consumer then has no duty.
    pub fn woken(&mut self, partition: usize, now: RecordedTime) -> Result<(), StorageError> {
        if let Some(pending) = self.pending.get_mut(partition) {
            *pending = true;
        }
        self.asked = self.asked.map(|(read, _)| (read, true));
        // A paused or stopped consumer reads the feed when it is resumed.
        if self.state.status != Running::Running {
            return Ok(());
        }
        self.busy = true;
        if self.armed.get().is_none_or(|at| self.is_lost(at, now)) {
            self.arm(now.later(BACKSTOP_MILLIS))?;
        }
        Ok(())
    }

    /// Notes that the alarm has rung. Run the machine then. It reads every partition once. If it finds nothing to do,
    /// no alarm is set.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn rang(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.armed.set(None);
        self.pending.fill(true);
        // The alarm must ring again if a crash cuts off the work under way.
        if self.busy { self.arm_soon(now) } else { Ok(()) }
    }

    /// Notes that the requested page could not be read. The alarm is set for another attempt. Do not run the machine
    /// until then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn missed(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.asked = None;
        self.busy = true;
        self.arm_soon(now)
    }

    /// Sets the alarm to the backstop, unless it rings earlier.
    pub(in crate::handler) fn arm_soon(&self, now: RecordedTime) -> Result<(), StorageError> {
        let soon = now.later(BACKSTOP_MILLIS);
        if self.armed.get().is_none_or(|at| at > soon || self.is_lost(at, now)) {
            self.arm(soon)
        } else {
            Ok(())
        }
    }

    pub(in crate::handler) fn arm(&self, at: RecordedTime) -> Result<(), StorageError> {
        self.alarm.set(at)?;
        self.armed.set(Some(at));
        Ok(())
    }

    /// Whether the next attempt at a failed event is not due yet.
    pub(in crate::handler) fn is_waiting(&self, trouble: &Trouble, now: RecordedTime) -> bool {
        !self.due(trouble.until).is_reached(now)
    }

    /// Whether an alarm is overdue, or a wrong clock has set it too far ahead.
    fn is_lost(&self, at: RecordedTime, now: RecordedTime) -> bool {
        is_lost(at, self.longest(), now)
    }

    fn due(&self, at: RecordedTime) -> Due {
        Due::new(at, self.longest())
    }

    /// The longest time until an attempt or a read of the feed may be due, in milliseconds.
    fn longest(&self) -> u64 {
        self.settings.policy.longest_delay.max(BACKSTOP_MILLIS)
    }
}
