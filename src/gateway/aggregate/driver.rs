//! The driver of an aggregate. It decides the order of the aggregate's effects: what it forwards, when it answers a
//! call, and what it begins again when the alarm rings.

use super::effects::{AggregateEffect, AggregateInput, Forget, Forgotten};
use super::executing::Executing;
use super::machine::{Aggregate, ForgetError};
use super::pursuit::Pursuit;
use crate::gateway::Alarm;
use crate::gateway::turn::{CallId, Calls, Turn};
use crate::store::{
    Append, AppendError, Appended, DecisionLog, EventId, EventStore, RecordedTime, StorageError, StreamId,
    TruncateError, Version,
};

/// The most attempts to forget events. The first comes before the aggregate asks the journal, and the second after it.
/// Further attempts follow if events were appended meanwhile.
const FORGET_ATTEMPTS: u32 = 5;

pub(super) type AggregateTurn<'a> = Turn<'a, AggregateEffect>;

/// An [`Aggregate`] and the order of its effects. One object runs one.
///
/// - After each commit it forwards what the journal does not have, one [`Forward`](crate::gateway::Forward) at a time, until the journal has everything or
///   a forward fails. Then the alarm begins the next attempt.
/// - When the alarm rings, the forward that is under way is given up. Its answer may come after the same was sent once more, and is
///   ignored.
/// - Timers that are due are attempted one by one, each in its turn among the commands. Sent commands are sent, some at a
///   time, and each answer is a command of its own.
/// - A truncation or a deletion waits until the journal has what is to be forgotten. Then it hides the events by one row, and is
///   answered once their rows are removed, page by page.
#[derive(Debug)]
pub struct AggregateDriver<L, A> {
    pub(super) stream: StreamId,
    pub(super) machine: Aggregate<L, A>,
    pub(super) calls: Calls,
    /// The forward that is under way.
    sending: Option<CallId>,
    /// The calls that wait until the journal has the events to forget.
    waiting: Vec<Waiting>,
    /// Whether the removal of pages is under way.
    removing: bool,
    /// The calls to answer after the last page is removed.
    removals: Vec<(CallId, Forgotten)>,
    pub(super) ringing: Option<Ringing>,
    pub(super) executing: Executing,
    pub(super) pursuit: Pursuit,
    /// Whether the driver has asked for the alarm, which an earlier start of the object may have set.
    pub(super) looked: bool,
}

#[derive(Debug)]
struct Waiting {
    call: CallId,
    forget: Forget,
    attempts: u32,
}

/// The progress of the work for an alarm.
#[derive(Debug)]
pub(super) struct Ringing {
    /// Whether the alarm itself has started the work. Then the platform waits for its end.
    by_alarm: bool,
    removing: bool,
    /// An error if the pending commands could not be read.
    pursued: Result<(), StorageError>,
}

impl<L: DecisionLog, A: Alarm> AggregateDriver<L, A> {
    /// The aggregate of this stream. `log` stores its commits.
    pub fn new(stream: StreamId, log: L, alarm: A) -> Self {
        Self {
            stream,
            machine: Aggregate::new(log, alarm),
            calls: Calls::default(),
            sending: None,
            waiting: Vec::new(),
            removing: false,
            removals: Vec::new(),
            ringing: None,
            executing: Executing::default(),
            pursuit: Pursuit::default(),
            looked: false,
        }
    }

    /// The stream, for reads. Call [`touched`](Self::touched) first.
    pub fn store(&self) -> &EventStore<impl DecisionLog + use<L, A>> {
        self.machine.store()
    }

    /// Notes a request. At the first request, the driver asks for the alarm, because platforms have lost alarms.
    pub fn touched(&mut self, turn: &mut AggregateTurn<'_>) {
        if !std::mem::replace(&mut self.looked, true) {
            turn.push(AggregateEffect::FindAlarm);
            self.know_agenda(turn);
        }
    }

