//! The decision to append. It is a pure function, so that every store decides in the same way.

use thiserror::Error;

use super::expected_version::ExpectedVersion;
use super::idempotency_key::IdempotencyKey;
use crate::ErrorCode;
use crate::store::events::cause::Cause;
use crate::store::events::content;
use crate::store::events::event::{EventId, InvalidEvent, NewEvent, RecordedTime};
use crate::store::feeds::position::Position;
use crate::store::limits::{APPENDS, COMMIT_BYTES, COMMIT_EVENTS, STREAM_BYTES};
use crate::store::logs::commit::Commit;
use crate::store::logs::log::{Head, StorageError};
use crate::store::names::stream_id::StreamId;
use crate::store::proof::hash::CommitHash;
use crate::store::version::Version;

/// An append, as the writer asks for it.
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
    /// The condition on the stream.
    pub expected: ExpectedVersion,
    /// The events. The store appends all of them or none.
    pub events: Vec<NewEvent>,
    /// A key for this append. The store does not append again when it receives the same append under the same key.
    pub key: Option<IdempotencyKey>,
    /// The event that caused this append. A repeated reaction under its key is not compared with the events that were
    /// appended the first time. A handler that runs again may produce other events, but its first append already took
    /// effect.
    pub cause: Option<Cause>,
}

/// The answer to an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream that was appended to.
    pub stream: StreamId,
    /// The version of the first event of this append.
    pub first_version: Version,
    /// The version of the last event of this append.
    pub version: Version,
    /// The time at which the store recorded the events.
    pub time: RecordedTime,
    /// The hash of the stream's history, up to and including this append.
    pub hash: CommitHash,
    /// The ids of the events, in their order.
    pub ids: Vec<EventId>,
    /// The position of the last event. `None` if the log stores only one stream.
    pub position: Option<Position>,
    /// Whether the events were appended before, under the same idempotency key.
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
    /// The stream was deleted. It never accepts an append again.
    #[error("stream {stream} was deleted")]
    StreamDeleted {
        /// The stream.
        stream: StreamId,
    },
    /// The storage of the stream has reached the platform's limit.
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
        /// The number of events in the append.
        count: usize,
    },
    /// The events together are larger than one commit may be.
    #[error(
        "the events of the append are {bytes} bytes long, as they are stored; the most is {COMMIT_BYTES}"
    )]
    CommitTooLarge {
        /// The size of the events as they are stored, in bytes of UTF-8.
        bytes: usize,
    },
    /// An event becomes invalid with the ids of the append's cause, because its metadata becomes too large.
    #[error("with the ids of the event's cause, {reason}")]
    InvalidWithCause {
        /// The index of the event in the append, counted from 0.
        event: usize,
        /// What is wrong with the event.
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

/// Why nothing was appended to several streams.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppendAllError {
    /// One of the appends was refused.
    #[error("{error}")]
    Refused {
        /// The index of the append, counted from 0.
        place: usize,
        /// Why it was refused.
        error: AppendError,
    },
    /// There are no appends, or more than one call may have.
    #[error("must have 1 to {APPENDS} appends, but has {count}")]
    Count {
        /// The number of appends.
        count: usize,
    },
    /// Two appends are to the same stream.
    #[error("is the stream of an earlier append; append all events of a stream together")]
    SameStream {
        /// The index of the second append, counted from 0.
        place: usize,
    },
}

impl AppendAllError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { error, .. } => error.code(),
            Self::Count { .. } | Self::SameStream { .. } => ErrorCode::InvalidParameter,
        }
    }
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

impl Head {
    /// Refuses a write to a deleted stream, or to a stream at another version than the writer expects.
    pub(crate) fn accepts(&self, stream: &StreamId, expected: ExpectedVersion) -> Result<(), AppendError> {
        if self.deleted {
            return Err(AppendError::StreamDeleted { stream: stream.clone() });
        }
        if !expected.holds_at(self.version) {
            let (stream, actual) = (stream.clone(), self.version);
            return Err(AppendError::WrongExpectedVersion { stream, expected, actual });
        }
        Ok(())
    }
}

impl Head {
    /// Refuses to write more beside the reserve that a truncation needs.
    pub(crate) fn has_room(&self, stream: &StreamId) -> Result<(), AppendError> {
        if self.bytes <= STREAM_BYTES {
            return Ok(());
        }
        Err(AppendError::StreamFull { stream: stream.clone() })
    }
}

impl Append {
    /// An append of these events at any version of the stream.
    #[must_use]
    pub fn to(stream: StreamId, events: Vec<NewEvent>) -> Self {
        Self { stream, expected: ExpectedVersion::Any, events, key: None, cause: None }
    }

    /// The same append, under this condition on the stream.
    #[must_use]
    pub fn expecting(self, expected: ExpectedVersion) -> Self {
        Self { expected, ..self }
    }

    /// The same append under an idempotency key.
    #[must_use]
    pub fn keyed(self, key: IdempotencyKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same append, as a reaction to an event.
    #[must_use]
    pub fn caused_by(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Checks that one commit may hold this number of events.
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

    /// Decides whether a stream at `head` accepts the events, and makes the commit.
    ///
    /// `encoded` returns the text that [`encode`](Self::encode) makes. This function calls it only if the stream
    /// accepts the events.
    pub(crate) fn plan(
        &self,
        head: &Head,
        now: RecordedTime,
        encoded: impl FnOnce() -> Result<Box<str>, AppendError>,
    ) -> Result<Commit, AppendError> {
        let Self { stream, expected, events, key, .. } = self;
        head.accepts(stream, *expected)?;
        head.has_room(stream)?;
        let versions = head.version.after(1).zip(head.version.after(events.len()));
        let Some((first_version, version)) = versions else {
            return Err(AppendError::VersionExhausted { stream: stream.clone() });
        };
        // If the clock goes back, the stream's time does not.
        let (time, key) = (now.max(head.time), key.clone());
        let mut commit =
            Commit { first_version, version, time, events: encoded()?, hash: CommitHash::NONE, key };
        commit.hash = head.hash.followed_by(stream, &commit.view());
        Ok(commit)
    }

    /// Returns the events as they are stored. An event without an id gets a fresh one. The limits apply to the returned
    /// text, because nothing is added to it.
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
        events.map(|(place, event)| cause.caused(event).map_err(|reason| refused(place, reason))).collect()
    }

    /// The answer to the append that made this commit. `fresh` has the ids of the events that the writer gave none.
    pub(crate) fn answer(
        &self,
        commit: &Commit,
        fresh: Vec<EventId>,
        position: Option<Position>,
    ) -> Appended {
        let (stream, mut fresh) = (self.stream.clone(), fresh.into_iter());
        let mut ids = Vec::with_capacity(self.events.len());
        for event in &self.events {
            ids.push(event.id().cloned().or_else(|| fresh.next()).unwrap_or_default());
        }
        let Commit { first_version, version, time, hash, .. } = *commit;
        Appended { stream, first_version, version, time, hash, ids, position, replayed: false }
    }
}
