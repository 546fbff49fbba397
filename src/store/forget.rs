//! Forgetting: events before a version, or a whole stream. What is left still proves itself.

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
    /// Forgets the events before `version`: from now on none of them is shown. Versions go on counting, and the hash chain
    /// is verified from the cut.
    ///
    /// A page of the commits that lie wholly before the cut is removed; call [`remove_forgotten`](Self::remove_forgotten)
    /// until the rest is. Of a commit that the cut falls into, the events before it stay until the whole commit goes.
    ///
    /// # Errors
    /// [`TruncateError`]; the stream is then as it was.
    pub fn truncate(&mut self, stream: &StreamId, version: Version) -> Result<Truncated, TruncateError> {
        self.log.exclusively(|log| truncate(log, stream, version))
    }

    /// Deletes the stream for good: from now on its events are not shown, and nothing can be appended to it again.
    ///
    /// A page of its commits is removed; call [`remove_forgotten`](Self::remove_forgotten) until the rest is.
    ///
    /// # Errors
    /// [`StorageError`]; the stream is then as it was.
    pub fn delete(&mut self, stream: &StreamId) -> Result<(), StorageError> {
        self.log.exclusively(|log| {
            let head = log.head(stream)?;
            remove_page(log, stream, &Head { hidden: head.version, deleted: true, ..head }).map(|_| ())
        })
    }

    /// Removes the next page of the commits that a truncation or a deletion has left, and tells whether there may be more.
    /// None of them is shown any more, so others may have their turn in between.
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
    /// [`StorageError`]; the page is then as it was.
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

/// Makes durable what of the stream is hidden and whether it is deleted, as `head` says, and with it removes one page of the
/// commits that are wholly hidden. Tells whether there may be more of them.
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
        // What cannot be read can be deleted all the same.
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

/// Sees that the last commit that ends at `hidden` or before can be read: what cannot be is not forgotten in silence.
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
