//! The decision to append: pure, so that every store decides the same.

use thiserror::Error;

use super::event::{CommittedEvent, EventId, NewEvent, RecordedTime};
use super::expected_version::ExpectedVersion;
use super::limits::{COMMIT_BYTES, COMMIT_EVENTS};
use super::log::{Head, StorageError};
use super::stream_id::StreamId;
use super::version::Version;

/// The events of one append: written and read as one, never in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    first_version: Version,
    version: Version,
    time: RecordedTime,
    events: Vec<CommittedEvent>,
}

/// What an append tells its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream that was appended to.
    pub stream: StreamId,
    /// The version of the first event of this append.
    pub first_version: Version,
    /// The version of the last event of this append, and so of the stream.
    pub version: Version,
    /// When the store recorded the events.
    pub time: RecordedTime,
}

/// Why nothing was appended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The stream is not at the version that the writer expected.
    #[error("stream {stream} is at version {actual}, not at the expected {expected}")]
    WrongExpectedVersion {
        /// The stream.
        stream: StreamId,
        /// What the writer expected.
        expected: ExpectedVersion,
        /// The stream's true version.
        actual: Version,
    },
    /// There are no events to append.
    #[error("an append needs at least one event")]
    NoEvents,
    /// There are more events than one commit may hold.
    #[error("{count} events are more than the {COMMIT_EVENTS} that one append may carry")]
    TooManyEvents {
        /// How many events were given.
        count: usize,
    },
    /// The events together are larger than one commit may be.
    #[error("the events are {bytes} bytes, more than the {COMMIT_BYTES} that one append may carry")]
    CommitTooLarge {
        /// Size of the events' ids, types, data and metadata, in bytes of UTF-8.
        bytes: usize,
    },
    /// The stream cannot reach a higher version.
    #[error("stream {stream} cannot go beyond version {}", Version::MAX)]
    VersionExhausted {
        /// The stream.
        stream: StreamId,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AppendError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongExpectedVersion { .. } => "wrong_expected_version",
            Self::NoEvents => "no_events",
            Self::TooManyEvents { .. } => "too_many_events",
            Self::CommitTooLarge { .. } => "commit_too_large",
            Self::VersionExhausted { .. } => "version_exhausted",
            Self::Storage(error) => error.code(),
        }
    }
}

/// What a writer wants appended.
#[derive(Debug)]
pub(crate) struct Intent<'a> {
    pub(crate) stream: &'a StreamId,
    pub(crate) expected: ExpectedVersion,
    pub(crate) events: Vec<NewEvent>,
}

impl Intent<'_> {
    /// Decides whether the events may be appended to a stream that is at `head`, and as which commit.
    pub(crate) fn plan(
        self,
        head: Head,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Commit, AppendError> {
        self.check_size()?;
        if !self.expected.holds_at(head.version) {
            let (stream, expected) = (self.stream.clone(), self.expected);
            return Err(AppendError::WrongExpectedVersion { stream, expected, actual: head.version });
        }
        let versions = head.version.after(1).zip(head.version.after(self.events.len()));
        let Some((first_version, version)) = versions else {
            return Err(AppendError::VersionExhausted { stream: self.stream.clone() });
        };
        let events = self.events.into_iter().map(|event| event.commit(fresh_id)).collect();
        // A clock that went back does not take the stream with it.
        Ok(Commit { first_version, version, time: now.max(head.time), events })
    }

    fn check_size(&self) -> Result<(), AppendError> {
        let count = self.events.len();
        if count == 0 {
            return Err(AppendError::NoEvents);
        }
        if count > COMMIT_EVENTS {
            return Err(AppendError::TooManyEvents { count });
        }
        let bytes = self.events.iter().map(NewEvent::size).sum();
        if bytes > COMMIT_BYTES {
            return Err(AppendError::CommitTooLarge { bytes });
        }
        Ok(())
    }
}

impl Commit {
    /// The version of the commit's first event.
    #[must_use]
    pub fn first_version(&self) -> Version {
        self.first_version
    }

    /// The version of the commit's last event.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// When the commit was recorded.
    #[must_use]
    pub fn time(&self) -> RecordedTime {
        self.time
    }

    /// The commit's events in order: at least one.
    #[must_use]
    pub fn events(&self) -> &[CommittedEvent] {
        &self.events
    }
}
