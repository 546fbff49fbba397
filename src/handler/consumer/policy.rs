//! What a consumer is, and what it does about events that fail.

use thiserror::Error;

use super::consumer_name::ConsumerName;
use crate::ErrorCode;
use crate::gateway::wait;
use crate::store::limits::{
    CONSUMER_ATTEMPTS, CONSUMER_DELAY_MILLIS, CONSUMER_PARTITIONS, CONSUMER_TIMEOUT_MILLIS,
};
use crate::store::{Checkpoint, StorageError};

/// What becomes of a consumer's events. A projection's documents are kept in one transaction with the checkpoint: each event
/// takes effect exactly once. To the others each event is delivered at least once. A consumer stays of its kind: the
/// checkpoint tells what has become of the events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Documents.
    Projection,
    /// Whatever a handler does upon them.
    Reactor,
    /// Requests to a receiver.
    Webhook,
    /// Messages in a queue.
    Queue,
}

impl Kind {
    /// The word for it: `projection`, `reactor`, `webhook` or `queue`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Reactor => "reactor",
            Self::Webhook => "webhook",
            Self::Queue => "queue",
        }
    }

    pub(in crate::handler) fn parse(text: &str) -> Option<Self> {
        let kinds = [Self::Projection, Self::Reactor, Self::Webhook, Self::Queue];
        kinds.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is done about an event of which every attempt failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It becomes a dead letter, and the consumer goes on.
    #[default]
    Skip,
    /// It becomes a dead letter, and so do all later events of its stream, until they were retried with success.
    HoldStream,
    /// The consumer stops in front of it and goes on when it is told to: no event is ever passed over.
    Stop,
}

/// How often an event is attempted, how long each time, how long between, and what then.
///
/// The time between attempts doubles from `first_delay` to `longest_delay`, less up to half of it by chance, so that
/// many consumers of one receiver do not return to it at once. A receiver may ask for a longer time, up to `longest_delay`.
/// An event at which no attempt can succeed is given up after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What is done when every attempt failed.
    pub on_failure: OnFailure,
    /// How many attempts there are: 1 to 100.
    pub attempts: u32,
    /// Time after the first failure, in milliseconds: 1 or more.
    pub first_delay: u64,
    /// Longest time between two attempts, in milliseconds: `first_delay` to a day.
    pub longest_delay: u64,
    /// How long an attempt may take, in milliseconds: 1 to ten minutes. One that has not ended by then has failed: it is for
    /// whoever delivers to tell so. A projection waits for nothing and has no use for it.
    pub timeout: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Policy {
    /// Eight attempts of at most half a minute, the second after half a second, with at most five minutes between two; then
    /// the event is skipped.
    pub const DEFAULT: Self = Self {
        on_failure: OnFailure::Skip,
        attempts: 8,
        first_delay: 500,
        longest_delay: 5 * 60 * 1000,
        timeout: 30_000,
    };

    /// Milliseconds to wait after so many failures: `least` of them, but never more than the longest delay. `jitter` is any
    /// number, drawn anew each time.
    pub(in crate::handler) fn delay(&self, failures: u32, jitter: u32, least: u64) -> u64 {
        let wait = wait(self.first_delay, self.longest_delay, failures, u64::from(jitter));
        wait.max(least.min(self.longest_delay))
    }
}

/// Which deliveries may be under way at once. The number may be another each time the consumer is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Up to so many, 1 at least, each of an event of another stream: each stream's order holds.
    Streams(usize),
    /// Up to so many that follow on one another and are delivered as one: all of them, or the first of them, and what came
    /// of it is told of each. Where they failed as one, that is told of the first alone, and is no attempt at it.
    Batch(usize),
}

impl Default for Window {
    /// One after the other.
    fn default() -> Self {
        Self::Streams(1)
    }
}

/// What a consumer is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The consumer's name.
    pub name: ConsumerName,
    /// What becomes of its events: always the same for one consumer.
    pub kind: Kind,
    /// How many partitions the feed has: 1 to 256, and always the same for one consumer.
    pub partitions: usize,
    /// What is done about failures. It may be another each time the consumer is opened.
    pub policy: Policy,
    /// How much is delivered at once.
    pub window: Window,
    /// Where a new consumer begins, which is no projection: after this checkpoint, or else with the first event. One that
    /// has done something goes on from where it is.
    pub after: Option<Checkpoint>,
}

/// Why a consumer cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A number of the policy is out of its range.
    #[error("the consumer's `{field}` must be a whole number from {}", range_of(field))]
    Policy {
        /// Which number: `attempts`, `firstDelay`, `longestDelay` or `timeout`.
        field: &'static str,
    },
    /// The number of partitions is out of its range.
    #[error("the number of partitions must be 1 to {CONSUMER_PARTITIONS}")]
    Partitions,
    /// It is to begin where it cannot: a projection is made of all events, and the checkpoint is of the same feed.
    #[error(
        "`after` is not a checkpoint of this feed, or the consumer is a projection, which begins with the first event"
    )]
    After,
    /// There is a consumer of this name, which is of another kind.
    #[error("a {0} has this name, and a consumer cannot change its kind; delete the {0} first, or choose another name", kind.as_str())]
    KindFixed {
        /// What it is.
        kind: Kind,
    },
    /// The consumer has followed another number of partitions.
    #[error(
        "the consumer follows {followed} partitions and cannot change to another number; set the number to {followed}"
    )]
    PartitionsChanged {
        /// The number that it follows.
        followed: usize,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a number of a policy may be.
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
    /// Checks all of it.
    ///
    /// # Errors
    /// [`OpenError`], as [`Consumer::open`](super::Consumer::open) gives it.
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

    /// Whether it is to begin where it cannot.
    fn begins_elsewhere(&self) -> bool {
        let may = |after: &Checkpoint| self.kind != Kind::Projection && after.partitions() == self.partitions;
        !self.after.as_ref().is_none_or(may)
    }
}
