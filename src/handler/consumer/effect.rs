//! The effects and the inputs of a consumer's driver.

use super::attempt::Outcome;
use crate::gateway::{CallId, Trouble, Turn};
use crate::handler::feed::{Delivery, FeedPage, Read};
use crate::store::{RecordedTime, StorageError};

/// An effect that a consumer asks its object to carry out.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerEffect {
    /// Read this page of the feed. Pass it as [`ConsumerInput::Read`].
    Read {
        /// The number of this call.
        call: CallId,
        /// The page to read.
        read: Read,
    },
    /// Deliver these events in one attempt. Pass its result as [`ConsumerInput::Attempted`].
    Deliver {
        /// The number of this call.
        call: CallId,
        /// One event, or a batch.
        deliveries: Vec<Delivery>,
        /// The longest time for the attempt, in milliseconds.
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
    /// Pass [`ConsumerInput::Ticked`] after this number of milliseconds.
    Wait {
        /// The number of milliseconds.
        millis: u64,
    },
    /// Read the time of the alarm. Pass it as [`ConsumerInput::FoundAlarm`].
    FindAlarm {
        /// The number of this call.
        call: CallId,
    },
    /// A run has begun (`true`) or has ended (`false`).
    Running(bool),
    /// No delivery is under way, or the wait for deliveries is over. You may
    /// [change](super::driver::ConsumerDriver::redefine) the consumer within this turn.
    Change {
        /// The waiting call of [`ConsumerDriver::change`](super::driver::ConsumerDriver::change).
        call: CallId,
    },
    /// Answer a [`reach`](super::driver::ConsumerDriver::reach).
    Reached {
        /// The call to answer.
        call: CallId,
        /// Whether the checkpoint has reached the position.
        outcome: Result<bool, StorageError>,
    },
    /// The work for an alarm is done. If it is an error, the work could not be postponed, and the platform must ring
    /// the alarm again.
    AlarmOver(Result<(), StorageError>),
    /// Write a line to the operator's log.
    Log(Trouble),
}

impl From<Trouble> for ConsumerEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// Something that happens to a consumer, other than a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerInput {
    /// The turn of [`ConsumerEffect::Soon`] is over. The consumer begins a run, unless one is under way.
    Continue,
    /// Other requests had their turn after [`ConsumerEffect::Later`]. The run continues.
    Later {
        /// The number of the call.
        call: CallId,
    },
    /// The read of a page has ended.
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
    /// The result of [`ConsumerEffect::FindAlarm`].
    FoundAlarm {
        /// The number of the call.
        call: CallId,
        /// The time of the alarm, if one is set.
        alarm: Option<RecordedTime>,
    },
    /// The time of a [`ConsumerEffect::Wait`] is over.
    Ticked,
    /// The alarm rings. [`ConsumerEffect::AlarmOver`] follows.
    Rang,
}

pub(super) type ConsumerTurn<'a> = Turn<'a, ConsumerEffect>;

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// The first events are done, this many of them.
    Done(usize),
    /// The attempt has this outcome. In a batch, it is the outcome of the first event, and the others are attempted
    /// again.
    Ended(Outcome),
    /// The attempt did not end in time.
    Late,
}
