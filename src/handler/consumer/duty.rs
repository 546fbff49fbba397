//! The duty to run, kept by the alarm: whatever dies, the consumer is woken again as long as there may be work.

use super::machine::Consumer;
use crate::gateway::{Alarm, Due};
use crate::handler::stored::state::{Running, Trouble};
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

/// The alarm rings at most this long after the consumer took up a duty, in milliseconds, should nothing else have come.
pub const BACKSTOP_MILLIS: u64 = 5000;

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Tells the machine, once after it was opened, for when its alarm is set. Says whether it was lost, because it should
    /// have rung a while ago or is set further ahead than any: it is set anew, and the caller runs the machine.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn started(&mut self, armed: Option<RecordedTime>, now: RecordedTime) -> Result<bool, StorageError> {
        self.armed.set(armed);
        // One that is only just due may be what the object was started for.
        let lost = armed.is_some_and(|at| self.is_lost(at, now));
        if lost {
            self.busy = true;
            self.arm(now.later(BACKSTOP_MILLIS))?;
        }
        Ok(lost)
    }

    /// Takes it as a duty that there is something new in a partition of the feed: when this returns, the alarm is set,
    /// so the duty outlives a crash. The caller then runs the machine.
    ///
    /// # Errors
    /// [`StorageError`]; the duty is then not taken.
    pub fn woken(&mut self, partition: usize, now: RecordedTime) -> Result<(), StorageError> {
        if let Some(pending) = self.pending.get_mut(partition) {
            *pending = true;
        }
        self.asked = self.asked.map(|(read, _)| (read, true));
        // Who does not run looks at the feed when resumed.
        if self.state.status != Running::Running {
            return Ok(());
        }
        self.busy = true;
        if self.armed.get().is_none_or(|at| self.is_lost(at, now)) {
            self.arm(now.later(BACKSTOP_MILLIS))?;
        }
        Ok(())
    }

    /// Takes note that the alarm rang. The caller then runs the machine, which looks at every partition once; a ring
    /// that finds nothing to do leaves the alarm unset.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn rang(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.armed.set(None);
        self.pending.fill(true);
        // What is under way when it rings must be found again should it be cut off.
        if self.busy { self.arm_soon(now) } else { Ok(()) }
    }

    /// Takes note that the page asked for could not be read. The alarm is set, so that it is tried again; the caller
    /// stops running the machine until then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn missed(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.asked = None;
        self.busy = true;
        self.arm_soon(now)
    }

    /// Sets the alarm to the backstop, unless it rings before.
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

    /// Whether what failed is not attempted yet.
    pub(in crate::handler) fn rests(&self, trouble: &Trouble, now: RecordedTime) -> bool {
        !self.due(trouble.until).is_reached(now)
    }

    /// Whether an alarm should have rung a while ago, or is set for a time that a wrong clock has told.
    fn is_lost(&self, at: RecordedTime, now: RecordedTime) -> bool {
        self.due(at).is_lost(BACKSTOP_MILLIS + 1, now)
    }

    /// Nothing is to be done later than so: neither an attempt nor a look at the feed.
    fn due(&self, at: RecordedTime) -> Due {
        Due::new(at, self.settings.policy.longest_delay.max(BACKSTOP_MILLIS))
    }
}
