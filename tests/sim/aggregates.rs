//! The object of a stream. It carries out the effects of the core's [`AggregateDriver`].

use std::collections::BTreeMap;

use sillok::gateway::{
    AggregateDriver, AggregateEffect, AggregateInput, CallId as Number, CommandError, Forget, ForgetError,
    partition_of,
};
use sillok::store::sqlite::StreamTable;
use sillok::store::{AppendError, EventId, ReadError, RecordedTime, StorageError, TruncateError, Version};

use crate::breaks::Break;
use crate::deciders::Counting;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Tick, Turn};
use crate::storage::{ObjectAlarm, Storage};
use crate::world::Plan;

/// What follows at the end of a time.
enum Next {
    Input(AggregateInput),
    Decide,
}

pub struct AggregateShell {
    journal: Address,
    driver: AggregateDriver<StreamTable<Storage>, ObjectAlarm>,
    storage: Storage,
    /// The forwards under way: the driver's number of each, and its last version.
    calls: BTreeMap<CallId, (Number, Option<Version>)>,
    /// The input that follows at the end of a time.
    ticks: BTreeMap<Tick, Next>,
    /// How many want something forgotten and wait.
    forgetting: usize,
    /// How many commands wait for their outcome.
    executing: usize,
    broken: Option<Break>,
}

impl AggregateShell {
    pub fn new(number: usize, plan: &Plan, storage: Storage, alarm: ObjectAlarm, code: Counting) -> Self {
        let stream = plan.streams[number].clone();
        let journal = Address::Journal(partition_of(&stream, plan.partitions));
        let mut driver = AggregateDriver::new(stream, StreamTable::new(storage.clone()), alarm);
        driver.behave(Box::new(code));
        let (calls, ticks) = (BTreeMap::new(), BTreeMap::new());
        Self { journal, driver, storage, calls, ticks, forgetting: 0, executing: 0, broken: plan.broken }
    }

    fn called(&mut self, call: CallId, request: Request, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let forget = match request {
            Request::Append(append) => {
                let id = turn.jitter();
                let mut fresh_id = || EventId::new(&format!("id-{id}")).unwrap();
                let (outcome, effects) = turn.drive(|core| self.driver.append(core, append, &mut fresh_id));
                match outcome {
                    Err(AppendError::Storage(error)) => return Err(error),
                    outcome => turn.answer(call, Reply::Appended(outcome)),
                }
                return self.carry_out(effects, turn);
            }
            Request::Execute(command) => {
                self.executing += 1;
                let id = turn.jitter();
                let mut fresh_id = || EventId::new(&format!("id-{id}")).unwrap();
                let ((), effects) =
                    turn.drive(|core| self.driver.execute(core, Number::new(call), command, &mut fresh_id));
                return self.carry_out(effects, turn);
            }
            Request::Truncate(version) => Forget::Before(version),
            Request::Delete => Forget::All,
            _ => return Ok(()),
        };
        self.forgetting += 1;
        let ((), effects) = turn.drive(|core| self.driver.forget(core, Number::new(call), forget));
        self.carry_out(effects, turn)
    }

    fn decide(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let id = turn.jitter();
        let mut fresh_id = || EventId::new(&format!("id-{id}")).unwrap();
        let ((), effects) = turn.drive(|core| self.driver.decide(core, &mut fresh_id));
        self.carry_out(effects, turn)
    }

    fn answered(&mut self, call: CallId, reply: Option<Reply>) -> Option<AggregateInput> {
        let (call, last) = self.calls.remove(&call)?;
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
                    self.calls.insert(turn.call(self.journal, Request::Record(forward)), (call, last));
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
                AggregateEffect::Grown(_) | AggregateEffect::Deleted | AggregateEffect::Log(_) => {}
                other => panic!("{other:?} is not carried out"),
            }
        }
        Ok(())
    }
}

impl Shell for AggregateShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let input = match input {
            Input::Called { call, request } => return self.called(call, request, turn),
            Input::Answered { call, reply } => self.answered(call, reply),
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
