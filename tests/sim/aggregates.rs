//! The object of a stream. It carries out the effects of the core's [`AggregateDriver`].

use std::collections::BTreeMap;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{
    AggregateDriver, AggregateEffect, AggregateInput, CallId as Number, CommandError, FailedAttempt, Forget,
    ForgetError, Sending, partition_of,
};
use sillok::handler::{Answer, Behaviour};
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    AppendError, EventId, IdempotencyKey, PendingKey, ReadError, RecordedTime, StorageError, StreamId,
    TruncateError, Version,
};

use crate::bank::Around;
use crate::breaks::Break;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Tick, Turn};
use crate::plan::Plan;
use crate::storage::{ObjectAlarm, Storage};

/// What follows at the end of a time.
enum Next {
    Input(AggregateInput),
    Decide,
}

/// A call under way, with the driver's number for it.
enum Call {
    /// A forward, and its last version.
    Forward { call: Number, last: Option<Version> },
    /// A sent command, and its id.
    Send { call: Number, id: Option<IdempotencyKey> },
}

pub struct AggregateShell {
    streams: Vec<StreamId>,
    journal: Address,
    driver: AggregateDriver<StreamTable<Storage>, ObjectAlarm>,
    storage: Storage,
    calls: BTreeMap<CallId, Call>,
    /// The input that follows at the end of a time.
    ticks: BTreeMap<Tick, Next>,
    /// How many want something forgotten and wait.
    forgetting: usize,
    /// How many commands wait for their outcome.
    executing: usize,
    around: Rc<Around>,
    broken: Option<Break>,
}

impl AggregateShell {
    pub fn new(
        number: usize,
        plan: &Plan,
        storage: Storage,
        alarm: ObjectAlarm,
        code: Box<dyn Behaviour>,
        around: Rc<Around>,
    ) -> Self {
        let stream = plan.streams[number].clone();
        let journal = Address::Journal(partition_of(&stream, plan.partitions));
        let mut driver = AggregateDriver::new(stream, StreamTable::new(storage.clone()), alarm);
        driver.behave(code);
        let (calls, ticks, streams) = (BTreeMap::new(), BTreeMap::new(), plan.streams.clone());
        let (forgetting, executing, broken) = (0, 0, plan.broken);
        Self { streams, journal, driver, storage, calls, ticks, forgetting, executing, around, broken }
    }

    fn called(&mut self, call: CallId, request: Request, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let forget = match request {
            Request::Append(append) => {
                let mut fresh_id = fresh_ids(turn);
                let (outcome, effects) = turn.drive(|core| self.driver.append(core, append, &mut fresh_id));
                match outcome {
                    Err(AppendError::Storage(error)) => return Err(error),
                    outcome => turn.answer(call, Reply::Appended(outcome)),
                }
                return self.carry_out(effects, turn);
            }
            Request::Execute(command) => {
                self.executing += 1;
                let mut fresh_id = fresh_ids(turn);
                let ((), effects) =
                    turn.drive(|core| self.driver.execute(core, Number::new(call), command, &mut fresh_id));
                return self.carry_out(effects, turn);
            }
            Request::RetryParked => {
                self.retry_parked(turn)?;
                turn.answer(call, Reply::Done);
                return Ok(());
            }
            Request::Truncate(version) => Forget::Before(version),
            Request::Delete => Forget::All,
            _ => return Ok(()),
        };
        self.forgetting += 1;
        let ((), effects) = turn.drive(|core| self.driver.forget(core, Number::new(call), forget));
        self.carry_out(effects, turn)
    }

    fn retry_parked(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        for key in self.storage.parked() {
            let (retried, effects) = turn.drive(|core| self.driver.retry_pending(core, &key));
            retried?;
            self.carry_out(effects, turn)?;
        }
        Ok(())
    }

    fn decide(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let mut fresh_id = fresh_ids(turn);
        let ((), effects) = turn.drive(|core| self.driver.decide(core, &mut fresh_id));
        self.carry_out(effects, turn)
    }

    fn answered(
        &mut self,
        call: CallId,
        reply: Option<Reply>,
        turn: &mut Turn<'_>,
    ) -> Option<AggregateInput> {
        let (call, last) = match self.calls.remove(&call)? {
            Call::Forward { call, last } => (call, last),
            Call::Send { call, id } => {
                if let (Some(Break::AnswerLost), Some(_), Some(id)) = (self.broken, &reply, id) {
                    let key = PendingKey::sent(id.as_str()).unwrap();
                    let _ = turn.drive(|core| self.driver.cancel_pending(core, &key));
                }
                return Some(AggregateInput::Replied { call, reply: answer_of(reply) });
            }
        };
        let version = match reply {
            Some(Reply::Recorded(version)) => Some(version),
            _ if self.broken == Some(Break::SilenceTakenForRecorded) => last,
            _ => None,
        };
        Some(AggregateInput::Answered { call, version })
    }

