//! Readers that wait until a projection covers an event.

use super::driver::{ConsumerDriver, ConsumerTurn};
use super::effects::ConsumerEffect;
use crate::gateway::{Alarm, CallId};
use crate::store::sqlite::Sql;
use crate::store::{Checkpoint, Position, StorageError};

/// All waiting readers.
#[derive(Debug, Default)]
pub(super) struct Reaching(Vec<Waiting>);

/// One that waits for a position of a partition.
#[derive(Debug)]
pub(super) struct Waiting {
    call: CallId,
    partition: usize,
    position: Position,
    /// The wait that ends it.
    wait: CallId,
}

impl Waiting {
    fn is_reached(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.position(self.partition) >= self.position
    }
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// Waits until the checkpoint has reached a position, at most `millis` milliseconds. [`ConsumerEffect::Reached`] is
    /// the answer.
    pub fn reach(
        &mut self,
        turn: &mut ConsumerTurn<'_>,
        call: CallId,
        (partition, position): (usize, Position),
        millis: u64,
    ) {
        let wait = self.calls.next();
        let waiting = Waiting { call, partition, position, wait };
        if self.look_at(turn, waiting, millis == 0) {
            return;
        }
        turn.push(ConsumerEffect::Wait { call: wait, millis });
        // The reader need not wait until the journal wakes the consumer.
        if let Err(error) = self.woken(turn, partition) {
            self.reaching.0.retain(|waiting| waiting.call != call);
            turn.push(ConsumerEffect::Reached { call, outcome: Err(error) });
        }
    }

    /// Answers the readers whose position is reached.
    pub(super) fn answer_reached(&mut self, turn: &mut ConsumerTurn<'_>) -> Result<(), StorageError> {
        if self.reaching.0.is_empty() {
            return Ok(());
        }
        let checkpoint = self.machine().checkpoint()?;
        for Waiting { call, .. } in self.reaching.0.extract_if(.., |waiting| waiting.is_reached(&checkpoint))
        {
            turn.push(ConsumerEffect::Reached { call, outcome: Ok(true) });
        }
        Ok(())
    }

    /// Looks again for all that wait.
    pub(super) fn look_again(&mut self, turn: &mut ConsumerTurn<'_>) {
        for waiting in std::mem::take(&mut self.reaching.0) {
            self.look_at(turn, waiting, false);
        }
    }

    /// Answers the one whose time is over.
    pub(super) fn expire(&mut self, turn: &mut ConsumerTurn<'_>, wait: CallId) {
        if let Some(at) = self.reaching.0.iter().position(|waiting| waiting.wait == wait) {
            let waiting = self.reaching.0.swap_remove(at);
            self.look_at(turn, waiting, true);
        }
    }

    /// Answers a reader whose position is reached, or whose check is the last. Returns whether it has answered.
    fn look_at(&mut self, turn: &mut ConsumerTurn<'_>, waiting: Waiting, is_last: bool) -> bool {
        turn.pays(waiting.call);
        let reached = self.machine().reached(waiting.partition, waiting.position);
        if matches!(reached, Ok(false)) && !is_last {
            self.reaching.0.push(waiting);
            return false;
        }
        turn.push(ConsumerEffect::Reached { call: waiting.call, outcome: reached });
        true
    }
}
