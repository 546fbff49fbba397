//! The store. It decides in the same way over every log.

use std::ops::ControlFlow;

use crate::store::appends::append::{Append, AppendError, Appended};
use crate::store::appends::expected_version::ExpectedVersion;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::content;
use crate::store::events::event::{EventId, RecordedTime};
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::{Head, StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;

/// Appends events and reads them by stream. It decides in the same way over every [`StreamLog`].
#[derive(Debug, Clone, Default)]
pub struct EventStore<L> {
    pub(super) log: L,
}

impl<L: StreamLog> EventStore<L> {
    /// A store that stores its commits in `log`.
    pub fn new(log: L) -> Self {
        Self { log }
    }

    /// The log that stores the commits.
    pub fn log(&self) -> &L {
        &self.log
    }

    pub(crate) fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    /// Appends the events to the stream, all or none, if the stream fulfils the condition.
    ///
    /// `now` is the time by the caller's clock. The store calls `fresh_id` once for each event without an id. An append
    /// under a used key writes nothing and returns the first answer, even if the stream has changed since.
    ///
    /// # Errors
    /// [`AppendError`]. Nothing was written, unless the error is [`AppendError::Storage`].
    pub fn append(
        &mut self,
        append: Append,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        append.check_count()?;
        let mut events = None;
        if let Some(head) = self.log.remembered(&append.stream) {
            // Only stored data may refuse an append. A remembered head may be out of date.
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

    /// Whether an append with this condition and key would write events now. If not, it is a repeat, or it is refused.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn would_write(
        &self,
        stream: &StreamId,
        expected: ExpectedVersion,
        key: Option<&IdempotencyKey>,
    ) -> Result<bool, StorageError> {
        if self.log.head(stream)?.accepts(stream, expected).is_err() {
            return Ok(false);
        }
        let Some(key) = key else { return Ok(true) };
        let mut is_new = true;
        self.log.find(stream, key, &mut |_| {
            is_new = false;
            ControlFlow::Break(())
        })?;
        Ok(is_new)
    }

    /// The head of the stream.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.log.head(stream)
    }
}

/// Decides on an append and carries it out, in a log without other writers at this time.
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

/// The first answer to an append under this key, if there was one.
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

/// The answer of the append that made this commit. The append must be a reaction, or must have the same events.
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
