//! The driver of an aggregate. It decides the order of the aggregate's effects: what it forwards, when it answers a
//! call, and what it begins again when the alarm rings.

use super::machine::{Aggregate, ForgetError};
use crate::gateway::Alarm;
use crate::gateway::journal::Forward;
use crate::gateway::turn::{CallId, Calls, Trouble, Turn};
use crate::store::{
    Append, AppendError, Appended, EventId, EventStore, RecordedTime, StorageError, StreamId, StreamLog,
    TruncateError, Truncated, Version,
};

/// The most attempts to forget events. The first comes before the aggregate asks the journal, and the second after it.
/// Further attempts follow if events were appended meanwhile.
const FORGET_ATTEMPTS: u32 = 5;

/// An effect that an aggregate asks its object to carry out.
#[derive(Debug)]
#[non_exhaustive]
pub enum AggregateEffect {
    /// Send this forward to the journal of the stream. Pass the answer as [`AggregateInput::Answered`].
    Forward {
        /// The number of this call.
        call: CallId,
        /// The commits that the journal shall record.
        forward: Forward,
    },
    /// Pass [`AggregateInput::Continue`] after this turn.
    Soon,
    /// Pass [`AggregateInput::Remove`] after other requests had their turn.
    Later,
    /// Read the time of the alarm. Pass it as [`AggregateInput::FoundAlarm`].
    FindAlarm,
    /// The stream has grown to this version. Inform its followers, so that they read the new events.
    Grown(Version),
    /// The stream was deleted. Inform its followers, because there are no more events.
    Deleted,
    /// Answer a [`forget`](AggregateDriver::forget).
    Forgot {
        /// The call to answer.
        call: CallId,
        /// The result, or the reason why nothing was forgotten.
        outcome: Result<Forgotten, ForgetError>,
    },
    /// The work for an alarm is done. If it is an error, the work could not be postponed, and the platform must ring
    /// the alarm again.
    AlarmOver(Result<(), StorageError>),
    /// Write a line to the operator's log.
    Log(Trouble),
}

impl From<Trouble> for AggregateEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// Something that happens to an aggregate, other than a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum AggregateInput {
    /// The turn of [`AggregateEffect::Soon`] is over. The aggregate continues to forward.
    Continue,
    /// Other requests had their turn after [`AggregateEffect::Later`]. The aggregate removes the next page of hidden
    /// events.
    Remove,
    /// The journal has answered a forward, or will not answer it.
    Answered {
        /// The number of the call.
        call: CallId,
        /// The version up to which the journal has the stream. `None` if the journal did not answer.
        version: Option<Version>,
    },
    /// The result of [`AggregateEffect::FindAlarm`]. An alarm that is long overdue was lost.
    FoundAlarm(Option<RecordedTime>),
    /// The alarm rings. The aggregate gives up the forward that is under way and begins again.
    /// [`AggregateEffect::AlarmOver`] follows.
    Rang,
}

type AggregateTurn<'a> = Turn<'a, AggregateEffect>;

/// The events to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// The events before this version.
    Before(Version),
    /// The whole stream.
    All,
}

/// The result of forgetting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// The stream was truncated.
    Truncated(Truncated),
    /// The stream was deleted.
    Deleted,
}

/// An [`Aggregate`] and the order of its effects. Each aggregate's object runs one driver.
///
/// - After each commit, the driver forwards the commits that the journal does not have. It sends one [`Forward`] at a
///   time, until the journal has everything or a forward fails. After a failure, the alarm starts the next attempt.
/// - When the alarm rings, the driver gives up the forward that is under way. It ignores a late answer to this forward,
///   even if the same commits were sent again meanwhile.
/// - A truncation or a deletion waits until the journal has the events to forget. Then the driver hides the events by
///   one row, and removes their rows page by page. It answers the call after the last page.
#[derive(Debug)]
pub struct AggregateDriver<L, A> {
    stream: StreamId,
    machine: Aggregate<L, A>,
    calls: Calls,
    /// The forward that is under way.
    sending: Option<CallId>,
    /// The calls that wait until the journal has the events to forget.
    waiting: Vec<Waiting>,
    /// Whether the removal of pages is under way.
    removing: bool,
    /// The calls to answer after the last page is removed.
    removals: Vec<(CallId, Forgotten)>,
    ringing: Option<Ringing>,
    /// Whether the driver has asked for the alarm, which an earlier start of the object may have set.
    looked: bool,
}

#[derive(Debug)]
struct Waiting {
    call: CallId,
    forget: Forget,
    attempts: u32,
}

/// The progress of the work for an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ringing {
    /// Whether the alarm itself has started the work. Then the platform waits for its end.
    by_alarm: bool,
    removing: bool,
}

impl<L: StreamLog, A: Alarm> AggregateDriver<L, A> {
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
            looked: false,
        }
    }

    /// The stream, for reads. Call [`touched`](Self::touched) first.
    pub fn store(&self) -> &EventStore<impl StreamLog + use<L, A>> {
        self.machine.store()
    }

    /// Notes a request. At the first request, the driver asks for the alarm, because platforms have lost alarms.
    pub fn touched(&mut self, turn: &mut AggregateTurn<'_>) {
        if !std::mem::replace(&mut self.looked, true) {
            turn.push(AggregateEffect::FindAlarm);
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

    /// Forgets events. [`AggregateEffect::Forgot`] is the answer.
    pub fn forget(&mut self, turn: &mut AggregateTurn<'_>, call: CallId, forget: Forget) {
        self.touched(turn);
        self.try_to_forget(turn, Waiting { call, forget, attempts: 0 });
        if !self.waiting.is_empty() {
            self.forward(turn);
        }
    }

    /// Processes an input.
    pub fn input(&mut self, turn: &mut AggregateTurn<'_>, input: AggregateInput) {
        match input {
            AggregateInput::Continue => self.forward(turn),
            AggregateInput::Remove => self.remove_page(turn),
            AggregateInput::Answered { call, version } => self.answered(turn, call, version),
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
        if alarm.is_some_and(|at| self.machine.found_alarm(at, turn.now())) {
            self.begin_again(turn, false);
        }
    }

    fn begin_again(&mut self, turn: &mut AggregateTurn<'_>, by_alarm: bool) {
        self.machine.rang(turn.now());
        self.sending = None;
        let by_alarm = by_alarm || self.ringing.is_some_and(|ringing| ringing.by_alarm);
        self.ringing = Some(Ringing { by_alarm, removing: false });
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
        for waiting in std::mem::take(&mut self.waiting) {
            self.try_to_forget(turn, waiting);
        }
        if !self.waiting.is_empty() {
            // Each waiting call now has fewer attempts left, so this ends.
            self.forward(turn);
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
                self.waiting.push(waiting)
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
        if self.ringing.is_some_and(|ringing| ringing.removing) {
            self.end_ringing(turn, result);
        }
    }

    fn end_ringing(&mut self, turn: &mut AggregateTurn<'_>, result: Result<(), StorageError>) {
        let Some(ringing) = self.ringing.take() else { return };
        if ringing.by_alarm {
            turn.push(AggregateEffect::AlarmOver(result));
        } else if result.is_err() {
            // The next request asks for the alarm again.
            self.looked = false;
        }
    }
}
