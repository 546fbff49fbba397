//! Streams in memory.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use super::commit::{Commit, CommitView};
use super::log::{Base, Head, StorageError, StreamLog, Visit};
use crate::sorted::Sorted;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::decisions::log::{
    DecisionLog, DecisionParts, DuePlace, PendingLog, VisitAgenda, VisitPending,
};
use crate::store::decisions::memory::MemoryDecisions;
use crate::store::decisions::outcome::Outcome;
use crate::store::decisions::pending::{PendingChange, PendingCommand, PendingKey};
use crate::store::decisions::snapshot::Snapshot;
use crate::store::events::event::RecordedTime;
use crate::store::feeds::directory::{StreamDirectory, StreamEntry};
use crate::store::feeds::feed::{FeedCommit, FeedLog, VisitFeed};
use crate::store::feeds::position::Position;
use crate::store::names::stream_id::StreamId;
use crate::store::reads::range::Direction;
use crate::store::version::Version;

/// Stores many streams in memory, for as long as the value lives.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    streams: HashMap<StreamId, Stream>,
    /// The streams in the order of their names. A page of the directory looks only at the names that it needs.
    names: Sorted<StreamId, ()>,
    /// The places of all commits that were ever inserted, in order. Their streams no longer have the removed ones.
    order: Vec<Place>,
    /// The pending commands that are attempted again, in the order in which they are due.
    due: Sorted<DuePlace, ()>,
}

/// The place of a commit among all commits.
#[derive(Debug, Clone)]
struct Place {
    position: Position,
    stream: StreamId,
    version: Version,
}

/// A stream: its commits in order. A binary search finds a version.
#[derive(Debug, Clone, Default)]
struct Stream {
    base: Base,
    commits: VecDeque<PlacedCommit>,
    versions_by_key: HashMap<IdempotencyKey, Version>,
    decisions: MemoryDecisions,
}

/// A commit, and the position of its last event.
#[derive(Debug, Clone)]
struct PlacedCommit {
    commit: Commit,
    position: Position,
}

impl PlacedCommit {
    fn view(&self) -> CommitView<'_> {
        CommitView { position: Some(self.position), ..self.commit.view() }
    }
}

impl MemoryLog {
    /// A log without streams.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the stream. Adds it if it does not exist.
    fn stream(&mut self, id: &StreamId) -> &mut Stream {
        match self.streams.entry(id.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                self.names.insert(id.clone(), ());
                new.insert(Stream::default())
            }
        }
    }
}

impl MemoryLog {
    fn change_pending(&mut self, stream: &StreamId, change: &PendingChange) {
        if let Some(replaced) = self.stream(stream).decisions.change(change) {
            self.not_due(stream, &replaced);
        }
        if let PendingChange::Put(PendingCommand { key, state, .. }) = change
            && let Some(due) = state.due()
        {
            self.due.insert(DuePlace { due, stream: stream.clone(), key: key.clone() }, ());
        }
    }

    fn not_due(&mut self, stream: &StreamId, removed: &PendingCommand) {
        if let Some(due) = removed.state.due() {
            self.due.remove(&DuePlace { due, stream: stream.clone(), key: removed.key.clone() });
        }
    }
}

