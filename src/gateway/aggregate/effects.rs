//! The effects and the inputs of an aggregate's driver.

use super::command_error::CommandError;
use super::executed::Executed;
use super::machine::ForgetError;
use super::pending::{FailedAttempt, Sending};
use crate::gateway::journal::Forward;
use crate::gateway::turn::{CallId, Trouble};
use crate::handler::Answer;
use crate::store::{JsonText, PendingKey, RecordedTime, StorageError, Truncated, Version};

/// An effect of an aggregate: an action that its object carries out.
#[derive(Debug)]
#[non_exhaustive]
pub enum AggregateEffect {
    /// Send a forward to the journal of the stream. Pass the answer as [`AggregateInput::Answered`].
    Forward {
        /// The number of this call.
        call: CallId,
        /// The forward.
        forward: Forward,
    },
    /// Send a command of a process to its receiver. Pass what comes back as [`AggregateInput::Replied`].
    Send {
        /// The number of this call.
        call: CallId,
        /// The receiver, and the command with its id.
        sending: Sending,
    },
    /// Pass [`AggregateInput::Continue`] after this turn.
    Soon,
    /// Pass [`AggregateInput::Remove`] after other requests had their turn.
    Later,
    /// Pass [`AggregateInput::TryAgain`] after this turn.
    TryAgain {
        /// The [`forget`](super::AggregateDriver::forget) that has waited.
        call: CallId,
    },
    /// Read the time of the alarm. Pass it as [`AggregateInput::FoundAlarm`].
    FindAlarm,
    /// The stream has grown to this version. Inform its followers.
    Grown(Version),
    /// The stream was deleted. Dismiss its followers.
    Deleted,
    /// Answer a [`forget`](super::AggregateDriver::forget).
    Forgot {
        /// The call to answer.
        call: CallId,
        /// The remaining part of the stream, or the reason why nothing was forgotten.
        outcome: Result<Forgotten, ForgetError>,
    },
    /// Call [`decide`](super::AggregateDriver::decide) after other requests had their turn.
    Decide,
    /// Answer an [`execute`](super::AggregateDriver::execute).
    Executed {
        /// The call that is answered.
        call: CallId,
        /// The outcome of the command, or the reason why it has none.
        outcome: Result<Executed, CommandError>,
    },
    /// Answer a [`load`](super::AggregateDriver::load).
    Loaded {
        /// The call that is answered.
        call: CallId,
        /// The version and the state as JSON, or the reason why it was not loaded.
        outcome: Result<(Version, JsonText), CommandError>,
    },
    /// The alarm's work has ended. After an error, the platform must ring the alarm again.
    AlarmOver(Result<(), StorageError>),
    /// An attempt at a timer or a sent command has failed. Report it to the operator.
    Failed(PendingFailure),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for AggregateEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// A failed attempt at a timer or a sent command, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingFailure {
    /// The timer or the sent command.
    pub key: PendingKey,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
    /// The reason.
    pub failure: FailedAttempt,
    /// The time of the next attempt. `None` if it is parked: it waits for an operator.
    pub retry_at: Option<RecordedTime>,
}

/// An input of an aggregate that is not a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum AggregateInput {
    /// The turn after [`AggregateEffect::Soon`].
    Continue,
    /// The turn after [`AggregateEffect::Later`]. The driver removes the next page of forgotten events.
    Remove,
    /// The turn after [`AggregateEffect::TryAgain`]. The driver tries again to forget events.
    TryAgain {
        /// The call.
        call: CallId,
    },
    /// A forward has an answer, or will never have one.
    Answered {
        /// The number of the call.
        call: CallId,
        /// The version up to which the journal has the stream. `None` if the journal did not answer.
        version: Option<Version>,
    },
    /// A sent command has an answer, or has failed.
    Replied {
        /// The number of the call.
        call: CallId,
        /// The answer, or the reason why there is none.
        reply: Result<Answer, FailedAttempt>,
    },
    /// The time of the alarm, after [`AggregateEffect::FindAlarm`]. An alarm that is long overdue was lost.
    FoundAlarm(Option<RecordedTime>),
    /// The alarm rings. The driver gives up its unfinished work and begins it again. [`AggregateEffect::AlarmOver`] follows.
    Rang,
}

/// The events to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// The events before this version.
    Before(Version),
    /// The whole stream.
    All,
}

/// The remaining part of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// The stream was truncated.
    Truncated(Truncated),
    /// The stream was deleted.
    Deleted,
}
