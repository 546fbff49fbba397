//! Versions: places in a stream.

use std::fmt;

use super::limits::MAX_VERSION;

/// A place in a stream. The first event is 1, and an empty stream is at 0. The highest version is 2^53 - 1, the largest
/// integer that a JavaScript number holds exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// The version of a stream that has no events.
    pub const EMPTY: Self = Self(0);
    /// The version of a stream's first event.
    pub const FIRST: Self = Self(1);
    /// The highest version of a stream.
    pub const MAX: Self = Self(MAX_VERSION);

    /// Makes a version from a number. `None` beyond 2^53 - 1.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number <= MAX_VERSION { Some(Self(number)) } else { None }
    }

    /// The version as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is the version of a stream without events.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The version `count` places later. `None` beyond the highest version.
    #[must_use]
    pub fn after(self, count: usize) -> Option<Self> {
        self.0.checked_add(u64::try_from(count).ok()?).and_then(Self::new)
    }

    /// The version `count` places earlier. `None` before the empty stream.
    #[must_use]
    pub fn before(self, count: usize) -> Option<Self> {
        self.0.checked_sub(u64::try_from(count).ok()?).map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
