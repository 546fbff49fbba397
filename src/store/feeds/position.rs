//! Positions: places in the order of all events.

use std::fmt;

use crate::store::limits::MAX_VERSION;

/// A place in the order of all events of a log. The first event is at 1. No position is given twice. A log without
/// events is at 0, and the highest position is 2^53 - 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(u64);

impl Position {
    /// The place before the first event.
    pub const START: Self = Self(0);

    /// Makes a position from a number. `None` beyond 2^53 - 1.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number <= MAX_VERSION { Some(Self(number)) } else { None }
    }

    /// The position as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position `count` places later. `None` beyond the highest position.
    #[must_use]
    pub fn after(self, count: u64) -> Option<Self> {
        self.0.checked_add(count).and_then(Self::new)
    }

    /// The position `count` places earlier. `None` before the first event.
    #[must_use]
    pub fn before(self, count: usize) -> Option<Self> {
        self.0.checked_sub(u64::try_from(count).ok()?).map(Self).filter(|position| *position > Self::START)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
