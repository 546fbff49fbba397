//! The aggregates and processes of a store, with the states of their streams in memory.

use std::any::TypeId;
use std::collections::HashMap;

use sillok::gateway::{Commands, Executed, StateAt, StateLoad, Step};
use sillok::handler::{Behaviour, Command, Decider, Process, ProcessBehaviour, TypedBehaviour};
use sillok::store::{Category, JsonText, StreamId, Version};

use crate::caught::CaughtBehaviour;
use crate::engine::{Engine, fresh_id};
use crate::error::SqliteError;

/// The most streams whose states stay in memory.
const STATES: usize = 1000;

/// Makes the code for a stream, without a state.
type Behave = fn(StreamId) -> Box<dyn Behaviour>;

/// The code of an aggregate or of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    category: &'static str,
    decider: TypeId,
    behave: Behave,
}

impl Code {
    pub(crate) fn of<D: Decider>() -> Self {
        let behave: Behave = |stream| Box::new(CaughtBehaviour(Box::new(TypedBehaviour::<D>::new(stream))));
        Self { category: D::CATEGORY, decider: TypeId::of::<D>(), behave }
    }

    pub(crate) fn of_process<P: Process>() -> Self {
        let behave: Behave = |stream| Box::new(CaughtBehaviour(Box::new(ProcessBehaviour::<P>::new(stream))));
        Self { behave, ..Self::of::<P>() }
    }
}

/// The registered aggregates, and the states of their streams.
#[derive(Debug, Default)]
pub(crate) struct Aggregates {
    codes: Vec<Code>,
    states: HashMap<StreamId, Commands>,
}

impl Aggregates {
    pub(crate) fn register(&mut self, code: Code) -> Result<(), SqliteError> {
        Category::new(code.category)?;
        if self.of_category(code.category).is_some() {
            return Err(SqliteError::Registered { name: code.category.to_owned() });
        }
        self.codes.push(code);
        Ok(())
    }

    /// Whether the aggregate of this stream is registered.
    pub(crate) fn has(&self, stream: &StreamId) -> bool {
        self.of_category(stream.category()).is_some()
    }

    /// Checks that the aggregate of this stream is registered with this type.
    pub(crate) fn check<D: Decider>(&self) -> Result<(), SqliteError> {
        let known = self.of_category(D::CATEGORY).filter(|code| code.decider == TypeId::of::<D>());
        known.map(drop).ok_or_else(|| not_registered(D::CATEGORY))
    }

    /// The machine for the commands to a stream.
    pub(crate) fn commands(&mut self, stream: &StreamId) -> Result<&mut Commands, SqliteError> {
        let behave = self.behave(stream)?;
        if self.states.len() >= STATES && !self.states.contains_key(stream) {
            self.states.clear();
        }
        Ok(self.states.entry(stream.clone()).or_insert_with(|| Commands::new(behave(stream.clone()))))
    }

    fn of_category(&self, category: &str) -> Option<&Code> {
        self.codes.iter().find(|code| code.category == category)
    }

    fn behave(&self, stream: &StreamId) -> Result<Behave, SqliteError> {
        let category = stream.category();
        self.of_category(category).map(|code| code.behave).ok_or_else(|| not_registered(category))
    }
}

fn not_registered(category: &str) -> SqliteError {
    SqliteError::NoAggregate { category: category.to_owned() }
}

impl Engine {
    /// Executes a command. It is decided by the code of the stream's category.
    pub(crate) fn execute(&mut self, stream: &StreamId, command: &Command) -> Result<Executed, SqliteError> {
        let now = self.now();
        let commands = self.aggregates.commands(stream)?;
        loop {
            let step = commands.execute(&mut self.store, stream, command, now, &mut fresh_id)?;
            if let Step::Done(executed) = step {
                return Ok(executed);
            }
        }
    }

    /// Loads the state of a stream, now or at an earlier version or time.
    pub(crate) fn state(
        &mut self,
        stream: &StreamId,
        at: Option<StateAt>,
    ) -> Result<(JsonText, Version), SqliteError> {
        let Some(at) = at else { return self.present_state(stream) };
        let behave = self.aggregates.behave(stream)?;
        let mut load = StateLoad::new(behave(stream.clone()), at);
        loop {
            if let Step::Done(version) = load.load(&self.store, stream)? {
                return Ok((load.state()?, version));
            }
        }
    }

    fn present_state(&mut self, stream: &StreamId) -> Result<(JsonText, Version), SqliteError> {
        let commands = self.aggregates.commands(stream)?;
        loop {
            if let Step::Done(version) = commands.load(&mut self.store, stream)? {
                return Ok((commands.state()?, version));
            }
        }
    }
}
