//! The order of an aggregate's own work: the timers that are due, the commands that are sent, and their answers.

use super::driver::{AggregateDriver, AggregateTurn};
use super::effects::{AggregateEffect, PendingFailure};
use super::operating::{cancel_pending, reject_sent, retry_pending};
use super::outbox::Outbox;
use super::pending::{FailedAttempt, SentWork, note_failure, sent_work};
use crate::ErrorCode;
use crate::gateway::Alarm;
use crate::gateway::turn::CallId;
use crate::handler::Answer;
use crate::store::limits::SENT_AT_ONCE;
use crate::store::{
    DecisionLog, EventId, EventStore, JsonText, PendingKey, PendingKind, RecordedTime, StorageError, StreamId,
};

/// The time after which a sent command counts as lost when the alarm rings, in milliseconds.
const LOST_MILLIS: u64 = 60_000;

/// What is wrong with a command that is lost.
const LOST: &str = "the receiver did not answer within a minute; does its `prepare` end?";

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Pursuit {
    /// The commands that were sent and not answered, and when.
    sending: Vec<(CallId, PendingKey, RecordedTime)>,
    /// The timers and the answers that wait for their turn among the commands.
    queued: Vec<PendingKey>,
    /// Whether the storage has failed, so that the next attempt waits for the alarm.
    waits_for_alarm: bool,
}

/// A turn of the aggregate's own work.
#[derive(Debug)]
pub(super) enum OwnWork {
    /// Attempts a timer, or passes the stored answer to a sent command.
    Fire(PendingKey),
    /// Takes the answer to a sent command.
    Take(PendingKey, Answer),
}

impl OwnWork {
    fn key(&self) -> &PendingKey {
        match self {
            Self::Fire(key) | Self::Take(key, _) => key,
        }
    }
}

impl Pursuit {
    /// Begins again, after the alarm has rung. The answers to commands that were sent long ago may never come: it returns the keys of
    /// these.
    fn begin_again(&mut self, now: RecordedTime) -> Vec<PendingKey> {
        self.waits_for_alarm = false;
        let is_lost =
            |(_, _, since): &mut (CallId, PendingKey, RecordedTime)| now >= since.later(LOST_MILLIS);
        self.sending.extract_if(.., is_lost).map(|(_, key, _)| key).collect()
    }

    /// No answer to this command is waited for any more.
    fn forget(&mut self, key: &PendingKey) {
        self.sending.retain(|(_, sent, _)| sent != key);
    }

    /// Attempts again what waits for an alarm that is not set.
    pub(super) fn look_again(&mut self) {
        self.waits_for_alarm = false;
    }

    /// The sent command of this call, which has an answer now.
    fn answered(&mut self, call: CallId) -> Option<PendingKey> {
        let place = self.sending.iter().position(|(sent, _, _)| *sent == call)?;
        Some(self.sending.remove(place).1)
    }

    fn is_under_way(&self, key: &PendingKey) -> bool {
        self.queued.contains(key) || self.sending.iter().any(|(_, sent, _)| sent == key)
    }

    fn fires(&self) -> bool {
        self.queued.iter().any(|key| key.kind() == PendingKind::Timer)
    }
}

