//! The errors of a store.

use std::error::Error;
use std::fmt::{Debug, Display, Formatter};
use std::path::PathBuf;

use serde::Serialize;
use sillok::ErrorCode;
use sillok::gateway::CommandError;
use sillok::handler::{
    DocumentError, Fault, InvalidCommand, InvalidConsumerName, InvalidDocumentKey, OpenError, RebuildError,
};
use sillok::store::{
    AppendError, InvalidCategory, InvalidCheckpoint, InvalidIdempotencyKey, InvalidName, InvalidStreamId,
    ReadError, StorageError, TruncateError,
};
use thiserror::Error;

/// The reason why a call of a store has failed. [`code`](Self::code) is stable, and the same in Rust, JavaScript and HTTP.
///
/// ```
/// use sillok::ErrorCode;
/// use sillok_sqlite::Sqlite;
///
/// let error = Sqlite::open("/there/is/no/such/folder/bank.db").unwrap_err();
/// assert_eq!(error.code(), ErrorCode::StorageFailed);
/// assert!(error.to_string().starts_with("/there/is/no/such/folder/bank.db cannot be opened: "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The file cannot be opened.
    #[error("{} cannot be opened: {error}", path.display())]
    Open {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong.
        error: StorageError,
    },
    /// The file cannot be read or written, or another connection has locked it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The stream refuses the append: it does not have the expected version, for example.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The stream cannot be read, because it was deleted, for example.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream cannot be truncated.
    #[error(transparent)]
    Truncate(#[from] TruncateError),
    /// The command has no outcome, or the state cannot be loaded.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// An event or a state does not fit its type in Rust, or code of an aggregate has failed.
    #[error(transparent)]
    Code(#[from] Fault),
    /// The command is not valid.
    #[error(transparent)]
    InvalidCommand(#[from] InvalidCommand),
    /// The id of a stream is not valid.
    #[error(transparent)]
    InvalidStreamId(#[from] InvalidStreamId),
    /// The name of a consumer is not valid.
    #[error(transparent)]
    InvalidConsumerName(#[from] InvalidConsumerName),
    /// The key of a document is not valid.
    #[error(transparent)]
    InvalidDocumentKey(#[from] InvalidDocumentKey),
    /// The category of an aggregate, or the one that a consumer follows, is not valid.
    #[error(transparent)]
    InvalidCategory(#[from] InvalidCategory),
    /// The checkpoint after which a reactor begins is not valid.
    #[error(transparent)]
    InvalidCheckpoint(#[from] InvalidCheckpoint),
    /// An idempotency key or the id of a command is not valid.
    #[error(transparent)]
    InvalidIdempotencyKey(#[from] InvalidIdempotencyKey),
    /// An event type that a consumer follows is not valid.
    #[error("the event type {0}")]
    InvalidEventType(#[from] InvalidName),
    /// The consumer cannot be opened: its policy is not valid, for example.
    #[error(transparent)]
    Consumer(#[from] OpenError),
    /// The consumer cannot be rebuilt.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// The document cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The stream is not of the category of the aggregate.
    #[error("the stream {stream} is not of the category {category}; its name must begin with `{category}-`")]
    WrongCategory {
        /// The stream.
        stream: String,
        /// The category of the aggregate.
        category: &'static str,
    },
    /// No aggregate or process of this type is registered. Register it first.
    #[error("no aggregate of the category {category} is registered with this type; register it first")]
    NoAggregate {
        /// The category of the aggregate.
        category: String,
    },
    /// No consumer of this name is registered. Register it first.
    #[error("no consumer with the name {name} is registered; register it first")]
    NoConsumer {
        /// The name.
        name: String,
    },
    /// Another aggregate or consumer has this name.
    #[error("{name} is registered already; choose another name")]
    Registered {
        /// The name of the consumer, or the category of the aggregate.
        name: String,
    },
    /// The call was made by the code of an aggregate or of a projection, or it runs the consumers within a reactor.
    #[error("the store was called by code that it has called itself")]
    InsideHandler,
}

impl SqliteError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Open { error, .. } | Self::Storage(error) => error.code(),
            Self::Append(error) => error.code(),
            Self::Read(error) => error.code(),
            Self::Truncate(error) => error.code(),
            Self::Command(error) => error.code(),
            Self::Code(fault) => fault.code,
            Self::InvalidCommand(error) => error.code(),
            Self::InvalidStreamId(error) => error.code(),
            Self::InvalidConsumerName(error) => error.code(),
            Self::InvalidDocumentKey(error) => error.code(),
            Self::InvalidCategory(error) => error.code(),
            Self::InvalidCheckpoint(error) => error.code(),
            Self::InvalidIdempotencyKey(error) => error.code(),
            Self::InvalidEventType(_) => ErrorCode::InvalidEventType,
            Self::Consumer(error) => error.code(),
            Self::Rebuild(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::WrongCategory { .. } => ErrorCode::InvalidStreamId,
            Self::NoAggregate { .. } => ErrorCode::NoAggregate,
            Self::NoConsumer { .. } => ErrorCode::ConsumerNotFound,
            Self::Registered { .. } => ErrorCode::InvalidParameter,
            Self::InsideHandler => ErrorCode::StorageFailed,
        }
    }
}

/// The reason why a command was not accepted.
///
/// A reactor may end with this error by `?`. A rejection then gives the event up at once, because the outcome of the command is
/// remembered.
pub enum ExecuteError<R> {
    /// The rules refuse the command.
    Rejected(R),
    /// The command has no outcome.
    Failed(SqliteError),
}

impl<R: Serialize> Display for ExecuteError<R> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(rejection) => {
                let rejection = serde_json::to_string(rejection).unwrap_or_default();
                write!(formatter, "the rules refuse the command: {rejection}")
            }
            Self::Failed(error) => Display::fmt(error, formatter),
        }
    }
}

impl<R: Serialize> Debug for ExecuteError<R> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(_) => Display::fmt(self, formatter),
            Self::Failed(error) => Debug::fmt(error, formatter),
        }
    }
}

impl<R: Serialize> Error for ExecuteError<R> {}

impl<R, E: Into<SqliteError>> From<E> for ExecuteError<R> {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