    fn carry_out(&mut self, effects: Vec<AggregateEffect>, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        for effect in effects {
            match effect {
                AggregateEffect::Forward { call, mut forward } => {
                    if let (Some(Break::GapAccepted), Some(first)) = (self.broken, forward.commits.first()) {
                        forward.base = first.first_version.before(1).unwrap_or_default();
                    }
                    let last = forward.commits.last().map(|commit| commit.version);
                    let sent = turn.call(self.journal, Request::Record(forward));
                    self.calls.insert(sent, Call::Forward { call, last });
                }
                AggregateEffect::Send { call, sending: Sending { receiver, command } } => {
                    let receiver = self.streams.iter().position(|stream| *stream == receiver).unwrap();
                    let id = command.id.clone();
                    let sent = turn.call(Address::Aggregate(receiver), Request::Execute(command));
                    self.calls.insert(sent, Call::Send { call, id });
                }
                AggregateEffect::Soon if self.broken == Some(Break::CommandSentBeforeDurable) => {
                    let input = AggregateInput::Continue;
                    let ((), effects) = turn.drive(|core| self.driver.input(core, input));
                    self.carry_out(effects, turn)?;
                }
                AggregateEffect::Soon => {
                    self.ticks.insert(turn.tick_in(0), Next::Input(AggregateInput::Continue));
                }
                AggregateEffect::TryAgain { call } => {
                    self.ticks.insert(turn.tick_in(0), Next::Input(AggregateInput::TryAgain { call }));
                }
                AggregateEffect::Later => {
                    self.ticks.insert(turn.tick_in(1), Next::Input(AggregateInput::Remove));
                }
                AggregateEffect::FindAlarm => {
                    let alarm = self.storage.alarm().map(RecordedTime::from_millis);
                    self.ticks.insert(turn.tick_in(1), Next::Input(AggregateInput::FoundAlarm(alarm)));
                }
                AggregateEffect::Forgot { call, outcome } => {
                    self.forgetting -= 1;
                    match outcome {
                        Err(ForgetError::Refused(TruncateError::Storage(error))) => return Err(error),
                        Err(ForgetError::NotForwarded) => turn.answer(call.get(), Reply::Refused),
                        _ => turn.answer(call.get(), Reply::Done),
                    }
                }
                AggregateEffect::Decide => {
                    self.ticks.insert(turn.tick_in(1), Next::Decide);
                }
                AggregateEffect::Executed { call, outcome } => {
                    self.executing -= 1;
                    match outcome {
                        Err(CommandError::Refused(AppendError::Storage(error))) => return Err(error),
                        Err(CommandError::Unreadable(ReadError::Storage(error))) => return Err(error),
                        outcome => turn.answer(call.get(), Reply::Executed(outcome)),
                    }
                }
                AggregateEffect::AlarmOver(over) => {
                    over?;
                    turn.alarm_is_over();
                }
                // Nobody follows, and nobody reads the log.
                AggregateEffect::Grown(_)
                | AggregateEffect::Deleted
                | AggregateEffect::Failed(_)
                | AggregateEffect::Log(_) => {}
                other => panic!("{other:?} is not carried out"),
            }
        }
        Ok(())
    }
}

impl Shell for AggregateShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        self.around.clock.set(turn.now.as_millis());
        self.around.fails.set(turn.fails);
        if self.broken == Some(Break::TimerEarly) {
            turn.now = RecordedTime::from_millis(turn.now.as_millis() + 3000);
        }
        let input = match input {
            Input::Called { call, request } => return self.called(call, request, turn),
            Input::Answered { call, reply } => self.answered(call, reply, turn),
            Input::Rang => {
                if self.broken == Some(Break::RingingOverAtOnce) {
                    turn.alarm_is_over();
                }
                Some(AggregateInput::Rang)
            }
            Input::Ticked(tick) => match self.ticks.remove(&tick) {
                Some(Next::Input(input)) => Some(input),
                Some(Next::Decide) => return self.decide(turn),
                None => None,
            },
        };
        let Some(input) = input else { return Ok(()) };
        let ((), effects) = turn.drive(|core| self.driver.input(core, input));
        self.carry_out(effects, turn)
    }

    fn unanswered(&self) -> usize {
        self.forgetting + self.executing
    }
}

/// Ids that no other turn makes.
fn fresh_ids(turn: &mut Turn<'_>) -> impl FnMut() -> EventId + use<> {
    let (id, mut made) = (turn.jitter(), 0);
    move || {
        made += 1;
        EventId::new(&format!("id-{id}-{made}")).unwrap()
    }
}

/// The answer to a sent command, or the reason why there is none.
fn answer_of(reply: Option<Reply>) -> Result<Answer, FailedAttempt> {
    match reply {
        Some(Reply::Executed(Ok(executed))) => Ok(Answer::from(&executed)),
        Some(Reply::Executed(Err(error))) => Err(FailedAttempt::from(&error)),
        _ => Err(FailedAttempt { code: ErrorCode::Unavailable, detail: "there is no answer".to_owned() }),
    }
}
