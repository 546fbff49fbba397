//! Due times. They were set by a clock that may have been wrong, so each is believed only as far as its policy looks ahead.

use crate::store::RecordedTime;

/// A time at which something is due, and how far ahead of the clock such a time may lie.
///
/// A clock that was ahead for a while leaves due times behind that no policy would have set. Such a time is not waited for.
///
/// ```
/// use sillok::gateway::Due;
/// use sillok::store::RecordedTime;
///
/// let at = RecordedTime::from_millis;
/// let retry = Due::new(at(90_000), 60_000);
/// assert!(!retry.is_reached(at(89_999)), "60 seconds at most are left");
/// assert!(retry.is_reached(at(90_000)));
/// assert!(retry.is_reached(at(29_999)), "nobody waits for more than 60 seconds: a clock was wrong");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    at: RecordedTime,
    longest: u64,
}

impl Due {
    /// Something is due `at` a time that was set at most `longest` milliseconds ahead.
    #[must_use]
    pub const fn new(at: RecordedTime, longest: u64) -> Self {
        Self { at, longest }
    }

    /// When it is due, as it was set.
    pub(super) const fn at(self) -> RecordedTime {
        self.at
    }

    /// Whether it is due: its time has come, or lies further ahead than it may.
    #[must_use]
    pub fn is_reached(self, now: RecordedTime) -> bool {
        self.at <= now || self.is_beyond(now)
    }

    /// Whether its time lies further ahead than it may.
    #[must_use]
    pub fn is_beyond(self, now: RecordedTime) -> bool {
        self.at > now.later(self.longest)
    }

    /// Whether it should have been done `patience` milliseconds ago, or its time lies further ahead than it may. An alarm of
    /// which this is true is set anew: platforms have been seen to lose one.
    #[must_use]
    pub fn is_lost(self, patience: u64, now: RecordedTime) -> bool {
        self.at.later(patience) <= now || self.is_beyond(now)
    }
}
