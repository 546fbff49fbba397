//! Changes of a consumer while deliveries are under way.

use super::driver::{ConsumerDriver, ConsumerTurn};
use super::effects::ConsumerEffect;
use super::machine::Consumer;
use super::run::Run;
use crate::gateway::{Alarm, CallId};
use crate::store::StorageError;
use crate::store::sqlite::Sql;

/// The longest time that a new definition waits for deliveries under way, in milliseconds. They are then not repeated.
const CHANGE_MILLIS: u64 = 1_000;

/// A change that waits.
#[derive(Debug)]
pub(super) struct Change {
    call: CallId,
    wait: CallId,
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// Waits until no delivery is under way, at most one second. Then [`ConsumerEffect::Change`] follows.
    pub fn change(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId) {
        if self.run.as_ref().is_some_and(Run::is_delivering) {
            let wait = self.calls.next();
            self.changes.push(Change { call, wait });
            turn.push(ConsumerEffect::Wait { call: wait, millis: CHANGE_MILLIS });
        } else {
            turn.push(ConsumerEffect::Change { call });
        }
    }

    /// Makes the waiting changes. Returns whether there was one.
    pub(super) fn make_changes(&mut self, turn: &mut ConsumerTurn<'_>) -> bool {
        let changes = std::mem::take(&mut self.changes);
        let any = !changes.is_empty();
        for Change { call, .. } in changes {
            turn.push(ConsumerEffect::Change { call });
        }
        any
    }

    /// Makes the change whose time is over.
    pub(super) fn make_late_change(&mut self, turn: &mut ConsumerTurn<'_>, wait: CallId) {
        if let Some(at) = self.changes.iter().position(|change| change.wait == wait) {
            let Change { call, .. } = self.changes.swap_remove(at);
            turn.push(ConsumerEffect::Change { call });
        }
    }

    /// Replaces the machine, because the consumer has a new definition. `open` opens the new machine, and `write` stores the
    /// definition. A run begins after this turn.
    ///
    /// # Errors
    /// The errors of `open` and `write`, and of the storage. The old machine then continues. `write` may have stored the
    /// definition.
    pub fn redefine<E: From<StorageError>>(
        &mut self,
        turn: &mut ConsumerTurn<'_>,
        open: impl FnOnce() -> Result<Consumer<S, A>, E>,
        write: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        // Delivered events must not be delivered again.
        self.machine.save()?;
        let mut machine = open()?;
        write()?;
        // The failed events may succeed with the new definition.
        machine.renew(turn.now())?;
        self.machine = machine;
        self.started = false;
        self.look_again(turn);
        self.begin(turn);
        Ok(())
    }
}
