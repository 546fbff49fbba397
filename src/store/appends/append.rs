//! The decision to append: pure, so that every store decides the same.

use thiserror::Error;

use super::expected_version::ExpectedVersion;
use super::idempotency_key::IdempotencyKey;
use crate::ErrorCode;
use crate::store::events::cause::Cause;
use crate::store::events::content;
use crate::store::events::event::{EventId, InvalidEvent, NewEvent, RecordedTime};
use crate::store::limits::{COMMIT_BYTES, COMMIT_EVENTS, STREAM_BYTES};
use crate::store::logs::commit::Commit;
use crate::store::logs::log::{Head, StorageError};
use crate::store::names::stream_id::StreamId;
use crate::store::proof::hash::CommitHash;
use crate::store::version::Version;

/// What a writer wants appended.
///
/// ```
/// use sillok::store::{Append, ExpectedVersion, JsonText, NewEvent, StreamId};
///
/// let event = NewEvent::new("Opened", JsonText::null())?;
/// let append = Append::to(StreamId::new("account-42")?, vec![event]).expecting(ExpectedVersion::NoStream);
/// assert_eq!(append.stream.as_str(), "account-42");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream to append to.
    pub stream: StreamId,
    /// What must be true of the stream.
    pub expected: ExpectedVersion,
    /// The events, all of which are appended or none.
    pub events: Vec<NewEvent>,
    /// A name for this append, so that sending it again does not append again.
    pub key: Option<IdempotencyKey>,
    /// The event to which this is the reaction. Sent again under its key, a reaction is not compared with what was
    /// appended the first time: a handler that is run again may come to other events, and took effect already.
    pub cause: Option<Cause>,
}

/// What an append tells its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream that was appended to.
    pub stream: StreamId,
    /// The version of the first event of this append.
    pub first_version: Version,
    /// The version of the last event of this append.
    pub version: Version,
    /// When the store recorded the events.
    pub time: RecordedTime,
    /// The hash of the stream's history up to and with this append.
    pub hash: CommitHash,
    /// Whether this was appended before, under the same idempotency key.
    pub replayed: bool,
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
    /// Other events were appended under this idempotency key before.
    #[error("other events were appended to stream {stream} under this idempotency key; choose another key")]
    IdempotencyKeyReused {
        /// The stream.
        stream: StreamId,
    },
    /// The stream was deleted, for good.
    #[error("stream {stream} was deleted")]
    StreamDeleted {
        /// The stream.
        stream: StreamId,
    },
    /// The stream holds as much as the platform lets one object hold.
    #[error("stream {stream} is full: its storage has more than {STREAM_BYTES} bytes; truncate the stream")]
    StreamFull {
        /// The stream.
        stream: StreamId,
    },
    /// There are no events to append.
    #[error("the append has no events; it needs at least one")]
    NoEvents,
    /// There are more events than one commit may hold.
    #[error("the append has {count} events; the most is {COMMIT_EVENTS}")]
    TooManyEvents {
        /// How many events were given.
        count: usize,
    },
    /// The events together are larger than one commit may be.
    #[error(
        "the events of the append are {bytes} bytes long, as they are stored; the most is {COMMIT_BYTES}"
    )]
    CommitTooLarge {
        /// Size of the events as they are stored, in bytes of UTF-8.
        bytes: usize,
    },
    /// With the ids of the append's cause, an event can no longer be one: its metadata is too large.
    #[error("with the ids of the event's cause, {reason}")]
    InvalidWithCause {
        /// Which event of the append, counted from 0.
        event: usize,
        /// What is wrong with it.
        reason: InvalidEvent,
    },
    /// The stream cannot reach a higher version.
    #[error("stream {stream} is full: its last version would be greater than {}", Version::MAX)]
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
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::WrongExpectedVersion { .. } => ErrorCode::WrongExpectedVersion,
            Self::IdempotencyKeyReused { .. } => ErrorCode::IdempotencyKeyReused,
            Self::StreamDeleted { .. } => ErrorCode::StreamDeleted,
            Self::StreamFull { .. } => ErrorCode::StreamFull,
            Self::NoEvents => ErrorCode::NoEvents,
            Self::TooManyEvents { .. } => ErrorCode::TooManyEvents,
            Self::CommitTooLarge { .. } => ErrorCode::CommitTooLarge,
            Self::InvalidWithCause { reason, .. } => reason.code(),
            Self::VersionExhausted { .. } => ErrorCode::VersionExhausted,
            Self::Storage(error) => error.code(),
        }
    }
}

