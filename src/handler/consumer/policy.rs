//! The settings of a consumer, and its policy for events that fail.

use thiserror::Error;

use super::consumer_name::ConsumerName;
use crate::ErrorCode;
use crate::gateway::wait;
use crate::store::limits::{
    CONSUMER_ATTEMPTS, CONSUMER_DELAY_MILLIS, CONSUMER_PARTITIONS, CONSUMER_TIMEOUT_MILLIS,
};
use crate::store::{Checkpoint, StorageError};

/// The kind of a consumer. A projection stores its documents in one transaction with the checkpoint, so each event
/// takes effect exactly once. The other kinds deliver each event at least once. The kind of a consumer cannot change,
/// because its checkpoint says what was done with the events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes documents from events.
    Projection,
    /// Acts on events by a handler.
    Reactor,
    /// Passes events on to the instances of a process.
    Process,
    /// Sends events as requests to a receiver.
    Webhook,
    /// Sends events as messages to a queue.
    Queue,
}

impl Kind {
    /// The word for it: `projection`, `reactor`, `process`, `webhook` or `queue`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Reactor => "reactor",
            Self::Process => "process",
            Self::Webhook => "webhook",
            Self::Queue => "queue",
        }
    }

    pub(in crate::handler) fn parse(text: &str) -> Option<Self> {
        let kinds = [Self::Projection, Self::Reactor, Self::Process, Self::Webhook, Self::Queue];
        kinds.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The action after every attempt at an event has failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The event becomes a dead letter, and the consumer continues.
    #[default]
    Skip,
    /// The event becomes a dead letter. All later events of its stream become dead letters too, until a retry of them
    /// succeeds.
    HoldStream,
    /// The consumer stops in front of the event and continues when it is resumed. It never skips an event.
    Stop,
}

/// The rules for failures: the number of attempts, the delays, the timeout and the action after the last attempt.
///
/// The delay between attempts doubles from `first_delay` to `longest_delay`. A random part of up to half of it is
/// subtracted, so that many consumers of one receiver do not return to it at once. A receiver may ask for a longer
/// delay, up to `longest_delay`. An event that no attempt can handle is given up after the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The action after every attempt has failed.
    pub on_failure: OnFailure,
    /// The number of attempts: 1 to 100.
    pub attempts: u32,
    /// The delay after the first failure, in milliseconds: 1 or more.
    pub first_delay: u64,
    /// The longest delay between two attempts, in milliseconds: `first_delay` to a day.
    pub longest_delay: u64,
    /// The longest time for an attempt, in milliseconds: 1 to ten minutes. An attempt that has not ended by then has
    /// failed. The code that delivers the event must report this failure. A projection does not wait, so it does not
    /// use the timeout.
    pub timeout: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Policy {
    /// Eight attempts of at most half a minute. The first delay is half a second, and the longest is five minutes. Then
    /// the event is skipped.
    pub const DEFAULT: Self = Self {
        on_failure: OnFailure::Skip,
        attempts: 8,
        first_delay: 500,
        longest_delay: 5 * 60 * 1000,
        timeout: 30_000,
    };

    /// The delay after this number of failures, in milliseconds: at least `least`, but never more than the longest
    /// delay. `jitter` is a random number.
    pub(in crate::handler) fn delay(&self, failures: u32, jitter: u32, least: u64) -> u64 {
        let wait = wait(self.first_delay, self.longest_delay, failures, u64::from(jitter));
        wait.max(least.min(self.longest_delay))
    }
}

/// The deliveries that may be under way at once. It may change each time the consumer is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Up to this number of deliveries (at least 1), each of another stream. So the order within each stream stays.
    Streams(usize),
    /// Up to this number of consecutive events (at least 1), delivered in one attempt. The attempt may deliver all of
    /// them or only the first ones, and reports the outcome of each. If the batch fails as a whole, report the failure
    /// for the first event only. It does not count as an attempt at this event.
    Batch(usize),
}

impl Default for Window {
    /// One delivery after the other.
    fn default() -> Self {
        Self::Streams(1)
    }
}

