//! Readers that wait until a projection covers an event.

use super::driver::ConsumerDriver;
use super::effect::{ConsumerEffect, ConsumerTurn};
use crate::gateway::{Alarm, CallId};
use crate::store::sqlite::Sql;
use crate::store::{Checkpoint, Position, RecordedTime, StorageError};

/// All waiting readers.
#[derive(Debug, Default)]
pub(super) struct Reaching(Vec<Waiting>);

/// A reader that waits for a position of a partition, until a time.
#[derive(Debug)]
pub(super) struct Waiting {
    call: CallId,
    partition: usize,
    position: Position,
    until: RecordedTime,
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
        turn.pays(call);
        let waiting = Waiting { call, partition, position, until: turn.now().later(millis) };
        if self.look_at(turn, waiting, millis == 0) {
            return;
        }
        turn.push(ConsumerEffect::Wait { millis });
        // The consumer reads the feed at once, so that the reader need not wait for the journal's wake.
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

    /// Checks again the readers for which `is_it` returns true.
    pub(super) fn look_again(&mut self, turn: &mut ConsumerTurn<'_>, is_it: impl Fn(&Waiting) -> bool) {
        let waiting: Vec<_> = self.reaching.0.extract_if(.., |waiting| is_it(waiting)).collect();
        for waiting in waiting {
            self.look_at(turn, waiting, false);
        }
    }

    /// Answers the readers whose time is over.
    pub(super) fn expire(&mut self, turn: &mut ConsumerTurn<'_>) {
        let now = turn.now();
        let over: Vec<_> = self.reaching.0.extract_if(.., |waiting| waiting.until <= now).collect();
        for waiting in over {
            self.look_at(turn, waiting, true);
        }
    }

    /// Answers a reader whose position is reached, or whose check is the last. Returns whether it has answered.
    fn look_at(&mut self, turn: &mut ConsumerTurn<'_>, waiting: Waiting, is_last: bool) -> bool {
        let reached = self.machine().reached(waiting.partition, waiting.position);
        if matches!(reached, Ok(false)) && !is_last {
            self.reaching.0.push(waiting);
            return false;
        }
        turn.push(ConsumerEffect::Reached { call: waiting.call, outcome: reached });
        true
    }
}
