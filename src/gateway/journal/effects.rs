//! What a journal's driver wants done, and what happens to it.

use super::log::RecordError;
use crate::gateway::turn::{CallId, Trouble};
use crate::handler::ConsumerName;
use crate::store::{Position, RecordedTime, StorageError, Version};

/// What a journal wants done.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalEffect {
    /// Wake this consumer, and say by [`JournalInput::Woken`] whether it has answered within its time.
    Wake {
        /// The number of this call.
        call: CallId,
        /// The consumer.
        consumer: ConsumerName,
        /// How long to wait for its answer, in milliseconds.
        millis: u64,
    },
    /// Make durable what was written, then give [`JournalInput::Synced`].
    Sync,
    /// Give [`JournalInput::Continue`] once this turn is over.
    Soon,
    /// Give [`JournalInput::Expired`] in so many milliseconds.
    Wait {
        /// The [`locate`](super::JournalDriver::locate) that waits.
        call: CallId,
        /// How many milliseconds.
        millis: u64,
    },
    /// Give [`JournalInput::LookAgain`] once this turn is over.
    LookAgain {
        /// The [`locate`](super::JournalDriver::locate) that waits.
        call: CallId,
    },
    /// Read for when the alarm is set, and give that as [`JournalInput::FoundAlarm`].
    FindAlarm,
    /// The journal has grown to this position: the followers of the feed read on.
    Grown(Position),
    /// Answer a [`record`](super::JournalDriver::record).
    Recorded {
        /// The call that is answered.
        call: CallId,
        /// Up to which version the journal has the stream, or why nothing was recorded.
        outcome: Result<Version, RecordError>,
    },
    /// Answer a [`locate`](super::JournalDriver::locate).
    Located {
        /// The call that is answered.
        call: CallId,
        /// The position of the stream's last event; nothing where the journal does not have the version.
        outcome: Result<Option<Position>, RecordError>,
    },
    /// The work for which the alarm rang is done. Where it failed and could not be put off, the platform has to ring again.
    AlarmOver(Result<(), StorageError>),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for JournalEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// What happens to a journal beside requests.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalInput {
    /// It continues after [`JournalEffect::Soon`].
    Continue,
    /// A consumer was called.
    Woken {
        /// The number of the call.
        call: CallId,
        /// Whether it has answered within its time.
        is_awake: bool,
    },
    /// What was written is durable, or is not.
    Synced(Result<(), StorageError>),
    /// The time of a [`JournalEffect::Wait`] is over, whatever the clock says.
    Expired {
        /// The call that waited.
        call: CallId,
    },
    /// The journal has more of a stream, after [`JournalEffect::LookAgain`].
    LookAgain {
        /// The call that waits for it.
        call: CallId,
    },
    /// The alarm that [`JournalEffect::FindAlarm`] has found. One that is long overdue was lost.
    FoundAlarm(Option<RecordedTime>),
    /// The alarm rings: consumers that could not be woken are called again. [`JournalEffect::AlarmOver`] ends it.
    Rang,
}
