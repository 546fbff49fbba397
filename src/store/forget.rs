//! Forgetting: events before a version, or a whole stream. What is left still proves itself.

use std::ops::ControlFlow;

use thiserror::Error;

use super::content;
use super::event_store::EventStore;
use super::log::{Base, Head, StorageError, StreamLog};
use super::range::Direction;
use super::stream_id::StreamId;
use super::version::Version;

/// What is left after a truncation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncated {
    /// The first version that is still shown; one beyond `version` where none is.
    pub first_version: Version,
    /// The version of the stream, which a truncation does not change.
    pub version: Version,
}

/// Why nothing was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TruncateError {
    /// The stream does not reach the version before which it was to be forgotten.
    #[error("stream {stream} is at version {actual}: it can be truncated before {} at most", actual.get() + 1)]
    BeyondEnd {
        /// The stream.
        stream: StreamId,
        /// The stream's version.
        actual: Version,
    },
    /// The stream was deleted.
    #[error("stream {stream} was deleted")]
    StreamDeleted {
        /// The stream.
        stream: StreamId,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl TruncateError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BeyondEnd { .. } => "invalid_parameter",
            Self::StreamDeleted { .. } => "stream_deleted",
            Self::Storage(error) => error.code(),
        }
    }
}

impl<L: StreamLog> EventStore<L> {
    /// Forgets the events before `version`. Commits that lie wholly before it are removed; of a commit that the cut
    /// falls into, the events before it are no longer shown, but stay until the whole commit goes. Versions go on
    /// counting, and the hash chain is verified from the cut.
    ///
    /// # Errors
    /// [`TruncateError`]; the stream is then as it was.
    pub fn truncate(&mut self, stream: &StreamId, version: Version) -> Result<Truncated, TruncateError> {
        self.log.exclusively(|log| truncate(log, stream, version))
    }

    /// Deletes the stream for good: its events are removed, and nothing can be appended to it again.
    ///
    /// # Errors
    /// [`StorageError`]; the stream is then as it was.
    pub fn delete(&mut self, stream: &StreamId) -> Result<(), StorageError> {
        self.log.exclusively(|log| {
            let head = log.head(stream)?;
            if head.deleted {
                return Ok(());
            }
            let (version, time, hash) = (head.version, head.time, head.hash);
            log.forget(stream, &Base { version, time, hash, hidden: version, deleted: true })
        })
    }
}

fn truncate<L: StreamLog>(
    log: &mut L,
    stream: &StreamId,
    version: Version,
) -> Result<Truncated, TruncateError> {
    let head = log.head(stream)?;
    if head.deleted {
        return Err(TruncateError::StreamDeleted { stream: stream.clone() });
    }
    let Some(hidden) = version.before(1).filter(|hidden| *hidden <= head.version) else {
        return Err(TruncateError::BeyondEnd { stream: stream.clone(), actual: head.version });
    };
    if hidden > head.hidden {
        let base = Base { hidden, ..last_commit_within(log, stream, hidden)? };
        log.forget(stream, &base)?;
    }
    let left = Head { hidden: head.hidden.max(hidden), ..head };
    Ok(Truncated { first_version: left.first_version(), version: left.version })
}

/// The base that remains when the commits which end at `hidden` or before are removed.
fn last_commit_within<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    hidden: Version,
) -> Result<Base, StorageError> {
    let mut base = Ok(log.base(stream)?);
    log.scan(stream, hidden, Direction::Backward, &mut |commit| {
        if commit.version > hidden {
            return ControlFlow::Continue(());
        }
        let (version, time, hash) = (commit.version, commit.time, commit.hash);
        // A commit that cannot be read is not forgotten in silence.
        base = content::decode(&commit).map(|_| Base { version, time, hash, hidden, deleted: false });
        ControlFlow::Break(())
    })?;
    base
}
