//! The effects and the inputs of a journal's driver.

use super::log::RecordError;
use crate::gateway::turn::{CallId, Trouble};
use crate::handler::ConsumerName;
use crate::store::{Position, RecordedTime, StorageError, Version};

/// An effect of a journal: an action that its object carries out.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalEffect {
    /// Wake this consumer. Pass as [`JournalInput::Woken`] whether the consumer has answered in time.
    Wake {
        /// The number of this call.
        call: CallId,
        /// The consumer.
        consumer: ConsumerName,
        /// The longest wait for its answer, in milliseconds.
        millis: u64,
    },
    /// Make the written rows durable. Then pass [`JournalInput::Synced`].
    Sync,
    /// Pass [`JournalInput::Continue`] after this turn.
    Soon,
    /// Pass [`JournalInput::Expired`] after `millis` milliseconds.
    Wait {
        /// The [`locate`](super::JournalDriver::locate) that waits.
        call: CallId,
        /// The number of milliseconds.
        millis: u64,
    },
    /// Pass [`JournalInput::LookAgain`] after this turn.
    LookAgain {
        /// The [`locate`](super::JournalDriver::locate) that waits.
        call: CallId,
    },
    /// Read the time of the alarm. Pass it as [`JournalInput::FoundAlarm`].
    FindAlarm,
    /// The journal has grown to this position. Inform the followers of the feed.
    Grown(Position),
    /// Answer a [`record`](super::JournalDriver::record).
    Recorded {
        /// The call to answer.
        call: CallId,
        /// The version up to which the journal has the stream, or the reason why nothing was recorded.
        outcome: Result<Version, RecordError>,
    },
    /// Answer a [`locate`](super::JournalDriver::locate).
    Located {
        /// The call to answer.
        call: CallId,
        /// The position of the stream's last event. `None` if the journal does not have the version.
        outcome: Result<Option<Position>, RecordError>,
    },
    /// The alarm's work has ended. After an error, the platform must ring the alarm again.
    AlarmOver(Result<(), StorageError>),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for JournalEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// An input of a journal that is not a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalInput {
    /// The turn after [`JournalEffect::Soon`].
    Continue,
    /// A consumer has answered a wake, or has not.
    Woken {
        /// The number of the call.
        call: CallId,
        /// Whether the consumer has answered in time.
        is_awake: bool,
    },
    /// The written rows are durable, or the storage has failed.
    Synced(Result<(), StorageError>),
    /// The time of a [`JournalEffect::Wait`] is over, even if the clock was set back meanwhile.
    Expired {
        /// The call that waited.
        call: CallId,
    },
    /// The turn after [`JournalEffect::LookAgain`]. The journal has more of a stream.
    LookAgain {
        /// The call that waits for the stream.
        call: CallId,
    },
    /// The time of the alarm, after [`JournalEffect::FindAlarm`]. An alarm that is long overdue was lost.
    FoundAlarm(Option<RecordedTime>),
    /// The alarm rings. The driver calls the consumers again that did not wake. [`JournalEffect::AlarmOver`] follows.
    Rang,
}