/// The settings with which a consumer is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The consumer's name.
    pub name: ConsumerName,
    /// The consumer's kind. It cannot change.
    pub kind: Kind,
    /// The number of partitions of the feed: 1 to 256. It cannot change for a consumer.
    pub partitions: usize,
    /// The rules for failures. They may change each time the consumer is opened.
    pub policy: Policy,
    /// The deliveries that may be under way at once.
    pub window: Window,
    /// The version of the code that makes a projection's documents. If it is not the version that the projection last
    /// had, the projection rebuilds itself. The other kinds ignore it.
    pub version: u32,
    /// The checkpoint after which a new consumer begins. Without it, the consumer begins with the first event. A
    /// projection must not have one. A consumer that has done something continues from its own checkpoint.
    pub after: Option<Checkpoint>,
}

/// The reason why a consumer cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A number of the policy is out of its range.
    #[error("the consumer's `{field}` must be a whole number from {}", range_of(field))]
    Policy {
        /// The field with this number: `attempts`, `firstDelay`, `longestDelay` or `timeout`.
        field: &'static str,
    },
    /// The number of partitions is out of its range.
    #[error("the number of partitions must be 1 to {CONSUMER_PARTITIONS}")]
    Partitions,
    /// The value of `after` is not valid. A projection needs all events, and the checkpoint must belong to the same
    /// feed.
    #[error(
        "`after` is not a checkpoint of this feed, or the consumer is a projection, which begins with the first event"
    )]
    After,
    /// A consumer of another kind has this name.
    #[error("a {0} has this name, and a consumer cannot change its kind; delete the {0} first, or choose another name", kind.as_str())]
    KindFixed {
        /// The kind of that consumer.
        kind: Kind,
    },
    /// The consumer follows another number of partitions.
    #[error(
        "the consumer follows {followed} partitions and cannot change to another number; set the number to {followed}"
    )]
    PartitionsChanged {
        /// The number of partitions that it follows.
        followed: usize,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The valid range of a number of a policy.
fn range_of(field: &str) -> String {
    match field {
        "attempts" => format!("1 to {CONSUMER_ATTEMPTS}"),
        "timeout" => format!("1 to {CONSUMER_TIMEOUT_MILLIS}"),
        "longestDelay" => format!("`firstDelay` to {CONSUMER_DELAY_MILLIS}"),
        _ => format!("1 to {CONSUMER_DELAY_MILLIS}"),
    }
}

impl OpenError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Policy { .. } => ErrorCode::InvalidPolicy,
            Self::Partitions => ErrorCode::InvalidPartitions,
            Self::After => ErrorCode::InvalidCheckpoint,
            Self::KindFixed { .. } => ErrorCode::ConsumerKindFixed,
            Self::PartitionsChanged { .. } => ErrorCode::PartitionsChanged,
            Self::Storage(error) => error.code(),
        }
    }
}

impl Settings {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`OpenError`], as from [`Consumer::open`](crate::handler::Consumer::open).
    pub fn check(&self) -> Result<(), OpenError> {
        if !(1..=CONSUMER_PARTITIONS).contains(&self.partitions) {
            return Err(OpenError::Partitions);
        }
        let Policy { attempts, first_delay, longest_delay, timeout, .. } = self.policy;
        let fields = [
            ("attempts", (1..=CONSUMER_ATTEMPTS).contains(&attempts)),
            ("firstDelay", (1..=CONSUMER_DELAY_MILLIS).contains(&first_delay)),
            ("longestDelay", (first_delay..=CONSUMER_DELAY_MILLIS).contains(&longest_delay)),
            ("timeout", (1..=CONSUMER_TIMEOUT_MILLIS).contains(&timeout)),
        ];
        match fields.into_iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(OpenError::Policy { field }),
            None if self.begins_elsewhere() => Err(OpenError::After),
            None => Ok(()),
        }
    }

    /// Whether `after` is not valid.
    fn begins_elsewhere(&self) -> bool {
        let may = |after: &Checkpoint| self.kind != Kind::Projection && after.partitions() == self.partitions;
        !self.after.as_ref().is_none_or(may)
    }
}
