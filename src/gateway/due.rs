//! Due times. The clock that set a due time may have been wrong. So nobody waits longer for a due time than its policy
//! allows.

use crate::store::RecordedTime;

/// A time at which something is due, and the longest time that it may lie ahead of the clock.
///
/// A clock that was ahead for a while leaves due times that no policy would have set. Such a time counts as reached.
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
    /// A due time `at`, which was set at most `longest` milliseconds ahead.
    #[must_use]
    pub const fn new(at: RecordedTime, longest: u64) -> Self {
        Self { at, longest }
    }

    /// The due time, as it was set.
    pub(super) const fn at(self) -> RecordedTime {
        self.at
    }

    /// Whether the time is reached, or lies further ahead than it may.
    #[must_use]
    pub fn is_reached(self, now: RecordedTime) -> bool {
        self.at <= now || self.is_beyond(now)
    }

    /// Whether the time lies further ahead than it may.
    #[must_use]
    pub fn is_beyond(self, now: RecordedTime) -> bool {
        self.at > now.later(self.longest)
    }

    /// Whether the time is overdue by `patience` milliseconds, or lies further ahead than it may. Such an alarm must be
    /// set again, because platforms have lost alarms.
    #[must_use]
    pub fn is_lost(self, patience: u64, now: RecordedTime) -> bool {
        self.at.later(patience) <= now || self.is_beyond(now)
    }
}