impl PendingLog for MemoryLog {
    fn scan_due(
        &self,
        after: Option<&DuePlace>,
        visit: &mut dyn FnMut(DuePlace) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let later = after.map_or_else(|| self.due.iter(), |after| self.due.from(after));
        for (place, ()) in later.skip_while(|(place, ())| Some(*place) == after) {
            if visit(place.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Stream {
    fn head(&self) -> Head {
        let base = Head::from(self.base);
        match self.commits.back() {
            Some(PlacedCommit { commit: last, .. }) => {
                Head { version: last.version, time: last.time, hash: last.hash, ..base }
            }
            None => base,
        }
    }

    /// The index of the commit that holds `version`. The number of commits if no commit holds it.
    fn place(&self, version: Version) -> usize {
        self.commits.partition_point(|placed| placed.commit.version < version)
    }

    fn scan(&self, start: Version, direction: Direction, visit: Visit<'_>) {
        let place = self.place(start);
        let mut visit = |placed: &PlacedCommit| visit(placed.view());
        // A break of `visit` is not a failure.
        let _ = match direction {
            Direction::Forward => self.commits.range(place..).try_for_each(&mut visit),
            Direction::Backward => {
                let end = self.commits.len().min(place + 1);
                self.commits.range(..end).rev().try_for_each(&mut visit)
            }
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

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        let full = || StorageError::failed("no position is left");
        let position = self.end()?.after(commit.count()).ok_or_else(full)?;
        self.order.push(Place { position, stream: stream.clone(), version: commit.version });
        let stream = self.stream(stream);
        if let Some(key) = &commit.key {
            stream.versions_by_key.insert(key.clone(), commit.version);
        }
        stream.commits.push_back(PlacedCommit { commit, position });
        Ok(Some(position))
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        let found = self.streams.get(stream).and_then(|stream| {
            let version = stream.versions_by_key.get(key)?;
            stream.commits.get(stream.place(*version))
        });
        if let Some(commit) = found {
            // There is only one commit, so a break has no effect.
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

    fn forget(&mut self, id: &StreamId, base: &Base) -> Result<(), StorageError> {
        let stream = self.stream(id);
        stream.base = *base;
        let forgotten =
            if base.deleted { std::mem::take(&mut stream.decisions) } else { MemoryDecisions::default() };
        while stream.commits.front().is_some_and(|placed| placed.commit.version <= base.version) {
            let gone = stream.commits.pop_front();
            if let Some(key) = gone.and_then(|gone| gone.commit.key) {
                stream.versions_by_key.remove(&key);
            }
        }
        forgotten.pending.iter().for_each(|(_, pending)| self.not_due(id, pending));
        Ok(())
    }
}

impl DecisionLog for MemoryLog {
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError> {
        Ok(self.streams.get(stream).and_then(|stream| stream.decisions.outcome(id)))
    }

    fn insert_decision(
        &mut self,
        stream: &StreamId,
        DecisionParts { commit, outcome, pending }: DecisionParts<'_>,
    ) -> Result<(), StorageError> {
        if let Some(commit) = commit {
            self.insert(stream, commit)?;
        }
        if let Some((id, outcome)) = outcome {
            self.stream(stream).decisions.remember(id, outcome);
        }
        for change in pending {
            self.change_pending(stream, change);
        }
        Ok(())
    }

    fn pending(&self, stream: &StreamId, key: &PendingKey) -> Result<Option<PendingCommand>, StorageError> {
        Ok(self.streams.get(stream).and_then(|stream| stream.decisions.pending.get(key).cloned()))
    }

    fn scan_pending(
        &self,
        stream: &StreamId,
        after: &PendingKey,
        visit: VisitPending<'_>,
    ) -> Result<(), StorageError> {
        if let Some(stream) = self.streams.get(stream) {
            stream.decisions.scan_pending(after, visit);
        }
        Ok(())
    }

    fn agenda(&self, stream: &StreamId, visit: VisitAgenda<'_>) -> Result<(), StorageError> {
        let pending = self.streams.get(stream).map(|stream| &stream.decisions.pending);
        pending
            .into_iter()
            .flat_map(Sorted::iter)
            .for_each(|(key, pending)| visit(key.clone(), pending.state));
        Ok(())
    }

    fn remove_outcomes(
        &mut self,
        stream: &StreamId,
        before: RecordedTime,
        _: &IdempotencyKey,
    ) -> Result<(), StorageError> {
        self.stream(stream).decisions.remove_outcomes(before);
        Ok(())
    }

    fn snapshot(&self, stream: &StreamId, code: &str) -> Result<Option<Snapshot>, StorageError> {
        Ok(self.streams.get(stream).and_then(|stream| stream.decisions.snapshot(code)))
    }

    fn insert_snapshot(&mut self, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.stream(stream).decisions.insert(snapshot);
        Ok(())
    }
}

impl FeedLog for MemoryLog {
    fn end(&self) -> Result<Position, StorageError> {
        Ok(self.order.last().map_or(Position::START, |last| last.position))
    }

    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError> {
        let start = self.order.partition_point(|place| place.position <= after);
        for Place { position, stream: id, version } in self.order.iter().skip(start) {
            let stream = self.streams.get(id);
            let found = stream.and_then(|stream| stream.commits.get(stream.place(*version)));
            let commit = found.filter(|placed| placed.commit.version == *version).map(PlacedCommit::view);
            let hidden = stream.map_or(Version::EMPTY, |stream| stream.base.hidden);
            // Removed commits are visited too, because there may be many in a row.
            if visit(FeedCommit { position: *position, stream: id.as_str(), hidden, commit }).is_break() {
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
        for (stream, ()) in self.names.from(after.max(from)) {
            if stream.as_str() == after {
                continue;
            }
            let Head { version, time, deleted, .. } = self.head(stream)?;
            // A stream that has only outcomes never had an event.
            if version.is_empty() {
                continue;
            }
            if visit(StreamEntry { stream: stream.clone(), version, time, deleted }).is_break() {
                break;
            }
        }
        Ok(())
    }
}
