//! The condition of an append on the stream.

use std::fmt;

use crate::store::version::Version;

/// The version that a stream must have for an append to happen: optimistic concurrency control.
///
/// ```
/// use sillok::store::{ExpectedVersion, Version};
///
/// assert!(ExpectedVersion::NoStream.holds_at(Version::EMPTY));
/// assert!(!ExpectedVersion::StreamExists.holds_at(Version::EMPTY));
/// assert!(ExpectedVersion::Exactly(Version::FIRST).holds_at(Version::FIRST));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Append at any version.
    #[default]
    Any,
    /// The stream must have no events yet.
    NoStream,
    /// The stream must have at least one event.
    StreamExists,
    /// The stream must be at exactly this version.
    Exactly(Version),
}

impl ExpectedVersion {
    /// Whether a stream at `actual` fulfils this condition. No other code decides it.
    #[must_use]
    pub fn holds_at(self, actual: Version) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual.is_empty(),
            Self::StreamExists => !actual.is_empty(),
            Self::Exactly(expected) => expected == actual,
        }
    }
}

impl fmt::Display for ExpectedVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any"),
            Self::NoStream => formatter.write_str("no-stream"),
            Self::StreamExists => formatter.write_str("stream-exists"),
            Self::Exactly(version) => version.fmt(formatter),
        }
    }
}
