//! Changing a consumer while events are being delivered.

use super::driver::{ConsumerDriver, ConsumerTurn};
use super::effects::ConsumerEffect;
use super::machine::Consumer;
use super::run::Run;
use crate::gateway::{Alarm, CallId};
use crate::store::StorageError;
use crate::store::sqlite::Sql;

/// How long a new definition waits for deliveries under way, so that they are not repeated, in milliseconds.
const CHANGE_MILLIS: u64 = 1_000;

/// A change that waits.
#[derive(Debug)]
pub(super) struct Change {
    call: CallId,
    wait: CallId,
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// Waits until nothing is being delivered, but no longer than a second. Then [`ConsumerEffect::Change`] comes.
    pub fn change(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId) {
        if self.run.as_ref().is_some_and(Run::is_delivering) {
            let wait = self.calls.next();
            self.changes.push(Change { call, wait });
            turn.push(ConsumerEffect::Wait { call: wait, millis: CHANGE_MILLIS });
        } else {
            turn.push(ConsumerEffect::Change { call });
        }
    }

    /// Makes the changes that wait. Says whether there were any.
    pub(super) fn make_changes(&mut self, turn: &mut ConsumerTurn<'_>) -> bool {
        let changes = std::mem::take(&mut self.changes);
        let any = !changes.is_empty();
        for Change { call, .. } in changes {
            turn.push(ConsumerEffect::Change { call });
        }
        any
    }

    /// Makes the change of which the time is over.
    pub(super) fn make_late_change(&mut self, turn: &mut ConsumerTurn<'_>, wait: CallId) {
        if let Some(at) = self.changes.iter().position(|change| change.wait == wait) {
            let Change { call, .. } = self.changes.swap_remove(at);
            turn.push(ConsumerEffect::Change { call });
        }
    }

    /// Puts another machine in place of this one: the consumer was defined anew. `open` opens it, `write` stores the definition.
    ///
    /// # Errors
    /// The errors of `open` and `write`, and of the storage. The old machine then goes on; `write` may have stored the definition.
    pub fn redefine<E: From<StorageError>>(
        &mut self,
        turn: &mut ConsumerTurn<'_>,
        open: impl FnOnce() -> Result<Consumer<S, A>, E>,
        write: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        // What was delivered already is not to be delivered again.
        self.machine.save()?;
        let mut machine = open()?;
        write()?;
        // What kept the events from arriving may be mended.
        machine.renew(turn.now())?;
        self.machine = machine;
        self.started = false;
        self.look_again(turn);
        Ok(())
    }
}