    /// Appends as [`Aggregate::append`] does. The driver forwards the events after the turn.
    ///
    /// # Errors
    /// [`AppendError`]. Nothing was written, unless the error is [`AppendError::Storage`].
    pub fn append(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        append: Append,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        self.touched(turn);
        let appended = self.machine.append(append, turn.now(), fresh_id)?;
        if !appended.replayed {
            turn.push(AggregateEffect::Grown(appended.version));
            turn.push(AggregateEffect::Soon);
        }
        Ok(appended)
    }

    /// Forgets events now, or after the journal has them.
    pub(super) fn begin_to_forget(&mut self, turn: &mut AggregateTurn<'_>, call: CallId, forget: Forget) {
        self.try_to_forget(turn, Waiting { call, forget, attempts: 0 });
    }

    /// Processes an input.
    pub fn input(&mut self, turn: &mut AggregateTurn<'_>, input: AggregateInput) {
        match input {
            AggregateInput::Continue => {
                self.forward(turn);
                self.pursue(turn);
            }
            AggregateInput::Remove => self.remove_page(turn),
            AggregateInput::TryAgain { call } => {
                if let Some(at) = self.waiting.iter().position(|waiting| waiting.call == call) {
                    let waiting = self.waiting.swap_remove(at);
                    self.try_to_forget(turn, waiting);
                }
            }
            AggregateInput::Answered { call, version } => self.answered(turn, call, version),
            AggregateInput::Replied { call, reply } => self.replied(turn, call, reply),
            AggregateInput::FoundAlarm(alarm) => self.found_alarm(turn, alarm),
            AggregateInput::Rang => self.begin_again(turn, true),
        }
    }

    fn remove_page(&mut self, turn: &mut AggregateTurn<'_>) {
        if let Some((call, _)) = self.removals.first() {
            turn.pays(*call);
        }
        match self.machine.remove_forgotten(&self.stream, turn.now()) {
            Ok(true) => turn.push(AggregateEffect::Later),
            Ok(false) => self.removed(turn, Ok(())),
            Err(error) => {
                let error = turn.log("the rows of forgotten events could not be removed", error);
                self.removed(turn, Err(error));
            }
        }
    }

    fn answered(&mut self, turn: &mut AggregateTurn<'_>, call: CallId, version: Option<Version>) {
        if self.sending.take_if(|sending| *sending == call).is_none() {
            return;
        }
        let (now, random) = (turn.now(), turn.random());
        let settled = match version {
            Some(version) => self.machine.forwarded(version, now, random),
            None => self.machine.not_forwarded(now, random),
        };
        match settled {
            Ok(()) => self.forward(turn),
            Err(error) => self.not_postponed(turn, error),
        }
    }

    fn found_alarm(&mut self, turn: &mut AggregateTurn<'_>, alarm: Option<RecordedTime>) {
        if self.machine.found_alarm(alarm, turn.now()) {
            self.begin_again(turn, false);
        } else {
            if alarm.is_none() {
                self.pursuit.look_again();
            }
            self.pursue(turn);
        }
    }

    fn begin_again(&mut self, turn: &mut AggregateTurn<'_>, by_alarm: bool) {
        self.machine.rang(turn.now());
        self.sending = None;
        let by_alarm = by_alarm || self.ringing.as_ref().is_some_and(|ringing| ringing.by_alarm);
        self.ringing = Some(Ringing { by_alarm, removing: false, pursued: Ok(()) });
        let pursued = self.pursue_again(turn);
        self.ringing.iter_mut().for_each(|ringing| ringing.pursued = pursued.clone());
        self.forward(turn);
    }

    /// Sends the next forward, unless one is under way.
    fn forward(&mut self, turn: &mut AggregateTurn<'_>) {
        if self.sending.is_some() {
            return;
        }
        match self.machine.next_forward(&self.stream) {
            Ok(Some(forward)) => {
                let call = self.calls.next();
                self.sending = Some(call);
                turn.push(AggregateEffect::Forward { call, forward });
            }
            Ok(None) => self.end_forwarding(turn),
            Err(error) => {
                turn.log("the next events to forward could not be read", error);
                let (now, random) = (turn.now(), turn.random());
                match self.machine.not_forwarded(now, random) {
                    Ok(()) => self.end_forwarding(turn),
                    Err(error) => self.not_postponed(turn, error),
                }
            }
        }
    }

