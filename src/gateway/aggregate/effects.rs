//! What an aggregate's driver wants done, and what happens to it.

use super::command_error::CommandError;
use super::executed::Executed;
use super::machine::ForgetError;
use crate::gateway::journal::Forward;
use crate::gateway::turn::{CallId, Trouble};
use crate::store::{JsonText, RecordedTime, StorageError, Truncated, Version};

/// What an aggregate wants done.
#[derive(Debug)]
#[non_exhaustive]
pub enum AggregateEffect {
    /// Send this to the journal of the stream, and give its answer as [`AggregateInput::Answered`].
    Forward {
        /// The number of this call.
        call: CallId,
        /// What the journal is to record.
        forward: Forward,
    },
    /// Give [`AggregateInput::Continue`] once this turn is over.
    Soon,
    /// Give [`AggregateInput::Remove`] after other requests had their turn.
    Later,
    /// Give [`AggregateInput::TryAgain`] once this turn is over.
    TryAgain {
        /// The [`forget`](super::AggregateDriver::forget) that has waited.
        call: CallId,
    },
    /// Read for when the alarm is set, and give that as [`AggregateInput::FoundAlarm`].
    FindAlarm,
    /// The stream has grown to this version: its followers read on.
    Grown(Version),
    /// The stream was deleted: its followers have nothing more to read.
    Deleted,
    /// Answer a [`forget`](super::AggregateDriver::forget).
    Forgot {
        /// The call that is answered.
        call: CallId,
        /// What is left, or why nothing was forgotten.
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
    /// The work for which the alarm rang is done. Where it failed and could not be put off, the platform has to ring again.
    AlarmOver(Result<(), StorageError>),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for AggregateEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// What happens to an aggregate beside requests.
#[derive(Debug)]
#[non_exhaustive]
pub enum AggregateInput {
    /// It continues after [`AggregateEffect::Soon`].
    Continue,
    /// It removes the next page of what was forgotten, after [`AggregateEffect::Later`].
    Remove,
    /// A [`forget`](super::AggregateDriver::forget) that has waited for the journal is tried again, after
    /// [`AggregateEffect::TryAgain`].
    TryAgain {
        /// The call.
        call: CallId,
    },
    /// A forward was answered, or will not be.
    Answered {
        /// The number of the call.
        call: CallId,
        /// Up to which version the journal has the stream; nothing where it did not answer.
        version: Option<Version>,
    },
    /// The alarm that [`AggregateEffect::FindAlarm`] has found. One that is long overdue was lost.
    FoundAlarm(Option<RecordedTime>),
    /// The alarm rings: everything under way is given up and begun anew. [`AggregateEffect::AlarmOver`] ends it.
    Rang,
}

/// What an aggregate is to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// The events before this version.
    Before(Version),
    /// The whole stream.
    All,
}

/// What is left of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// It was truncated.
    Truncated(Truncated),
    /// It was deleted.
    Deleted,
}
