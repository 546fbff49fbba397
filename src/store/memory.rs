//! Streams kept in memory.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::ControlFlow;

use super::commit::Commit;
use super::directory::{StreamDirectory, StreamEntry};
use super::feed::{FeedCommit, FeedLog, VisitFeed};
use super::idempotency_key::IdempotencyKey;
use super::log::{Base, Head, StorageError, StreamLog, Visit};
use super::position::Position;
use super::range::Direction;
use super::stream_id::StreamId;
use super::version::Version;

/// Keeps many streams in memory, for as long as it lives.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    streams: HashMap<StreamId, Stream>,
    /// Every commit that was ever inserted, in order. Those that were forgotten since are not found in their streams.
    order: Vec<Place>,
}

/// The place of a commit among all commits.
#[derive(Debug, Clone)]
struct Place {
    position: Position,
    stream: StreamId,
    version: Version,
}

/// A stream: its commits in order, in which a version is found by binary search.
#[derive(Debug, Clone, Default)]
struct Stream {
    base: Base,
    commits: Vec<Commit>,
    versions_by_key: HashMap<IdempotencyKey, Version>,
}

impl MemoryLog {
    /// A log without streams.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Stream {
    fn head(&self) -> Head {
        let base = Head::from(self.base);
        match self.commits.last() {
            Some(last) => Head { version: last.version, time: last.time, hash: last.hash, ..base },
            None => base,
        }
    }

    /// The place of the commit that holds `version`, or the number of commits where none does.
    fn place(&self, version: Version) -> usize {
        self.commits.partition_point(|commit| commit.version < version)
    }

    fn scan(&self, start: Version, direction: Direction, visit: Visit<'_>) {
        let place = self.place(start);
        let mut visit = |commit: &Commit| visit(commit.view());
        // Breaking off is the visitor's wish, not a failure.
        let _ = match direction {
            Direction::Forward => self.commits.iter().skip(place).try_for_each(&mut visit),
            Direction::Backward => self.commits.iter().take(place + 1).rev().try_for_each(&mut visit),
        };
    }
}

impl StreamLog for MemoryLog {
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        Ok(self.streams.get(stream).map_or_else(Head::default, Stream::head))
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        Ok(self.streams.get(stream).map_or_else(Base::default, |stream| stream.base))
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<(), StorageError> {
        let count = commit.version.get() - commit.first_version.get() + 1;
        let full = || StorageError::failed("every position was given");
        let position = self.end()?.after(count).ok_or_else(full)?;
        self.order.push(Place { position, stream: stream.clone(), version: commit.version });
        let stream = self.streams.entry(stream.clone()).or_default();
        if let Some(key) = &commit.key {
            stream.versions_by_key.insert(key.clone(), commit.version);
        }
        stream.commits.push(commit);
        Ok(())
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        let found = self.streams.get(stream).and_then(|stream| {
            let version = stream.versions_by_key.get(key)?;
            stream.commits.get(stream.place(*version))
        });
        if let Some(commit) = found {
            // There is nothing after the one commit to go on with.
            let _ = visit(commit.view());
        }
        Ok(())
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        if let Some(stream) = self.streams.get(stream) {
            stream.scan(start, direction, visit);
        }
        Ok(())
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        let stream = self.streams.entry(stream.clone()).or_default();
        stream.base = *base;
        stream.commits.retain(|commit| commit.version > base.version);
        stream.versions_by_key.retain(|_, version| *version > base.version);
        Ok(())
    }
}

impl FeedLog for MemoryLog {
    fn end(&self) -> Result<Position, StorageError> {
        Ok(self.order.last().map_or(Position::START, |last| last.position))
    }

    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError> {
        let start = self.order.partition_point(|place| place.position <= after);
        let found = self.order.iter().skip(start).filter_map(|place| {
            let stream = self.streams.get(&place.stream)?;
            let commit = stream.commits.get(stream.place(place.version))?;
            (commit.version == place.version).then_some((place, stream.base.hidden, commit))
        });
        for (Place { position, stream, .. }, hidden, commit) in found {
            let (position, stream, commit) = (*position, stream.as_str(), commit.view());
            if visit(FeedCommit { position, stream, hidden, commit }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl StreamDirectory for MemoryLog {
    fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let wanted = |stream: &&StreamId| stream.as_str() > after && stream.as_str() >= from;
        // A heap is put in order only as far as it is looked at.
        let mut found: BinaryHeap<Reverse<&StreamId>> =
            self.streams.keys().filter(wanted).map(Reverse).collect();
        while let Some(Reverse(stream)) = found.pop() {
            let Head { version, time, deleted, .. } = self.head(stream)?;
            if visit(StreamEntry { stream: stream.clone(), version, time, deleted }).is_break() {
                break;
            }
        }
        Ok(())
    }
}
