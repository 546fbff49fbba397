//! The journal: the commits of all streams of a partition in one order.
//!
//! Each aggregate forwards its commits, and repeats them until it hears that they are kept. The journal takes a commit
//! when it follows on what it has of the stream, passes over it when it has it already, and answers in either case up to
//! which version it has the stream: so a repeat does nothing, a gap is asked for by the same answer, and whatever is
//! lost, repeated or overtaken on the way, each commit is recorded once and in its stream's order.

use std::ops::ControlFlow;

use thiserror::Error;

use super::forward::Forward;
use super::group::{self, Group};
use super::table::{Entry, JournalTable};
use crate::ErrorCode;
use crate::store::Position;
use crate::store::StorageError;
use crate::store::StreamId;
use crate::store::Version;
use crate::store::sqlite::Sql;
use crate::store::{FeedLog, VisitFeed};
use crate::store::{StreamDirectory, StreamEntry};

/// The journal of one partition.
#[derive(Debug)]
pub struct Journal<S> {
    table: JournalTable<S>,
    partitions: usize,
    /// The end after what was recorded last. Only one may record.
    recorded: Option<Position>,
}

/// What the journal says to a group of forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// For each forward, in order, the version up to which the journal has the stream.
    pub versions: Vec<Version>,
    /// The position of the last event in the journal.
    pub end: Position,
}

/// Why nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The journal was begun with another number of partitions. A stream would move from one to another, and be there
    /// twice.
    #[error("the journal has {begun} partitions and cannot change to {now}; set the number to {begun}")]
    PartitionsChanged {
        /// How many partitions there were when the journal was begun.
        begun: u64,
        /// How many there are to be now.
        now: u64,
    },
    /// So much waits to be recorded that the forward found no room.
    #[error("too many commits wait to be recorded; send this again later")]
    Overloaded,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RecordError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::PartitionsChanged { .. } => ErrorCode::JournalPartitionsChanged,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Storage(error) => error.code(),
        }
    }
}

impl<S: Sql> Journal<S> {
    /// The journal that `sql` holds, one of so many partitions.
    pub fn new(sql: S, partitions: usize) -> Self {
        Self { table: JournalTable::new(sql), partitions, recorded: None }
    }

    /// Records what is new in these forwards, as one: however many they are, they cost one row for their commits and one
    /// for each stream.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was recorded then, unless the storage failed after the fact.
    pub fn record(&mut self, forwards: &[Forward]) -> Result<Recorded, RecordError> {
        self.check_partitions()?;
        let mut streams = self.table.entries(forwards.iter().map(|forward| forward.stream.as_str()))?;
        // Where a write fails it is not known what was written.
        let start = self.recorded.take().map_or_else(|| self.end(), Ok)?;
        let mut groups = vec![Group::after(start)];
        let mut changed: Vec<&str> = Vec::new();
        let mut versions = Vec::with_capacity(forwards.len());
        for forward in forwards {
            let known = streams.entry(forward.stream.as_str()).or_default();
            let before = *known;
            take(known, forward, &mut groups)?;
            if *known != before
                && let Err(place) = changed.binary_search(&forward.stream.as_str())
            {
                changed.insert(place, forward.stream.as_str());
            }
            versions.push(known.version);
        }
        groups.retain(|group| !group.is_empty());
        let end = groups.last().map_or(start, Group::end);
        if !changed.is_empty() {
            let known = |stream: &str| streams.get(stream).copied().unwrap_or_default();
            let entries: Vec<_> = changed.into_iter().map(|stream| (stream, known(stream))).collect();
            self.table.write(&groups, &entries, self.partitions)?;
        }
        self.recorded = Some(end);
        Ok(Recorded { versions, end })
    }

    /// The position of the stream's last event, once the journal has the stream up to `version`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn position_of(&self, stream: &StreamId, version: Version) -> Result<Option<Position>, StorageError> {
        let entries = self.table.entries(std::iter::once(stream.as_str()))?;
        let entry = entries.get(stream.as_str()).copied().unwrap_or_default();
        Ok((entry.version >= version).then_some(entry.position))
    }

    /// Sees that the journal was not begun with another number of partitions.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn check_partitions(&self) -> Result<(), RecordError> {
        let now = u64::try_from(self.partitions).unwrap_or(u64::MAX);
        match self.table.begun_with()? {
            Some(begun) if begun != now => Err(RecordError::PartitionsChanged { begun, now }),
            _ => Ok(()),
        }
    }
}

/// Takes what follows on what is known of the stream.
fn take(known: &mut Entry, forward: &Forward, groups: &mut Vec<Group>) -> Result<(), StorageError> {
    known.version = known.version.max(forward.base);
    for commit in &forward.commits {
        if commit.version <= known.version {
            continue;
        }
        if known.version.after(1) != Some(commit.first_version) {
            break;
        }
        if !groups.last().is_some_and(|group| group.has_room_for(commit)) {
            groups.push(Group::after(groups.last().map(Group::end).unwrap_or_default()));
        }
        if let Some(group) = groups.last_mut() {
            known.position = group.add(&forward.stream, commit)?;
            known.version = commit.version;
            known.time = commit.time;
        }
    }
    // What is not recorded yet is shown once it is, unless it is hidden by then.
    known.hidden = known.hidden.max(forward.hidden.min(known.version));
    known.deleted |= forward.deleted && known.version >= forward.hidden;
    Ok(())
}

impl<S: Sql> FeedLog for Journal<S> {
    fn end(&self) -> Result<Position, StorageError> {
        self.table.end()
    }

    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError> {
        self.table.scan(after, &mut |row_end, text| {
            let commits = group::decode(row_end, text)?;
            let hidden = self.table.hidden(commits.iter().map(group::Stored::stream))?;
            for commit in &commits {
                let hidden = hidden.get(commit.stream()).copied().unwrap_or_default();
                if commit.position > after && visit(commit.as_feed_commit(hidden)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

impl<S: Sql> StreamDirectory for Journal<S> {
    fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.table.scan_streams(after, from, visit)
    }
}
