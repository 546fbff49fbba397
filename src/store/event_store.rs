//! The store: what it does is decided once, for every log.

use std::ops::ControlFlow;

use crate::store::appends::append::{Append, AppendError, Appended};
use crate::store::events::content;
use crate::store::events::event::{EventId, RecordedTime};
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::{Head, StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;

/// Keeps events and finds them again by stream. The same decisions over whichever [`StreamLog`] holds the
/// commits.
#[derive(Debug, Clone, Default)]
pub struct EventStore<L> {
    pub(super) log: L,
}

impl<L: StreamLog> EventStore<L> {
    /// A store whose commits are kept by `log`.
    pub fn new(log: L) -> Self {
        Self { log }
    }

    /// What keeps the commits.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// Appends the events to the stream, all or none, if the stream is as expected.
    ///
    /// `now` is the time by the caller's clock; `fresh_id` is called once for each event without an id. An append under
    /// a key that was used before appends nothing and answers what it answered then, whatever has happened since.
    ///
    /// # Errors
    /// [`AppendError`]; unless it is [`AppendError::Storage`], nothing was written.
    pub fn append(
        &mut self,
        append: Append,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        append.check_count()?;
        let mut events = None;
        if let Some(head) = self.log.remembered(&append.stream) {
            // A refusal is decided by what is stored, not by what is remembered.
            if let Ok(commit) = append.plan(&head, now, || append.encode(fresh_id)) {
                if self.log.insert_after(&append.stream, &head, &commit)? {
                    return Ok(append.answer(&commit));
                }
                events = Some(commit.events);
            }
        }
        let encoded = || events.map_or_else(|| append.encode(fresh_id), Ok);
        self.log.exclusively(|log| append_to(log, &append, now, encoded))
    }

    /// Where the stream ends.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.log.head(stream)
    }
}

/// Decides on an append and carries it out, in a log that no one else writes to meanwhile.
fn append_to<L: StreamLog>(
    log: &mut L,
    append: &Append,
    now: RecordedTime,
    encoded: impl FnOnce() -> Result<Box<str>, AppendError>,
) -> Result<Appended, AppendError> {
    if let Some(appended) = replay(log, append)? {
        return Ok(appended);
    }
    let commit = append.plan(&log.head(&append.stream)?, now, encoded)?;
    let appended = append.answer(&commit);
    log.insert(&append.stream, commit)?;
    Ok(appended)
}

/// What an append answered when it was first sent under its key, if it was.
fn replay<L: StreamLog>(log: &L, append: &Append) -> Result<Option<Appended>, AppendError> {
    let Some(key) = &append.key else {
        return Ok(None);
    };
    let mut replayed = Ok(None);
    log.find(&append.stream, key, &mut |commit| {
        replayed = recall(append, &commit).map(Some);
        ControlFlow::Break(())
    })?;
    replayed
}

/// The answer of the append that made this commit, provided that it was an append of the same events or a reaction.
fn recall(append: &Append, commit: &CommitView<'_>) -> Result<Appended, AppendError> {
    let stored = content::decode(commit)?;
    let stream = append.stream.clone();
    if append.cause.is_none() && !stored.are(&append.events) {
        return Err(AppendError::IdempotencyKeyReused { stream });
    }
    Ok(Appended {
        stream,
        first_version: stored.first_version,
        version: commit.version,
        time: commit.time,
        hash: commit.hash,
        replayed: true,
    })
}
