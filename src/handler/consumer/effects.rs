//! What a consumer's driver wants done, and what happens to it.

use super::attempt::Outcome;
use crate::gateway::{CallId, Trouble};
use crate::handler::feed::{Delivery, FeedPage, Read};
use crate::store::{RecordedTime, StorageError};

/// What a consumer wants done.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerEffect {
    /// Read this page of the feed, and give it as [`ConsumerInput::Read`].
    Read {
        /// The number of this call.
        call: CallId,
        /// The page.
        read: Read,
    },
    /// Deliver these events, all by one attempt, and give what came of it as [`ConsumerInput::Attempted`].
    Deliver {
        /// The number of this call.
        call: CallId,
        /// One event, or a batch.
        deliveries: Vec<Delivery>,
        /// How long the attempt may take, in milliseconds.
        millis: u64,
    },
    /// Call [`ConsumerDriver::project`](super::driver::ConsumerDriver::project) within this turn.
    Project,
    /// Give [`ConsumerInput::Continue`] once this turn is over.
    Soon,
    /// Give [`ConsumerInput::Later`] after other requests had their turn.
    Later {
        /// The number of this call.
        call: CallId,
    },
    /// Give [`ConsumerInput::Expired`] in so many milliseconds.
    Wait {
        /// The number of this wait.
        call: CallId,
        /// How many milliseconds.
        millis: u64,
    },
    /// Read for when the alarm is set, and give that as [`ConsumerInput::FoundAlarm`].
    FindAlarm {
        /// The number of this call.
        call: CallId,
    },
    /// A run has begun, or has ended.
    Running(bool),
    /// Nothing is being delivered: the consumer may be [changed](super::driver::ConsumerDriver::redefine) within this turn.
    Change {
        /// The call of [`ConsumerDriver::change`](super::driver::ConsumerDriver::change) that waited for it.
        call: CallId,
    },
    /// Answer a [`reach`](super::driver::ConsumerDriver::reach).
    Reached {
        /// The call that is answered.
        call: CallId,
        /// Whether the checkpoint has reached the position.
        outcome: Result<bool, StorageError>,
    },
    /// The work for which the alarm rang is done. Where it failed and could not be put off, the platform has to ring again.
    AlarmOver(Result<(), StorageError>),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for ConsumerEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// What happens to a consumer beside requests.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerInput {
    /// It continues after [`ConsumerEffect::Soon`].
    Continue,
    /// It continues after [`ConsumerEffect::Later`].
    Later {
        /// The number of the call.
        call: CallId,
    },
    /// A page of the feed was read, or could not be.
    Read {
        /// The number of the call.
        call: CallId,
        /// The page; nothing where it could not be read.
        page: Option<FeedPage>,
    },
    /// An attempt has ended, or its time is over.
    Attempted {
        /// The number of the call.
        call: CallId,
        /// What came of it.
        attempted: Attempted,
    },
    /// The alarm that [`ConsumerEffect::FindAlarm`] has found.
    FoundAlarm {
        /// The number of the call.
        call: CallId,
        /// For when it is set.
        alarm: Option<RecordedTime>,
    },
    /// The time of a [`ConsumerEffect::Wait`] is over, whatever the clock says.
    Expired {
        /// The number of the wait.
        call: CallId,
    },
    /// The alarm rings. [`ConsumerEffect::AlarmOver`] ends it.
    Rang,
}

/// What came of an attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// So many of the first events are done; the others are attempted again.
    Done(usize),
    /// The first event has this outcome; the others are attempted again.
    Ended(Outcome),
    /// It took longer than it may.
    Late,
}