    /// Ends the forwarding: the journal has everything, or a forward has failed and the alarm is set.
    fn end_forwarding(&mut self, turn: &mut AggregateTurn<'_>) {
        if let Some(ringing) = &mut self.ringing {
            ringing.removing = true;
            self.remove(turn);
        }
        // Each in a turn of its own, for which it pays.
        for Waiting { call, .. } in &self.waiting {
            turn.push(AggregateEffect::TryAgain { call: *call });
        }
    }

    /// Ends the work with an error: a forward has failed, and the alarm for another attempt could not be set.
    fn not_postponed(&mut self, turn: &mut AggregateTurn<'_>, error: StorageError) {
        let error = turn.log("the alarm could not be set", error);
        for Waiting { call, .. } in std::mem::take(&mut self.waiting) {
            let outcome = Err(TruncateError::from(error.clone()).into());
            turn.push(AggregateEffect::Forgot { call, outcome });
        }
        self.end_ringing(turn, Err(error));
    }

    fn try_to_forget(&mut self, turn: &mut AggregateTurn<'_>, mut waiting: Waiting) {
        let Waiting { call, forget, .. } = waiting;
        turn.pays(call);
        waiting.attempts += 1;
        let (stream, now) = (&self.stream, turn.now());
        let forgotten = match forget {
            Forget::Before(version) => self.machine.truncate(stream, version, now).map(Forgotten::Truncated),
            Forget::All => self.machine.delete(stream, now).map(|()| Forgotten::Deleted),
        };
        match forgotten {
            Ok(forgotten) => {
                if forget == Forget::All {
                    turn.push(AggregateEffect::Deleted);
                }
                // The next forward informs the journal that events were forgotten.
                turn.push(AggregateEffect::Soon);
                self.removals.push((call, forgotten));
                self.remove(turn);
            }
            Err(ForgetError::NotForwarded) if waiting.attempts < FORGET_ATTEMPTS => {
                self.waiting.push(waiting);
                // Nobody pays for the forward.
                turn.push(AggregateEffect::Soon);
            }
            Err(error) => turn.push(AggregateEffect::Forgot { call, outcome: Err(error) }),
        }
    }

    /// Begins to remove hidden events, unless the removal is under way.
    fn remove(&mut self, turn: &mut AggregateTurn<'_>) {
        if !std::mem::replace(&mut self.removing, true) {
            self.remove_page(turn);
        }
    }

    fn removed(&mut self, turn: &mut AggregateTurn<'_>, result: Result<(), StorageError>) {
        self.removing = false;
        for (call, forgotten) in std::mem::take(&mut self.removals) {
            let outcome = result.clone().map(|()| forgotten);
            let outcome = outcome.map_err(|error| TruncateError::from(error).into());
            turn.push(AggregateEffect::Forgot { call, outcome });
        }
        if self.ringing.as_ref().is_some_and(|ringing| ringing.removing) {
            self.end_ringing(turn, result);
        }
    }

    fn end_ringing(&mut self, turn: &mut AggregateTurn<'_>, result: Result<(), StorageError>) {
        let Some(ringing) = self.ringing.take() else { return };
        let result = result.and(ringing.pursued).and_then(|()| {
            let mut armed = self.machine.rang_out(turn.now());
            if !self.is_decider() {
                armed = armed.and_then(|()| self.machine.store.log().arm_without_code(&self.stream));
            }
            armed.map_err(|error| turn.log("the alarm could not be set for timers and sent commands", error))
        });
        if ringing.by_alarm {
            turn.push(AggregateEffect::AlarmOver(result));
        } else if result.is_err() {
            // The next request asks for the alarm again.
            self.looked = false;
        }
    }
}
