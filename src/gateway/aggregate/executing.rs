//! The order of commands: one after the other, each in a turn of its own once the state is loaded.

use std::collections::VecDeque;

use super::command_error::CommandError;
use super::commands::{Commands, Step};
use super::driver::{AggregateDriver, AggregateTurn};
use super::effects::{AggregateEffect, Forget};
use super::executed::Executed;
use super::loading::StateAt;
use super::pursuit::OwnWork;
use super::snapshots::SnapshotStatus;
use super::state_load::StateLoad;
use crate::ErrorCode;
use crate::gateway::turn::CallId;
use crate::gateway::{Aggregate, Alarm};
use crate::handler::{Behaviour, Command, Fault};
use crate::store::{
    DecisionLog, EventId, IdempotencyKey, JsonText, RecordedTime, StorageError, StreamId, Version,
};

/// The commands of a stream, and the calls that wait for them.
#[derive(Debug, Default)]
pub(super) struct Executing {
    commands: Option<Commands>,
    waiting: VecDeque<Waiting>,
}

/// What waits for its turn. While anything waits, one [`AggregateEffect::Decide`] is under way.
#[derive(Debug)]
enum Waiting {
    Call(CallId, Asked),
    Own(OwnWork),
}

#[derive(Debug)]
enum Asked {
    Execute(Command),
    Load,
    LoadAt(StateLoad),
    /// Forgets the events before a version, after a snapshot has taken their place.
    Truncate(Version),
}

enum Completed {
    Executed(Executed),
    Loaded(Version, JsonText),
    Secured { before: Version },
}

impl Executing {
    /// The code with its state.
    pub(super) fn commands(&mut self) -> Option<&mut Commands> {
        self.commands.as_mut()
    }

    /// Adds work of the aggregate after everything that waits.
    pub(super) fn add_own(&mut self, turn: &mut AggregateTurn<'_>, work: OwnWork) {
        if self.waiting.is_empty() {
            turn.push(AggregateEffect::Decide);
        }
        self.waiting.push_back(Waiting::Own(work));
    }
}

impl<L: DecisionLog, A: Alarm> AggregateDriver<L, A> {
    /// Sets the code of the aggregate. The state of an earlier code is forgotten.
    pub fn behave(&mut self, behaviour: Box<dyn Behaviour>) {
        self.executing.commands = Some(Commands::new(behaviour));
    }

    /// Whether the code of the aggregate is set. A stream of a category without a decider has none.
    pub fn is_decider(&self) -> bool {
        self.executing.commands.is_some()
    }

    /// How the snapshots of the state do.
    pub fn snapshots(&self) -> Option<&SnapshotStatus> {
        self.executing.commands.as_ref().map(Commands::snapshots)
    }

