//! The handling of outcomes: what follows for the events in hand.

use super::attempt::Outcome;
use super::dead_letters::{DeadLetter, LetterError, LetterId, Reason};
use super::failures::{AfterFailure, FailureReport};
use super::machine::Consumer;
use super::policy::{Kind, OnFailure};
use super::window::Ended;
use crate::gateway::Alarm;
use crate::handler::feed::{FeedEvent, Hand, Lane};
use crate::handler::projections::documents::Documents;
use crate::handler::stored::state::{FailedEvent, LastError, Running, State, stored_text};
use crate::store::limits::STACK_BYTES;
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

/// A projection's function for an event. It changes documents, or returns why it cannot.
pub type Apply<'a, S, O = Outcome> = &'a mut dyn FnMut(&FeedEvent, &Documents<S>) -> O;

/// A failed attempt and its circumstances.
struct Failure<'a> {
    outcome: &'a Outcome,
    now: RecordedTime,
    /// A random number.
    jitter: u32,
    /// Whether another event of the batch may have caused the failure. Then the event is attempted again, and no
    /// attempt is counted.
    shared: bool,
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Applies the events in hand. The changes of `apply` to the documents become durable in one transaction with the
    /// checkpoint. If `apply` fails for an event, the changes for this event are undone. The changes for earlier events
    /// stay. `jitter` is a random number.
    ///
    /// # Errors
    /// [`StorageError`]. Nothing was applied then.
    pub fn project<O: Into<Outcome>>(
        &mut self,
        now: RecordedTime,
        jitter: u32,
        apply: Apply<'_, S, O>,
    ) -> Result<(), StorageError> {
        self.apply(now, jitter, &mut |event, documents| apply(event, documents).into())
    }

    fn apply(&mut self, now: RecordedTime, jitter: u32, apply: Apply<'_, S>) -> Result<(), StorageError> {
        let runs = self.state.status == Running::Running && self.settings.kind == Kind::Projection;
        let Some(hand) = self.hand.take_if(|_| runs) else { return Ok(()) };
        let generation = self.state.track(hand.lane).generation;
        let documents = Documents::new(self.storage.clone(), generation);
        let (cut_off, mut counted) = (self.cut_off.take(), false);
        let mut failed = false;
        let applied = self.commit(&mut |machine, state| {
            for event in hand.events.as_slice() {
                let cut_off = cut_off.as_ref().and_then(|cut_off| cut_off.reason_of(event));
                if machine.holds(state, &hand, event)? {
                    machine.put_held(state, &hand, event, now)?;
                    continue;
                }
                let outcome = match cut_off {
                    Some(reason) => Outcome::failed(reason),
                    None => apply(event, &documents),
                };
                if outcome.is_done() {
                    documents.accept()?;
                    machine.succeed(state, &hand, event)?;
                } else {
                    counted |= cut_off.is_some();
                    documents.undo()?;
                    let failure = Failure { outcome: &outcome, now, jitter, shared: false };
                    failed = !machine.fail(state, &hand, event, &failure)?;
                }
                if failed {
                    break;
                }
            }
            if !failed {
                state.advance(&hand, hand.after);
            }
            documents.flush()?;
            if hand.lane == Lane::Live {
                machine.written.replace(documents.take_written());
            }
            Ok(())
        });
        documents.close();
        if !counted || applied.is_err() {
            self.cut_off = cut_off;
        }
        if failed {
            self.set_pending(hand.partition, true);
        }
        self.settled(applied)
    }

    /// Processes the outcome of the delivery with this id. It ignores a delivery that is not under way. `jitter` is a
    /// random number.
    ///
    /// # Errors
    /// [`StorageError`]. The event is then delivered again.
    pub fn delivered(
        &mut self,
        id: &str,
        outcome: Outcome,
        now: RecordedTime,
        jitter: u32,
    ) -> Result<(), StorageError> {
        if !self.offers.note_outcome(id, outcome, jitter) {
            return Ok(());
        }
        let settled = self.settle(now).map(|_| ());
        self.settled(settled)
    }

    /// Processes the events at the front of the hand, up to the first without a known outcome. Returns whether there
    /// was one with an outcome.
    pub(in crate::handler) fn settle(&mut self, now: RecordedTime) -> Result<bool, StorageError> {
        let mut any = false;
        while let Some(Ended { outcome, jitter, shared }) = self.take_ended() {
            let Some(mut hand) = self.hand.take() else { break };
            let Some(event) = hand.events.next() else { break };
            any = true;
            if outcome.is_done() {
                self.delivery_succeeded(hand, &event)?;
            } else {
                self.delivery_failed(hand, &event, &Failure { outcome: &outcome, now, jitter, shared })?;
            }
        }
        Ok(any)
    }

    fn delivery_succeeded(&mut self, hand: Hand, event: &FeedEvent) -> Result<(), StorageError> {
        let ended = hand.front().is_none();
        self.unsaved += 1;
        self.offers.passed(&hand);
        let troubled = self.state.trouble_mut(&hand).failures > 0;
        let running = self.state.status == Running::Running;
        if ended || troubled || !running || self.is_enough_unsaved() {
            self.commit(&mut |machine, state| {
                machine.succeed(state, &hand, event)?;
                machine.end(state, &hand);
                Ok(())
            })?;
        } else {
            self.state.advance(&hand, event.position);
        }
        self.put_back(hand);
        Ok(())
    }

    fn delivery_failed(
        &mut self,
        hand: Hand,
        event: &FeedEvent,
        failure: &Failure<'_>,
    ) -> Result<(), StorageError> {
        let mut behind = false;
        // A refused event is itself at fault, so the other events need no check.
        if let Outcome::Failed { .. } = failure.outcome {
            self.offers.failed(&hand);
        }
        self.commit(&mut |machine, state| {
            behind = machine.fail(state, &hand, event, failure)?;
            if behind {
                machine.end(state, &hand);
            }
            Ok(())
        })?;
        if behind {
            self.offers.passed(&hand);
            self.put_back(hand);
        } else {
            // The page is read again at the event's next attempt. Until then, other events have their turn.
            self.set_pending(hand.partition, true);
        }
        Ok(())
    }

    /// Moves the events at the front of the hand to the dead letters, while their streams are held.
    pub(in crate::handler) fn hold_back(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        loop {
            let held = match self.hand.as_ref().and_then(|hand| Some((hand, hand.front()?))) {
                Some((hand, event)) => self.holds(&self.state, hand, event)?,
                None => false,
            };
            let Some(mut hand) = self.hand.take_if(|_| held) else { return Ok(()) };
            let Some(event) = hand.events.next() else { return Ok(()) };
            self.commit(&mut |machine, state| {
                machine.put_held(state, &hand, &event, now)?;
                machine.end(state, &hand);
                Ok(())
            })?;
            self.put_back(hand);
        }
    }

    /// Puts the rest of a page back into the hand, unless another process has saved the state.
    fn put_back(&mut self, hand: Hand) {
        if self.known && hand.front().is_some() {
            self.hand = Some(hand);
        }
    }

    /// Whether the event must wait for an earlier event of its stream.
    pub(in crate::handler) fn holds(
        &self,
        state: &State,
        hand: &Hand,
        event: &FeedEvent,
    ) -> Result<bool, StorageError> {
        let in_order = self.settings.policy.on_failure == OnFailure::HoldStream;
        // If no id was ever given to a letter, there never was a letter.
        if !in_order || hand.letter.is_some() || state.letters == 0 {
            return Ok(false);
        }
        self.store().holds(state.track(hand.lane).generation, &event.stream)
    }

    /// Moves the checkpoint past a done event.
    fn succeed(&self, state: &mut State, hand: &Hand, event: &FeedEvent) -> Result<(), StorageError> {
        state.advance(hand, event.position);
        match hand.letter {
            Some(letter) => self.store().remove_letters(state.live.generation, letter, letter),
            None => Ok(()),
        }
    }

    /// Moves the checkpoint to the end of the page after its last event.
    fn end(&self, state: &mut State, hand: &Hand) {
        if hand.front().is_none() {
            state.advance(hand, hand.after);
        }
    }

    fn put_held(
        &self,
        state: &mut State,
        hand: &Hand,
        event: &FeedEvent,
        now: RecordedTime,
    ) -> Result<(), StorageError> {
        self.put_letter(state, hand, event, (Reason::Held, LetterError::default(), 0), now)
    }

    fn put_letter(
        &self,
        state: &mut State,
        hand: &Hand,
        event: &FeedEvent,
        (reason, error, attempts): (Reason, LetterError, u64),
        time: RecordedTime,
    ) -> Result<(), StorageError> {
        state.letters += 1;
        let (id, partition, event) = (LetterId::new(state.letters), hand.partition, event.clone());
        let position = event.position;
        let letter = DeadLetter { id, partition, event, reason, error, attempts, time };
        self.store().put_letter(state.track(hand.lane).generation, &letter)?;
        state.advance(hand, position);
        Ok(())
    }

    /// Counts a failed attempt, and reports it. Returns whether it was the last one, so that the checkpoint is now past the
    /// event. The outcome `Gone` counts as no attempt.
    fn fail(
        &self,
        state: &mut State,
        hand: &Hand,
        event: &FeedEvent,
        failure: &Failure<'_>,
    ) -> Result<bool, StorageError> {
        let stack = failure.outcome.stack().map(|stack| stored_text(stack, STACK_BYTES));
        let failed = FailedEvent::new(event, hand.lane);
        let error = LastError::new(failure.outcome.error(), failure.now, failed.clone());
        let letter = LetterError { message: error.message.clone(), stack: stack.clone() };
        state.error = Some(error);
        let counts = !failure.shared && !matches!(failure.outcome, Outcome::Gone { .. });
        let trouble = state.trouble_mut(hand);
        let attempt = trouble.failures.saturating_add(1);
        trouble.failures += u32::from(counts);
        let next = self.after_failure(state, hand, event, failure, &letter)?;
        let LetterError { message: error, stack } = letter;
        self.report(FailureReport { event: failed, attempt, error, stack, next });
        Ok(next == AfterFailure::DeadLetter)
    }

    /// What follows from a failed attempt, which is counted.
    fn after_failure(
        &self,
        state: &mut State,
        hand: &Hand,
        event: &FeedEvent,
        failure: &Failure<'_>,
        error: &LetterError,
    ) -> Result<AfterFailure, StorageError> {
        let policy = &self.settings.policy;
        let retry_after = match failure.outcome {
            Outcome::Failed { retry_after, .. } => Some(*retry_after),
            Outcome::Gone { .. } => {
                state.trouble_mut(hand).until = RecordedTime::default();
                state.status = Running::Paused;
                return Ok(AfterFailure::Pause);
            }
            Outcome::Refused { .. } | Outcome::Done => None,
        };
        let trouble = state.trouble_mut(hand);
        trouble.partition = hand.partition;
        let failures = trouble.failures;
        if let Some(retry_after) = retry_after.filter(|_| failures < policy.attempts) {
            let wait = policy.delay(failures, failure.jitter, retry_after.unwrap_or_default());
            trouble.until = failure.now.later(wait);
            let until = trouble.until;
            self.arm(until)?;
            return Ok(AfterFailure::Retry(until));
        }
        if let Some(letter) = hand.letter {
            let place = (state.live.generation, letter);
            self.store().letter_failed(place, error, failures, failure.now)?;
            state.advance(hand, event.position);
            return Ok(AfterFailure::DeadLetter);
        }
        if policy.on_failure == OnFailure::Stop {
            trouble.until = RecordedTime::default();
            state.status = Running::Stopped;
            return Ok(AfterFailure::Stop);
        }
        self.put_letter(state, hand, event, (Reason::Failed, error.clone(), failures.into()), failure.now)?;
        Ok(AfterFailure::DeadLetter)
    }
}