impl Append {
    /// An append of these events whatever the stream's version is.
    #[must_use]
    pub fn to(stream: StreamId, events: Vec<NewEvent>) -> Self {
        Self { stream, expected: ExpectedVersion::Any, events, key: None, cause: None }
    }

    /// The same append, only if the stream is as expected.
    #[must_use]
    pub fn expecting(self, expected: ExpectedVersion) -> Self {
        Self { expected, ..self }
    }

    /// The same append under an idempotency key.
    #[must_use]
    pub fn keyed(self, key: IdempotencyKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same append as the reaction to an event.
    #[must_use]
    pub fn caused_by(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Whether the events are as many as one commit may hold.
    pub(crate) fn check_count(&self) -> Result<(), AppendError> {
        let count = self.events.len();
        if count == 0 {
            return Err(AppendError::NoEvents);
        }
        if count > COMMIT_EVENTS {
            return Err(AppendError::TooManyEvents { count });
        }
        Ok(())
    }

    /// Decides whether the events may be appended to a stream that is at `head`, and as which commit.
    ///
    /// `encoded` is what [`encode`](Self::encode) gives; it is asked for only where the events may be appended.
    pub(crate) fn plan(
        &self,
        head: &Head,
        now: RecordedTime,
        encoded: impl FnOnce() -> Result<Box<str>, AppendError>,
    ) -> Result<Commit, AppendError> {
        let Self { stream, expected, events, key, .. } = self;
        if head.deleted {
            return Err(AppendError::StreamDeleted { stream: stream.clone() });
        }
        if !expected.holds_at(head.version) {
            let (stream, expected) = (stream.clone(), *expected);
            return Err(AppendError::WrongExpectedVersion { stream, expected, actual: head.version });
        }
        if head.bytes > STREAM_BYTES {
            return Err(AppendError::StreamFull { stream: stream.clone() });
        }
        let versions = head.version.after(1).zip(head.version.after(events.len()));
        let Some((first_version, version)) = versions else {
            return Err(AppendError::VersionExhausted { stream: stream.clone() });
        };
        // A clock that went back does not take the stream with it.
        let (time, key) = (now.max(head.time), key.clone());
        let mut commit =
            Commit { first_version, version, time, events: encoded()?, hash: CommitHash::NONE, key };
        commit.hash = head.hash.followed_by(stream, &commit.view());
        Ok(commit)
    }

    /// The events as they are stored, each with the id it has or else a fresh one. The limits hold for what this gives:
    /// nothing is added to it.
    pub(crate) fn encode(&self, fresh_id: &mut dyn FnMut() -> EventId) -> Result<Box<str>, AppendError> {
        let text = match &self.cause {
            Some(cause) => content::encode(&self.events_of(cause)?, fresh_id),
            None => content::encode(&self.events, fresh_id),
        };
        if text.len() > COMMIT_BYTES {
            return Err(AppendError::CommitTooLarge { bytes: text.len() });
        }
        Ok(text.into())
    }

    /// The events, each with its cause.
    fn events_of(&self, cause: &Cause) -> Result<Vec<NewEvent>, AppendError> {
        let refused = |event, reason| AppendError::InvalidWithCause { event, reason };
        let events = self.events.iter().enumerate();
        events.map(|(place, event)| cause.of(event).map_err(|reason| refused(place, reason))).collect()
    }

    /// What is answered once the commit is made.
    pub(crate) fn answer(&self, commit: &Commit) -> Appended {
        let Commit { first_version, version, time, hash, .. } = *commit;
        Appended { stream: self.stream.clone(), first_version, version, time, hash, replayed: false }
    }
}