    /// Whether a command with this id has a remembered outcome, so that nothing has to be looked up for it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn remembers(&self, id: &IdempotencyKey, now: RecordedTime) -> Result<bool, StorageError> {
        let Some(commands) = &self.executing.commands else { return Ok(false) };
        self.machine.remembers(commands, &self.stream, id, now)
    }

    /// Executes a command after the commands that came before. [`AggregateEffect::Executed`] is the answer.
    pub fn execute(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        call: CallId,
        command: Command,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) {
        self.ask(turn, call, Asked::Execute(command), fresh_id);
    }

    /// Loads the present state. [`AggregateEffect::Loaded`] is the answer.
    pub fn load(&mut self, turn: &mut AggregateTurn<'_>, call: CallId) {
        self.ask(turn, call, Asked::Load, &mut EventId::default);
    }

    /// Loads the state at a version or a time, by code of its own. [`AggregateEffect::Loaded`] is the answer.
    pub fn load_at(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        call: CallId,
        behaviour: Box<dyn Behaviour>,
        at: StateAt,
    ) {
        self.ask(turn, call, Asked::LoadAt(StateLoad::new(behaviour, at)), &mut EventId::default);
    }

    /// Forgets events. [`AggregateEffect::Forgot`] is the answer. An aggregate stores its state as a snapshot before its
    /// events are truncated, because the state could not be made of the other events.
    pub fn forget(&mut self, turn: &mut AggregateTurn<'_>, call: CallId, forget: Forget) {
        self.touched(turn);
        match forget {
            Forget::Before(before) if self.is_decider() => {
                self.ask(turn, call, Asked::Truncate(before), &mut EventId::default);
            }
            _ => self.begin_to_forget(turn, call, forget),
        }
    }

    fn ask(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        call: CallId,
        asked: Asked,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) {
        self.touched(turn);
        let is_first = self.executing.waiting.is_empty();
        self.executing.waiting.push_back(Waiting::Call(call, asked));
        if is_first {
            self.decide(turn, fresh_id);
        }
    }

    /// Works for the first call that waits, after [`AggregateEffect::Decide`]: it decides, or loads a page of the state.
    pub fn decide(&mut self, turn: &mut AggregateTurn<'_>, fresh_id: &mut dyn FnMut() -> EventId) {
        match self.executing.waiting.pop_front() {
            Some(Waiting::Call(call, asked)) => self.decide_call(turn, call, asked, fresh_id),
            Some(Waiting::Own(work)) => {
                let more = self.work(turn, work, fresh_id);
                more.into_iter().for_each(|work| self.executing.waiting.push_front(Waiting::Own(work)));
            }
            None => {}
        }
        if !self.executing.waiting.is_empty() {
            turn.push(AggregateEffect::Decide);
        }
    }

    fn decide_call(
        &mut self,
        turn: &mut AggregateTurn<'_>,
        call: CallId,
        mut asked: Asked,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) {
        turn.pays(call);
        let (machine, stream) = (&mut self.machine, &self.stream);
        let stepped = match self.executing.commands.as_mut() {
            Some(commands) => step(machine, commands, stream, &mut asked, turn.now(), fresh_id),
            None => Err(no_aggregate()),
        };
        match stepped {
            // An earlier state has code of its own: its load lets the commands pass.
            Ok(Step::More) if matches!(asked, Asked::LoadAt(_)) => {
                self.executing.waiting.push_back(Waiting::Call(call, asked));
            }
            Ok(Step::More) => self.executing.waiting.push_front(Waiting::Call(call, asked)),
            Ok(Step::Done(answer)) => self.answer(turn, call, answer),
            Err(error) => match asked {
                Asked::Execute(_) => turn.push(AggregateEffect::Executed { call, outcome: Err(error) }),
                Asked::Load | Asked::LoadAt(_) => {
                    turn.push(AggregateEffect::Loaded { call, outcome: Err(error) });
                }
                // A state that cannot be loaded cannot be secured.
                Asked::Truncate(before) => self.begin_to_forget(turn, call, Forget::Before(before)),
            },
        }
    }

    fn answer(&mut self, turn: &mut AggregateTurn<'_>, call: CallId, answer: Completed) {
        match answer {
            Completed::Secured { before } => self.begin_to_forget(turn, call, Forget::Before(before)),
            Completed::Executed(executed) => {
                if executed.is_written() {
                    turn.push(AggregateEffect::Grown(executed.version));
                }
                if executed.is_written() || executed.changes_pending() {
                    turn.push(AggregateEffect::Soon);
                }
                turn.push(AggregateEffect::Executed { call, outcome: Ok(executed) });
            }
            Completed::Loaded(version, state) => {
                turn.push(AggregateEffect::Loaded { call, outcome: Ok((version, state)) });
            }
        }
    }
}

fn step<L: DecisionLog, A: Alarm>(
    machine: &mut Aggregate<L, A>,
    commands: &mut Commands,
    stream: &StreamId,
    asked: &mut Asked,
    now: RecordedTime,
    fresh_id: &mut dyn FnMut() -> EventId,
) -> Result<Step<Completed>, CommandError> {
    match asked {
        Asked::Execute(command) => {
            let stepped = machine.execute(commands, stream, command, now, fresh_id)?;
            Ok(stepped.map(Completed::Executed))
        }
        Asked::Load => match machine.load(commands, stream, now)? {
            Step::More => Ok(Step::More),
            Step::Done(version) => Ok(Step::Done(Completed::Loaded(version, commands.state()?))),
        },
        Asked::Truncate(before) => {
            let before = *before;
            Ok(machine.secure(commands, stream, before, now)?.map(|()| Completed::Secured { before }))
        }
        Asked::LoadAt(load) => match machine.load_at(load, stream)? {
            Step::More => Ok(Step::More),
            Step::Done(version) => Ok(Step::Done(Completed::Loaded(version, load.state()?))),
        },
    }
}

fn no_aggregate() -> CommandError {
    let detail = "the code of this deployment defines no aggregate for the category of this stream";
    Fault::new(ErrorCode::NoAggregate, detail).into()
}
