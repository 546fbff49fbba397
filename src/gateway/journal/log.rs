//! The journal: the commits of all streams of a partition in one order.
//!
//! Each aggregate forwards its commits, and repeats a forward until the journal answers it. The journal records a
//! commit if it follows directly on the stream's recorded commits. It skips a commit that it already has. In both cases
//! it answers with the version up to which it has the stream. So a repeated forward has no effect, and the same answer
//! asks for the commits of a gap. Therefore the journal records each commit once and in the order of its stream, even
//! if forwards are lost, repeated or reordered.

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
    /// The end of the journal after the last recorded group. Only one writer may record.
    recorded: Option<Position>,
}

/// The journal's answer to a group of forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The version up to which the journal has the stream, for each forward in order.
    pub versions: Vec<Version>,
    /// The position of the last event in the journal.
    pub end: Position,
}

/// The reason why nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The journal was begun with another number of partitions. A stream would move to another partition, and would
    /// then be in two partitions.
    #[error("the journal has {begun} partitions and cannot change to {now}; set the number to {begun}")]
    PartitionsChanged {
        /// The number of partitions with which the journal was begun.
        begun: u64,
        /// The number of partitions now.
        now: u64,
    },
    /// Too many bytes already wait to be recorded.
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
    /// The journal in the database `sql`, which is one of `partitions` partitions.
    pub fn new(sql: S, partitions: usize) -> Self {
        Self { table: JournalTable::new(sql), partitions, recorded: None }
    }

    /// Records the new commits of these forwards in one act. It writes one row for all commits and one row for each
    /// stream.
    ///
    /// # Errors
    /// [`RecordError`]. Nothing was recorded, unless the storage failed after the write.
    pub fn record(&mut self, forwards: &[Forward]) -> Result<Recorded, RecordError> {
        self.check_partitions()?;
        let mut streams = self.table.entries(forwards.iter().map(|forward| forward.stream.as_str()))?;
        // After a failed write, the journal does not know what was written.
        let start = self.recorded.take().map_or_else(|| self.end(), Ok)?;
        let mut groups = vec![Group::after(start)];
        let mut changed: Vec<&str> = Vec::new();
        let mut versions = Vec::with_capacity(forwards.len());
        for forward in forwards {
            let stream = forward.stream.as_str();
            let before = streams.get(stream).copied().unwrap_or_default();
            let mut known = before;
            take(&mut known, forward, &mut groups)?;
            if known != before {
                streams.insert(stream, known);
                if let Err(place) = changed.binary_search(&stream) {
                    changed.insert(place, stream);
                }
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

    /// The position of the stream's last event. `None` until the journal has the stream up to `version`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn position_of(&self, stream: &StreamId, version: Version) -> Result<Option<Position>, StorageError> {
        let entries = self.table.entries(std::iter::once(stream.as_str()))?;
        let entry = entries.get(stream.as_str()).copied().unwrap_or_default();
        Ok((entry.version >= version).then_some(entry.position))
    }

    /// Checks that the journal was begun with this number of partitions.
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

/// Adds the commits that follow directly on the stream's recorded commits.
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
    // Versions that are not recorded yet cannot be hidden yet. A later forward hides them.
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
