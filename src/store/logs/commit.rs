//! Commits: the events of one append, written, stored and hashed as one unit.

use super::log::StorageError;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::content;
use crate::store::events::event::{EventView, RecordedTime};
use crate::store::feeds::position::Position;
use crate::store::proof::hash::CommitHash;
use crate::store::version::Version;

/// A commit that a log is to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The version of the commit's first event.
    pub first_version: Version,
    /// The version of the commit's last event.
    pub version: Version,
    /// The time at which the commit was recorded.
    pub time: RecordedTime,
    /// The commit's events as they are stored: a JSON array as text.
    pub events: Box<str>,
    /// The hash of the history, up to and including this commit.
    pub hash: CommitHash,
    /// The idempotency key of the append, if there is one.
    pub key: Option<IdempotencyKey>,
}

/// A stored commit, borrowed for the time of one visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitView<'a> {
    /// The version of the commit's last event.
    pub version: Version,
    /// The time at which the commit was recorded.
    pub time: RecordedTime,
    /// The commit's events as they are stored: a JSON array as text.
    pub events: &'a str,
    /// The hash that is stored with the commit.
    pub hash: CommitHash,
    /// The idempotency key of the append, as it is stored: a [`StoredKey`](crate::store::StoredKey).
    pub key: Option<&'a str>,
    /// The position of the commit's last event. `None` if the log stores only one stream.
    pub position: Option<Position>,
}

impl Commit {
    /// The number of its events.
    pub(crate) const fn count(&self) -> u64 {
        self.version.get().saturating_sub(self.first_version.get()).saturating_add(1)
    }

    /// The commit, borrowed.
    #[must_use]
    pub fn view(&self) -> CommitView<'_> {
        CommitView {
            version: self.version,
            time: self.time,
            events: &self.events,
            hash: self.hash,
            key: self.key.as_ref().map(IdempotencyKey::as_stored),
            position: None,
        }
    }
}

impl CommitView<'_> {
    /// The number of its events, if the commit before it ends at this version.
    pub(crate) fn count_from(&self, before: Version) -> usize {
        let count = self.version.get().saturating_sub(before.get());
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// Calls `visit` with each event of the commit.
    ///
    /// # Errors
    /// [`StorageError`] if its events cannot be read.
    pub fn visit_events(&self, visit: &mut dyn FnMut(EventView<'_>)) -> Result<(), StorageError> {
        let decoded = content::decode(self)?;
        for (place, event) in decoded.events.iter().enumerate() {
            if let Some(version) = decoded.first_version.after(place) {
                visit(event.view(version, self.time));
            }
        }
        Ok(())
    }

    /// Copies the commit into a value of its own, without its key.
    ///
    /// # Errors
    /// [`StorageError`] if its events cannot be read.
    pub(crate) fn to_commit(self) -> Result<Commit, StorageError> {
        let first_version = content::decode(&self)?.first_version;
        let Self { version, time, events, hash, .. } = self;
        Ok(Commit { first_version, version, time, events: events.into(), hash, key: None })
    }
}
