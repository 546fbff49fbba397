//! Streams kept in memory.

use std::collections::HashMap;

use super::commit::Commit;
use super::event::{CommittedEvent, EventView};
use super::log::{Head, Span, StorageError, StreamLog, Visit};
use super::range::Direction;
use super::stream_id::StreamId;
use super::version::Version;

/// Keeps many streams in memory, for as long as it lives.
///
/// Each stream is the list of its commits; a range is found in it by binary search.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    streams: HashMap<StreamId, Vec<Commit>>,
}

impl MemoryLog {
    /// A log without streams.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn commits(&self, stream: &StreamId) -> &[Commit] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }
}

impl StreamLog for MemoryLog {
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        let last = self.commits(stream).last();
        Ok(last.map_or_else(Head::default, |commit| Head { version: commit.version(), time: commit.time() }))
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<(), StorageError> {
        self.streams.entry(stream.clone()).or_default().push(commit);
        Ok(())
    }

    fn scan(
        &self,
        stream: &StreamId,
        span: Span,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        let commits = self.commits(stream);
        let start = commits.partition_point(|commit| commit.version() < span.from);
        let end = commits.partition_point(|commit| commit.first_version() <= span.to);
        let found = commits.get(start..end).unwrap_or_default().iter();
        let mut visit_commit = |commit: &Commit| {
            let view = |version, event| view(commit, version, event);
            span.visit(direction, commit.first_version(), commit.events(), view, visit)
        };
        // Breaking off is the visitor's wish, not a failure.
        let _ = match direction {
            Direction::Forward => found.into_iter().try_for_each(&mut visit_commit),
            Direction::Backward => found.rev().try_for_each(&mut visit_commit),
        };
        Ok(())
    }
}

fn view<'a>(commit: &Commit, version: Version, event: &'a CommittedEvent) -> EventView<'a> {
    EventView {
        version,
        id: event.id.as_str(),
        event_type: event.event_type.as_str(),
        time: commit.time(),
        data: event.data.as_str(),
        metadata: event.metadata.as_str(),
    }
}
