//! Why a command was not decided, or a state was not loaded.

use thiserror::Error;

use crate::ErrorCode;
use crate::handler::Fault;
use crate::store::limits::{STREAM_SENT, STREAM_TIMERS};
use crate::store::{AppendError, ReadError, StorageError, StreamId, Version};

/// The reason why a command has no outcome, or a state could not be loaded. Nothing was written, unless the error is a
/// [`StorageError`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The stream refuses the decision: it does not have the expected version, for example.
    #[error(transparent)]
    Refused(#[from] AppendError),
    /// The stream cannot be read, because it was deleted, for example.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// Another command had this id.
    #[error("another command had this id on stream {stream}; choose another id")]
    IdReused {
        /// The stream.
        stream: StreamId,
    },
    /// The code of the aggregate has failed, or does not know the command or an event.
    #[error(transparent)]
    Code(#[from] Fault),
    /// The history that the state needs was truncated, and no snapshot fits.
    #[error(
        "the state of stream {stream} needs the events before version {first_version}, which were truncated, and there is no snapshot that fits"
    )]
    StateUnavailable {
        /// The stream.
        stream: StreamId,
        /// The first version that readers can see.
        first_version: Version,
    },
    /// The stream would have more than 1,000 timers.
    #[error("stream {stream} would have more than {STREAM_TIMERS} timers; cancel some first")]
    TooManyTimers {
        /// The stream.
        stream: StreamId,
    },
    /// The stream would have more than 1,000 commands that are sent and not answered.
    #[error("stream {stream} would have more than {STREAM_SENT} commands that are sent and not answered")]
    TooManySent {
        /// The stream.
        stream: StreamId,
    },
    /// The stream does not have the version whose state is wanted.
    #[error("stream {stream} is at version {actual}, which is less than the wanted version")]
    BeyondEnd {
        /// The stream.
        stream: StreamId,
        /// The stream's version.
        actual: Version,
    },
}

impl CommandError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(error) => error.code(),
            Self::Unreadable(error) => error.code(),
            Self::IdReused { .. } => ErrorCode::IdempotencyKeyReused,
            Self::Code(fault) => fault.code,
            Self::StateUnavailable { .. } => ErrorCode::StateUnavailable,
            Self::TooManyTimers { .. } => ErrorCode::TooManyTimers,
            Self::TooManySent { .. } => ErrorCode::TooManySent,
            Self::BeyondEnd { .. } => ErrorCode::InvalidParameter,
        }
    }

    /// Whether the code of the aggregate is wrong, and neither the caller nor the storage. An operator wants to know it.
    #[must_use]
    pub fn is_of_the_code(&self) -> bool {
        match self {
            Self::Code(fault) => !fault.is_of_the_caller(),
            Self::Refused(AppendError::TooManyEvents { .. } | AppendError::CommitTooLarge { .. }) => true,
            _ => false,
        }
    }
}

impl From<StorageError> for CommandError {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}