impl<L: DecisionLog, A: Alarm> AggregateDriver<L, A> {
    /// Removes a timer or a sent command. Returns whether there was one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn cancel_pending(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        key: &PendingKey,
    ) -> Result<bool, StorageError> {
        self.touched(turn);
        self.machine.store.log().at(turn.now());
        let cancelled = cancel_pending(&mut self.machine.store, &self.stream, key)?;
        self.pursuit.forget(key);
        turn.push(AggregateEffect::Soon);
        Ok(cancelled)
    }

    /// Begins again, after the alarm has rung: a command without an answer for long has failed.
    pub(super) fn pursue_again(&mut self, turn: &mut AggregateTurn<'_>) -> Result<(), StorageError> {
        for key in self.pursuit.begin_again(turn.now()) {
            let failure = FailedAttempt { code: ErrorCode::Internal, detail: LOST.to_owned() };
            if let Err(error) = self.note_failure(turn, &key, &failure) {
                return Err(self.not_pursued(turn, error));
            }
        }
        self.try_to_pursue(turn)
    }

    /// Attempts a parked timer or sent command again. Returns whether there was one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn retry_pending(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        key: &PendingKey,
    ) -> Result<bool, StorageError> {
        self.change_parked(turn, |store, stream, now| retry_pending(store, stream, key, now))
    }

    /// Answers a parked sent command with a rejection in place of its receiver. Returns whether there was one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn reject_sent(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        key: &PendingKey,
        rejection: &JsonText,
    ) -> Result<bool, StorageError> {
        self.change_parked(turn, |store, stream, now| reject_sent(store, stream, key, rejection, now))
    }

    fn change_parked(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        change: impl FnOnce(&mut EventStore<Outbox<L, A>>, &StreamId, RecordedTime) -> Result<bool, StorageError>,
    ) -> Result<bool, StorageError> {
        self.touched(turn);
        let now = turn.now();
        self.machine.store.log().at(now);
        let changed = change(&mut self.machine.store, &self.stream, now)?;
        turn.push(AggregateEffect::Soon);
        Ok(changed)
    }

    /// Reads the agenda of the stream, which an earlier start of the object may have left.
    pub(super) fn know_agenda(&mut self, turn: &mut AggregateTurn<'_>) {
        if self.is_decider()
            && let Err(error) = self.machine.store.log().know_agenda(&self.stream)
        {
            self.not_pursued(turn, error);
        }
    }

    /// Begins with everything that is due, and sets the alarm for the rest.
    pub(super) fn pursue(&mut self, turn: &mut AggregateTurn<'_>) {
        // A failure was noted: the next request looks again.
        let _ = self.try_to_pursue(turn);
    }

    /// As [`pursue`](Self::pursue). The error is that of the storage or of the alarm.
    pub(super) fn try_to_pursue(&mut self, turn: &mut AggregateTurn<'_>) -> Result<(), StorageError> {
        if !self.is_decider() {
            return Ok(());
        }
        let log = self.machine.store.log();
        log.at(turn.now());
        let (known, is_ringing) = (log.know_agenda(&self.stream), self.ringing.is_some());
        if let Err(error) = known.and_then(|()| log.arm_for_pending(is_ringing)) {
            return Err(self.not_pursued(turn, error));
        }
        if self.pursuit.waits_for_alarm {
            return Ok(());
        }
        let (timer, sent) = self.due(turn.now());
        if let Some(timer) = timer {
            self.queue(turn, OwnWork::Fire(timer));
        }
        for key in sent {
            if let Err(error) = self.send(turn, key) {
                return Err(self.not_pursued(turn, error));
            }
        }
        Ok(())
    }

    /// The next timer, unless one waits for its turn, and the next commands to send.
    fn due(&self, now: RecordedTime) -> (Option<PendingKey>, Vec<PendingKey>) {
        let room = SENT_AT_ONCE.saturating_sub(self.pursuit.sending.len());
        self.machine.store.log().with_agenda(|agenda| {
            let is_idle = |key: &PendingKey| !self.pursuit.is_under_way(key);
            let timers = usize::from(!self.pursuit.fires());
            let timer = agenda.due(PendingKind::Timer, now, timers, &is_idle).pop();
            (timer, agenda.due(PendingKind::Sent, now, room, &is_idle))
        })
    }

    /// Each timer and each answer has its turn after the commands that came before.
    fn queue(&mut self, turn: &mut AggregateTurn<'_>, work: OwnWork) {
        self.pursuit.queued.push(work.key().clone());
        self.executing.add_own(turn, work);
    }

    fn send(&mut self, turn: &mut AggregateTurn<'_>, key: PendingKey) -> Result<(), StorageError> {
        let now = turn.now();
        match sent_work(self.machine.store.log(), &self.stream, &key, now)? {
            Some(SentWork::Send(sending)) => {
                let call = self.calls.next();
                self.pursuit.sending.push((call, key, now));
                turn.push(AggregateEffect::Send { call, sending });
            }
            Some(SentWork::Fire) => self.queue(turn, OwnWork::Fire(key)),
            Some(SentWork::Unreadable) => self.note_failure(turn, &key, &FailedAttempt::unreadable())?,
            None => {}
        }
        Ok(())
    }

    /// Takes the answer to a sent command, or notes why there is none.
    pub(super) fn replied(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        call: CallId,
        reply: Result<Answer, FailedAttempt>,
    ) {
        let Some(key) = self.pursuit.answered(call) else { return };
        let noted = match reply {
            Ok(answer) => {
                self.queue(turn, OwnWork::Take(key, answer));
                Ok(())
            }
            Err(failure) => self.note_failure(turn, &key, &failure),
        };
        match noted {
            Ok(()) => self.pursue(turn),
            Err(error) => drop(self.not_pursued(turn, error)),
        }
    }

    fn note_failure(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        key: &PendingKey,
        failure: &FailedAttempt,
    ) -> Result<(), StorageError> {
        let (now, random) = (turn.now(), turn.random());
        self.machine.store.log().at(now);
        note_failure(&mut self.machine.store, &self.stream, key, failure, now, random)?;
        self.report(turn, key, failure.clone());
        Ok(())
    }

    /// Works for a timer or an answer, in its turn. Returns the work if there is more of the state to load.
    pub(super) fn work(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        work: OwnWork,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Option<OwnWork> {
        let (now, random) = (turn.now(), turn.random());
        let commands = self.executing.commands()?;
        let (store, stream) = (&mut self.machine.store, &self.stream);
        store.log().at(now);
        let worked = match &work {
            OwnWork::Fire(key) => commands.fire(store, stream, key, now, random, fresh_id),
            OwnWork::Take(key, answer) => {
                commands.answered(store, stream, key, answer, now, random, fresh_id)
            }
        };
        let failure = commands.take_failure();
        let done = match worked {
            Ok(super::Step::More) => return Some(work),
            Ok(super::Step::Done(done)) => Ok(done),
            Err(error) => Err(error),
        };
        self.pursuit.queued.retain(|key| key != work.key());
        match done {
            Ok(executed) => {
                if let Some(executed) = executed.filter(super::Executed::is_written) {
                    turn.push(AggregateEffect::Grown(executed.version));
                }
                if let Some(failure) = failure {
                    self.report(turn, work.key(), failure);
                }
                turn.push(AggregateEffect::Soon);
            }
            Err(error) => drop(self.not_pursued(turn, error)),
        }
        None
    }

    /// Reports a failed attempt at a pending command. A command that was answered or cancelled meanwhile has not failed.
    fn report(&self, turn: &mut AggregateTurn<'_>, key: &PendingKey, failure: FailedAttempt) {
        let (attempt, retry_at) = match self.machine.store.log().pending(&self.stream, key) {
            Ok(Some(pending)) if pending.failed > 0 => (pending.failed, pending.state.due()),
            Ok(_) => return,
            // A row that cannot be read is parked.
            Err(_) => (1, None),
        };
        turn.push(AggregateEffect::Failed(PendingFailure { key: key.clone(), attempt, failure, retry_at }));
    }

    /// Leaves the rest to the alarm, or to the next request if the alarm could not be set.
    fn not_pursued(&mut self, turn: &mut AggregateTurn<'_>, error: StorageError) -> StorageError {
        self.pursuit.waits_for_alarm = true;
        self.looked = false;
        turn.log("timers and sent commands wait for the alarm", error)
    }
}
