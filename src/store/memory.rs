//! Streams kept in memory.

use std::collections::HashMap;

use super::commit::Commit;
use super::idempotency_key::IdempotencyKey;
use super::log::{Base, Head, StorageError, StreamLog, Visit};
use super::range::Direction;
use super::stream_id::StreamId;
use super::version::Version;

/// Keeps many streams in memory, for as long as it lives.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    streams: HashMap<StreamId, Stream>,
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
