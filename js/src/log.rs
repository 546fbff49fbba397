//! The log of a store of this package.

use std::ops::ControlFlow;

use sillok::store::sqlite::StreamsTable;
use sillok::store::{
    Base, Commit, DecisionLog, DecisionParts, Direction, DuePlace, FeedLog, Head, IdempotencyKey, MemoryLog,
    Outcome, PendingCommand, PendingKey, PendingLog, Position, RecordedTime, Snapshot, StorageError,
    StreamDirectory, StreamEntry, StreamId, StreamLog, Version, Visit, VisitAgenda, VisitFeed, VisitPending,
};

use crate::database::FileSql;

/// A log in memory or in a file. The code above it is the same for both.
#[derive(Debug)]
pub(crate) enum Log {
    Memory(MemoryLog),
    File(StreamsTable<FileSql>),
}

impl Log {
    fn inner(&self) -> &dyn DecisionLog {
        match self {
            Self::Memory(log) => log,
            Self::File(log) => log,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn DecisionLog {
        match self {
            Self::Memory(log) => log,
            Self::File(log) => log,
        }
    }
}

impl StreamLog for Log {
    fn exclusively<T, E: From<StorageError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Memory(_) => work(self),
            // A clone has the same connection, so `work` runs within its transaction.
            Self::File(log) => log.clone().exclusively(|_| work(self)),
        }
    }

    fn reading<T, E: From<StorageError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Memory(_) => work(self),
            Self::File(log) => log.reading(|_| work(self)),
        }
    }

    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.inner().head(stream)
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        self.inner().base(stream)
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        self.inner_mut().insert(stream, commit)
    }

    fn remembered(&self, stream: &StreamId) -> Option<Head> {
        self.inner().remembered(stream)
    }

    fn insert_after(
        &mut self,
        stream: &StreamId,
        head: &Head,
        commit: &Commit,
    ) -> Result<Option<Position>, StorageError> {
        self.inner_mut().insert_after(stream, head, commit)
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        self.inner().find(stream, key, visit)
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.inner().scan(stream, start, direction, visit)
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.inner_mut().forget(stream, base)
    }
}

impl DecisionLog for Log {
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError> {
        self.inner().outcome(stream, id)
    }

    fn insert_decision(&mut self, stream: &StreamId, parts: DecisionParts<'_>) -> Result<(), StorageError> {
        self.inner_mut().insert_decision(stream, parts)
    }

    fn pending(&self, stream: &StreamId, key: &PendingKey) -> Result<Option<PendingCommand>, StorageError> {
        self.inner().pending(stream, key)
    }

    fn scan_pending(
        &self,
        stream: &StreamId,
        after: &PendingKey,
        visit: VisitPending<'_>,
    ) -> Result<(), StorageError> {
        self.inner().scan_pending(stream, after, visit)
    }

    fn agenda(&self, stream: &StreamId, visit: VisitAgenda<'_>) -> Result<(), StorageError> {
        self.inner().agenda(stream, visit)
    }

    fn remove_outcomes(
        &mut self,
        stream: &StreamId,
        before: RecordedTime,
        near: &IdempotencyKey,
    ) -> Result<(), StorageError> {
        self.inner_mut().remove_outcomes(stream, before, near)
    }

    fn snapshot(&self, stream: &StreamId, code: &str) -> Result<Option<Snapshot>, StorageError> {
        self.inner().snapshot(stream, code)
    }

    fn insert_snapshot(&mut self, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.inner_mut().insert_snapshot(stream, snapshot)
    }
}

impl PendingLog for Log {
    fn scan_due(
        &self,
        after: Option<&DuePlace>,
        visit: &mut dyn FnMut(DuePlace) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        match self {
            Self::Memory(log) => log.scan_due(after, visit),
            Self::File(log) => log.scan_due(after, visit),
        }
    }
}

impl FeedLog for Log {
    fn end(&self) -> Result<Position, StorageError> {
        match self {
            Self::Memory(log) => log.end(),
            Self::File(log) => log.end(),
        }
    }

    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError> {
        match self {
            Self::Memory(log) => log.scan_feed(after, visit),
            Self::File(log) => log.scan_feed(after, visit),
        }
    }
}

impl StreamDirectory for Log {
    fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        match self {
            Self::Memory(log) => log.scan_streams(after, from, visit),
            Self::File(log) => log.scan_streams(after, from, visit),
        }
    }
}
