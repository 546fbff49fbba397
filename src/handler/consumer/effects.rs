//! The effects and the inputs of a consumer's driver.

use super::attempt::Outcome;
use super::failures::FailureReport;
use crate::gateway::{CallId, Trouble};
use crate::handler::feed::{Delivery, FeedPage, Read};
use crate::store::{RecordedTime, StorageError};

/// An effect of a consumer: an action that its object carries out.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerEffect {
    /// Read this page of the feed. Pass it as [`ConsumerInput::Read`].
    Read {
        /// The number of this call.
        call: CallId,
        /// The page.
        read: Read,
    },
    /// Deliver these events in one attempt. Pass its result as [`ConsumerInput::Attempted`].
    Deliver {
        /// The number of this call.
        call: CallId,
        /// One event, or a batch.
        deliveries: Vec<Delivery>,
        /// The longest time of the attempt, in milliseconds.
        millis: u64,
    },
    /// Call [`ConsumerDriver::project`](super::driver::ConsumerDriver::project) within this turn.
    Project,
    /// Pass [`ConsumerInput::Continue`] after this turn.
    Soon,
    /// Pass [`ConsumerInput::Later`] after other requests had their turn.
    Later {
        /// The number of this call.
        call: CallId,
    },
    /// Pass [`ConsumerInput::Expired`] after `millis` milliseconds.
    Wait {
        /// The number of this wait.
        call: CallId,
        /// The number of milliseconds.
        millis: u64,
    },
    /// Read the time of the alarm. Pass it as [`ConsumerInput::FoundAlarm`].
    FindAlarm {
        /// The number of this call.
        call: CallId,
    },
    /// A run has begun, or has ended.
    Running(bool),
    /// The documents have changed, up to the commit of this number. Inform their followers.
    DocumentsChanged(u64),
    /// No delivery is under way. [Change](super::driver::ConsumerDriver::redefine) the consumer within this turn.
    Change {
        /// The call of [`ConsumerDriver::change`](super::driver::ConsumerDriver::change) that has waited.
        call: CallId,
    },
    /// Answer a [`reach`](super::driver::ConsumerDriver::reach).
    Reached {
        /// The call to answer.
        call: CallId,
        /// Whether the checkpoint has reached the position.
        outcome: Result<bool, StorageError>,
    },
    /// Answer a [`discard`](super::driver::ConsumerDriver::discard).
    Discarded {
        /// The call to answer.
        call: CallId,
        /// `false` if the consumer has no dead letter of the requested id.
        outcome: Result<bool, StorageError>,
    },
    /// The alarm's work has ended. After an error, the platform must ring the alarm again.
    AlarmOver(Result<(), StorageError>),
    /// An attempt at an event has failed. Report it to the operator.
    Failed(FailureReport),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for ConsumerEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// An input of a consumer that is not a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerInput {
    /// The turn after [`ConsumerEffect::Soon`].
    Continue,
    /// The turn after [`ConsumerEffect::Later`].
    Later {
        /// The number of the call.
        call: CallId,
    },
    /// A page of the feed was read, or could not be read.
    Read {
        /// The number of the call.
        call: CallId,
        /// The page. `None` if it could not be read.
        page: Option<FeedPage>,
    },
    /// An attempt has ended, or its time is over.
    Attempted {
        /// The number of the call.
        call: CallId,
        /// The result of the attempt.
        attempted: Attempted,
    },
    /// The time of the alarm, after [`ConsumerEffect::FindAlarm`].
    FoundAlarm {
        /// The number of the call.
        call: CallId,
        /// The time. `None` if no alarm is set.
        alarm: Option<RecordedTime>,
    },
    /// The time of a [`ConsumerEffect::Wait`] is over, even if the clock was set back meanwhile.
    Expired {
        /// The number of the wait.
        call: CallId,
    },
    /// The alarm rings. [`ConsumerEffect::AlarmOver`] follows.
    Rang,
}

/// The result of an attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// This number of events is done, counted from the first. The others are attempted again.
    Done(usize),
    /// The first event has this outcome. The others are attempted again.
    Ended(Outcome),
    /// The attempt took longer than allowed.
    Late,
}
