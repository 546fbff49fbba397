//! Forgetting: to truncate or to delete a stream. The hash chain of the rest can still be verified.

use std::ops::ControlFlow;

use thiserror::Error;

use super::event_store::EventStore;
use super::limits::PAGE_EVENTS;
use super::version::Version;
use crate::ErrorCode;
use crate::store::events::content;
use crate::store::logs::log::{Base, Head, StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;
use crate::store::reads::page_budget::PageBudget;
use crate::store::reads::range::Direction;

/// The stream after a truncation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncated {
    /// The first version that readers can see. It is `version` + 1 if all events are hidden.
    pub first_version: Version,
    /// The version of the stream. A truncation does not change it.
    pub version: Version,
}

/// The reason why a truncation was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TruncateError {
    /// The truncation reaches beyond the end of the stream.
    #[error("stream {stream} is at version {actual}; it can be truncated before version {} at most", actual.get() + 1)]
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
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BeyondEnd { .. } => ErrorCode::InvalidParameter,
            Self::StreamDeleted { .. } => ErrorCode::StreamDeleted,
            Self::Storage(error) => error.code(),
        }
    }
}

impl<L: StreamLog> EventStore<L> {
    /// Forgets the events before `version`. Readers cannot see them any more. Later events continue the count of
    /// versions, and the hash chain is verified from the base.
    ///
    /// This call removes one page of the commits that lie wholly before `version`. Call
    /// [`remove_forgotten`](Self::remove_forgotten) until the rest is removed. If `version` lies within a commit, the
    /// earlier events of this commit are hidden, but stay stored until the whole commit is removed.
    ///
    /// # Errors
    /// [`TruncateError`]. The stream is then unchanged.
    pub fn truncate(&mut self, stream: &StreamId, version: Version) -> Result<Truncated, TruncateError> {
        self.log.exclusively(|log| truncate(log, stream, version))
    }

    /// Deletes the stream. Readers cannot see its events any more, and the stream never accepts an append again.
    ///
    /// This call removes one page of its commits. Call [`remove_forgotten`](Self::remove_forgotten) until the rest is
    /// removed.
    ///
    /// # Errors
    /// [`StorageError`]. The stream is then unchanged.
    pub fn delete(&mut self, stream: &StreamId) -> Result<(), StorageError> {
        self.log.exclusively(|log| {
            let head = log.head(stream)?;
            remove_page(log, stream, &Head { hidden: head.version, deleted: true, ..head }).map(|_| ())
        })
    }

    /// Removes the next page of the hidden commits that a truncation or a deletion has left. Returns whether there may
    /// be more. Readers cannot see these commits, so other calls may run between two pages.
    ///
    /// ```
    /// use sillok::store::{Append, EventId, EventStore, JsonText, MemoryLog, NewEvent, RecordedTime, StreamId};
    ///
    /// let (mut store, stream) = (EventStore::new(MemoryLog::new()), StreamId::new("account-42")?);
    /// let opened = NewEvent::new("Opened", JsonText::parse("{}")?)?;
    /// let append = Append::to(stream.clone(), vec![opened]);
    /// store.append(append, RecordedTime::default(), &mut EventId::default)?;
    /// store.delete(&stream)?;
    /// while store.remove_forgotten(&stream)? {
    ///     // Another may have its turn.
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StorageError`]. The page is then unchanged.
    pub fn remove_forgotten(&mut self, stream: &StreamId) -> Result<bool, StorageError> {
        self.log.exclusively(|log| {
            let head = log.head(stream)?;
            if head.hidden.is_empty() { Ok(false) } else { remove_page(log, stream, &head) }
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
        check_last_within(log, stream, hidden)?;
    }
    let left = Head { hidden: hidden.max(head.hidden), ..head };
    if !left.hidden.is_empty() {
        remove_page(log, stream, &left)?;
    }
    Ok(Truncated { first_version: left.first_version(), version: left.version })
}

/// Stores the hidden version and the deletion mark of `head`. In the same act it removes one page of the commits that
/// are wholly hidden. Returns whether there may be more of them.
fn remove_page<L: StreamLog>(log: &mut L, stream: &StreamId, head: &Head) -> Result<bool, StorageError> {
    let before = log.base(stream)?;
    let mut base = Base { hidden: head.hidden, deleted: head.deleted, ..before };
    let mut budget = PageBudget::of(PAGE_EVENTS);
    let Some(start) = before.version.after(1) else { return Ok(false) };
    let looked_at = log.scan(stream, start, Direction::Forward, &mut |commit| {
        if commit.version > head.hidden {
            return ControlFlow::Break(());
        }
        budget.look_at(commit.count_from(base.version), commit.events.len());
        budget.take();
        (base.version, base.time, base.hash) = (commit.version, commit.time, commit.hash);
        if budget.is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match looked_at {
        // A deletion also removes commits that cannot be read.
        Err(_) if head.deleted => {
            (base.version, base.time, base.hash) = (head.version, head.time, head.hash);
        }
        looked_at => looked_at?,
    }
    if base != before {
        log.forget(stream, &base)?;
    }
    Ok(budget.is_spent() && base.version < head.hidden)
}

/// Checks that the last commit with a version of at most `hidden` can be read. A truncation does not silently forget an
/// unreadable commit.
fn check_last_within<L: StreamLog>(log: &L, stream: &StreamId, hidden: Version) -> Result<(), StorageError> {
    let mut outcome = Ok(());
    log.scan(stream, hidden, Direction::Backward, &mut |commit| {
        if commit.version > hidden {
            return ControlFlow::Continue(());
        }
        outcome = content::decode(&commit).map(|_| ());
        ControlFlow::Break(())
    })?;
    outcome
}
