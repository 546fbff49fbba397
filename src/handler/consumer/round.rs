//! A round of a retry through the dead letters, and its next letter.

use super::machine::Consumer;
use super::policy::OnFailure;
use crate::gateway::Alarm;
use crate::handler::feed::{Hand, Lane};
use crate::handler::stored::storage::NextLetter;
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Takes the next dead letter of the round into the hand. Returns whether the search for it is not finished. Then
    /// other calls have their turn first.
    pub(in crate::handler) fn take_letter(&mut self, now: RecordedTime) -> Result<bool, StorageError> {
        let round = self.state.round.as_ref().filter(|round| !self.is_waiting(&round.trouble, now));
        let Some(round) = round else { return Ok(false) };
        let in_order = self.settings.policy.on_failure == OnFailure::HoldStream;
        let letter = match self.store().next_letter(self.state.live.generation, round, in_order)? {
            NextLetter::Found(letter) => letter,
            NextLetter::Behind(id) => return self.look_behind(id, now).map(|()| true),
            NextLetter::None => return self.end_round().map(|()| false),
        };
        self.arm_soon(now)?;
        self.hand = Some(Hand {
            lane: Lane::Live,
            partition: letter.partition,
            after: letter.event.position,
            events: vec![letter.event].into_iter(),
            letter: Some(letter.id.get()),
        });
        Ok(false)
    }

    /// Continues the search after the letter with this id, also after a crash.
    fn look_behind(&mut self, id: u64, now: RecordedTime) -> Result<(), StorageError> {
        self.busy = true;
        self.arm_soon(now)?;
        self.commit(&mut |_, state| {
            if let Some(round) = &mut state.round {
                round.after = id;
            }
            Ok(())
        })
    }

    fn end_round(&mut self) -> Result<(), StorageError> {
        self.commit(&mut |_, state| {
            state.round = None;
            Ok(())
        })
    }
}
