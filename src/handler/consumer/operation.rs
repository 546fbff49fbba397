//! The operations of administrators, as the driver carries them out: a run follows on an operation that may cause work.

use std::ops::RangeInclusive;

use super::dead_letters::LetterId;
use super::driver::{ConsumerDriver, ConsumerTurn};
use super::effects::ConsumerEffect;
use super::operate::RebuildError;
use super::status::Status;
use crate::gateway::{Alarm, CallId};
use crate::store::sqlite::Sql;
use crate::store::{Checkpoint, StorageError};

/// An operation of an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// [`Consumer::pause`](super::machine::Consumer::pause).
    Pause,
    /// [`Consumer::resume`](super::machine::Consumer::resume).
    Resume,
    /// [`Consumer::rebuild`](super::machine::Consumer::rebuild).
    Rebuild,
    /// [`Consumer::retry`](super::machine::Consumer::retry).
    Retry,
}

/// A discard that continues after other requests had their turn.
#[derive(Debug)]
pub(super) struct Discard {
    call: CallId,
    /// The ids of the letters.
    ids: RangeInclusive<u64>,
    /// The number of the [`ConsumerEffect::Later`] before the next page.
    next: CallId,
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// Carries out an operation. A run begins after this turn.
    ///
    /// # Errors
    /// [`RebuildError`]. Only a rebuild can be refused.
    pub fn operate(&mut self, turn: &mut ConsumerTurn<'_>, operation: Operation) -> Result<(), RebuildError> {
        let now = turn.now();
        match operation {
            Operation::Pause => self.machine.pause()?,
            Operation::Resume => self.machine.resume(now)?,
            Operation::Rebuild => self.machine.rebuild(now)?,
            Operation::Retry => self.machine.retry(now)?,
        }
        self.begin(turn);
        Ok(())
    }

    /// Returns the status. `end` is the end of the feed. A run begins after this turn if the checkpoint is before the end: after
    /// a restart, the machine does not know how many events it had skipped, so it reads again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn status(&mut self, turn: &mut ConsumerTurn<'_>, end: &Checkpoint) -> Result<Status, StorageError> {
        let status = self.machine.status()?;
        self.asked(turn);
        if status.checkpoint.lag(end) > 0 {
            self.begin(turn);
        }
        Ok(status)
    }

    /// Discards a dead letter, or all present ones if `letter` is `None`. It removes them page by page, and other requests have
    /// turns in between. [`ConsumerEffect::Discarded`] is the answer. Then a run begins.
    pub fn discard(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId, letter: Option<LetterId>) {
        let removed = match letter {
            Some(id) => self.machine.discard(id.get()..=id.get()),
            // Letters that come later are not discarded.
            None => match self.machine.last_letter() {
                Ok(last) => return self.discard_page(turn, call, 1..=last),
                Err(error) => Err(error),
            },
        };
        self.end_discard(turn, call, removed);
    }

    /// Continues the discard that waits with this number.
    pub(super) fn continue_discard(&mut self, turn: &mut ConsumerTurn<'_>, next: CallId) {
        if let Some(at) = self.discards.iter().position(|discard| discard.next == next) {
            let Discard { call, ids, .. } = self.discards.swap_remove(at);
            self.discard_page(turn, call, ids);
        }
    }

    fn discard_page(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId, ids: RangeInclusive<u64>) {
        match self.machine.discard(ids.clone()) {
            Ok(true) => {
                turn.pays(call);
                let next = self.calls.next();
                self.discards.push(Discard { call, ids, next });
                turn.push(ConsumerEffect::Later { call: next });
            }
            // All letters are removed, even if there was none.
            Ok(false) => self.end_discard(turn, call, Ok(true)),
            Err(error) => self.end_discard(turn, call, Err(error)),
        }
    }

    fn end_discard(
        &mut self,
        turn: &mut ConsumerTurn<'_>,
        call: CallId,
        outcome: Result<bool, StorageError>,
    ) {
        turn.pays(call);
        let is_discarded = matches!(outcome, Ok(true));
        turn.push(ConsumerEffect::Discarded { call, outcome });
        if is_discarded {
            // Another letter may have waited for a discarded one.
            self.begin(turn);
        }
    }
}
