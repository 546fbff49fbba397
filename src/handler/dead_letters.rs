//! Events that a consumer gave up, kept until they are retried.

use super::feed::FeedEvent;
use crate::store::RecordedTime;

/// Why an event lies among the dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Every attempt at it failed.
    Failed,
    /// An earlier event of its stream lies there.
    Held,
}

impl Reason {
    /// The word for it: `failed` or `held`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }
}

/// An event that a consumer gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place among the consumer's dead letters, in the order in which they came.
    pub id: u64,
    /// The partition of the feed that holds the event.
    pub partition: usize,
    /// The event.
    pub event: FeedEvent,
    /// Why it lies here.
    pub reason: Reason,
    /// What the last attempt said; empty where there was none.
    pub error: String,
    /// How many attempts there were.
    pub attempts: u64,
    /// When it came here, or was last given up.
    pub time: RecordedTime,
}

/// Some dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// The letters, in the order of their ids.
    pub letters: Vec<DeadLetter>,
    /// The id after which there are more.
    pub next: Option<u64>,
}
