//! The port to the code of an aggregate.

use thiserror::Error;

use super::command::Command;
use crate::ErrorCode;
use crate::store::{EventView, JsonText, NewEvent, PendingKey, RecordedTime, StreamId, Version};

/// The code of an aggregate with the state of one stream, as the machine of commands drives it.
///
/// The state stays on the side of the code: in Rust as a value, in JavaScript as an object. The machine knows which
/// version the state is of, and decides when it is valid.
///
/// Each call is synchronous and has no effects outside: a decision depends on the command, the state and the context
/// alone.
pub trait Behaviour {
    /// Names the code that a snapshot belongs to: the state version, and the schema versions of the events.
    fn code(&self) -> String;

    /// The settings of the aggregate.
    fn settings(&self) -> BehaviourSettings;

    /// Sets the state to the initial state.
    ///
    /// # Errors
    /// [`Fault`].
    fn begin(&mut self) -> Result<(), Fault>;

    /// Sets the state to a stored one. Returns whether the code can read it.
    ///
    /// # Errors
    /// [`Fault`].
    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault>;

    /// Folds a stored event into the state. An implementation may put it off until [`folded`](Self::folded).
    ///
    /// # Errors
    /// [`Fault`].
    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault>;

    /// Ends a page of folded events: the state contains all of them.
    ///
    /// # Errors
    /// [`Fault`].
    fn folded(&mut self) -> Result<(), Fault>;

    /// Decides a command by the state, and folds the decided events into a second state. The first state does not
    /// change.
    ///
    /// # Errors
    /// [`Fault`].
    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault>;

    /// Whether the state is that of a process that has ended. It is asked only if the [settings](Self::settings) say that
    /// the code has an end.
    ///
    /// # Errors
    /// [`Fault`].
    fn is_ended(&mut self) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Takes the second state of the last decision as the state.
    fn advance(&mut self);

    /// Forgets the state and the second state.
    fn clear(&mut self);

    /// The state, as JSON.
    ///
    /// # Errors
    /// [`Fault`] if JSON cannot represent the state.
    fn state(&mut self) -> Result<JsonText, Fault>;
}

/// What an aggregate sets for the machine of commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BehaviourSettings {
    /// A snapshot is due after so many events. 0: never.
    pub snapshot_events: u64,
    /// A snapshot is due after so many bytes of events. 0: never.
    pub snapshot_bytes: u64,
    /// The time for which outcomes are remembered, in milliseconds. 0: as long as the stream.
    pub remember_millis: u64,
    /// Whether the code is a process, which may end.
    pub may_end: bool,
}

/// What a decision may depend on beside the command and the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecideContext {
    /// The time of the decision. It becomes the recorded time of the events, and never goes back within a stream.
    pub now: RecordedTime,
    /// The version of the stream that the state is of.
    pub version: Version,
}

/// The decision of a [`Behaviour`], with its events and rejections as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BehaviourDecision {
    /// The command is accepted.
    Accepted(Accepted),
    /// The rules refuse the command. The rejection is JSON: `{"code","data"}`.
    Rejected(JsonText),
}

/// What follows from an accepted command. If it is empty, nothing has to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The events, in the order in which they are appended.
    pub events: Vec<NewEvent>,
    /// The changes of the timers, in their order.
    pub timers: Vec<TimerChange>,
    /// The commands that a process sends.
    pub sent: Vec<SentCommand>,
    /// Whether the process is over after this decision.
    pub ended: bool,
}

impl Accepted {
    /// Events alone.
    #[must_use]
    pub fn events(events: Vec<NewEvent>) -> Self {
        Self { events, ..Self::default() }
    }

    /// Whether other commands follow from the decision: timers that are set, or commands that are sent.
    #[must_use]
    pub fn has_followers(&self) -> bool {
        let is_set = |change: &TimerChange| matches!(change, TimerChange::Set { .. });
        !self.sent.is_empty() || self.timers.iter().any(is_set)
    }
}

/// A change of a timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerChange {
    /// Sets a timer, in place of an earlier one with the same key.
    Set {
        /// The key, which is that of a timer.
        key: PendingKey,
        /// The time at which the command is due.
        at: RecordedTime,
        /// The command.
        command: Command,
    },
    /// Cancels a timer, if there is one with this key.
    Cancel(PendingKey),
}

/// A command that a process sends to another stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCommand {
    /// The name under which the process gets the answer.
    pub name: Box<str>,
    /// The stream of the receiver.
    pub stream: StreamId,
    /// The command.
    pub command: Command,
}

/// The code of an aggregate has failed, or cannot handle a command or a stored event.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Fault {
    /// The code of the error.
    pub code: ErrorCode,
    /// What is wrong.
    pub detail: String,
    /// The field of the command or of the event that is wrong.
    pub field: Option<String>,
}

impl Fault {
    /// A fault of this code.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None }
    }

    /// Whether the caller is wrong: the code has refused the command before it looked at the state. Every other fault is
    /// the code's own.
    #[must_use]
    pub fn is_of_the_caller(&self) -> bool {
        matches!(self.code, ErrorCode::UnknownCommand | ErrorCode::InvalidCommand)
    }

    /// The same fault, with the name of the wrong field.
    #[must_use]
    pub fn in_field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}
