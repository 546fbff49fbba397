//! One stream in one table: the database of an aggregate.

use std::cell::Cell;

use super::super::version::Version;
use super::columns;
use super::decision_table::DecisionTable;
use super::port::{Sql, Value};
use super::table::{Schema, Table};
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::decisions::log::{DecisionLog, DecisionParts, VisitAgenda, VisitPending};
use crate::store::decisions::outcome::Outcome;
use crate::store::decisions::pending::{PendingCommand, PendingKey};
use crate::store::decisions::snapshot::Snapshot;
use crate::store::events::event::RecordedTime;
use crate::store::feeds::position::Position;
use crate::store::logs::commit::Commit;
use crate::store::logs::log::{Base, Head, StorageError, StreamLog, Visit};
use crate::store::names::stream_id::StreamId;
use crate::store::reads::range::Direction;

// The name of the table contains the version of the stored format, so that the version needs no row. An `INTEGER
// PRIMARY KEY` is the table's own key, so a commit is one written row. The index contains only commits with a key, so
// only these write a second row. Version 0, which no commit has, is the row of the stream's base.
const SCHEMA: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS commits_v1 (version INTEGER PRIMARY KEY, time INTEGER NOT NULL, \
            hash BLOB NOT NULL, events TEXT NOT NULL, key TEXT) STRICT",
        "CREATE UNIQUE INDEX IF NOT EXISTS commits_v1_by_key ON commits_v1 (key) WHERE key IS NOT NULL",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'commits_v1_by_key'",
};
const HEAD: &str = "SELECT version, time, hash, (SELECT events FROM commits_v1 WHERE version = 0) \
    FROM commits_v1 ORDER BY version DESC LIMIT 1";
const BASE: &str = "SELECT version, time, hash, events FROM commits_v1 WHERE version = 0";
const INSERT: &str = "INSERT INTO commits_v1 (version, time, hash, events, key) VALUES (?1, ?2, ?3, ?4, ?5)";
const FIND: &str = "SELECT version, time, hash, events, key FROM commits_v1 WHERE key IN (?1, ?2)";
const FORWARD: &str = "SELECT version, time, hash, events, key FROM commits_v1 WHERE version >= ?1 AND version > 0 ORDER BY version";
const BACKWARD: &str = "SELECT version, time, hash, events, key FROM commits_v1 \
    WHERE version <= (SELECT min(version) FROM commits_v1 WHERE version >= ?1) AND version > 0 ORDER BY version DESC";
const SET_BASE: &str =
    "INSERT OR REPLACE INTO commits_v1 (version, time, hash, events) VALUES (0, ?1, ?2, ?3)";
const REMOVE: &str = "DELETE FROM commits_v1 WHERE version BETWEEN 1 AND ?1";

/// Stores one stream in a database of its own, with one row for each commit.
///
/// The first write makes the table. A read of a stream without events leaves no trace. The table accepts any
/// [`StreamId`] as the name of its one stream. No other connection may write to the database while the table is in use.
#[derive(Debug)]
pub struct StreamTable<S> {
    table: Table<S>,
    decisions: DecisionTable<S>,
    /// The head of the stream, once it is known.
    head: Cell<Option<Head>>,
}

impl<S: Sql + Clone> StreamTable<S> {
    /// The stream that `sql` holds.
    pub fn new(sql: S) -> Self {
        let decisions = DecisionTable::of_one_stream(sql.clone());
        Self { table: Table::new(sql, &SCHEMA), decisions, head: Cell::default() }
    }
}

impl<S: Sql> StreamTable<S> {
    fn stored_head(&self) -> Result<Head, StorageError> {
        let head = self.table.one(HEAD, &[], columns::head)?;
        let head = Head { bytes: self.table.sql.size(), ..head };
        self.head.set(Some(head));
        Ok(head)
    }

    /// Runs `work` within a transaction.
    fn within(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.table.sql.transaction(work).inspect_err(|_| self.decisions.doubt())
    }

    fn head_after(&self, commit: &Commit, head: Head) -> Head {
        let Commit { version, time, hash, .. } = *commit;
        Head { version, time, hash, bytes: self.table.sql.size(), ..head }
    }
}

impl<S: Sql> StreamLog for StreamTable<S> {
    fn head(&self, _: &StreamId) -> Result<Head, StorageError> {
        self.head.get().map_or_else(|| self.stored_head(), Ok)
    }

    fn base(&self, _: &StreamId) -> Result<Base, StorageError> {
        self.table.one(BASE, &[], |row| {
            let (_, time, hash) = columns::place(row)?;
            columns::base(row.text(3).unwrap_or_default(), time, hash)
        })
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        self.table.create()?;
        let head = self.head(stream)?;
        // A failed statement may still have written.
        self.head.set(None);
        // One statement is one atomic act. The keys refuse a version or an idempotency key that exists already.
        self.table.sql.execute(INSERT, &row(&commit))?;
        self.head.set(Some(self.head_after(&commit, head)));
        Ok(None)
    }

    fn find(&self, _: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        let keys = [Value::Text(key.as_stored()), columns::key_without_origin(Some(key))];
        self.table.commits(FIND, &keys, visit)
    }

    fn scan(
        &self,
        _: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        let statement = match direction {
            Direction::Forward => FORWARD,
            Direction::Backward => BACKWARD,
        };
        self.table.commits(statement, &[Value::Integer(start.get())], visit)
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.table.create()?;
        self.head.set(None);
        let text = columns::encode_base(base);
        let time = Value::Integer(base.time.as_millis());
        let sql = &self.table.sql;
        // The transaction makes one act of the statements.
        sql.transaction(&mut || {
            sql.execute(SET_BASE, &[time, Value::Blob(base.hash.as_bytes()), Value::Text(&text)])?;
            sql.execute(REMOVE, &[Value::Integer(base.version.get())])?;
            if base.deleted { self.decisions.forget(stream) } else { Ok(()) }
        })
    }
}

impl<S: Sql> DecisionLog for StreamTable<S> {
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError> {
        self.decisions.outcome(stream, id)
    }

    fn insert_decision(
        &mut self,
        stream: &StreamId,
        DecisionParts { commit, outcome, pending }: DecisionParts<'_>,
    ) -> Result<(), StorageError> {
        if outcome.is_none() && pending.is_empty() {
            // One statement is one atomic act.
            return commit.map_or(Ok(()), |commit| self.insert(stream, commit).map(|_| ()));
        }
        let Some(commit) = commit else {
            self.within(&mut || self.decisions.insert(stream, outcome, pending))?;
            self.head.set(self.head.get().map(|head| Head { bytes: self.table.sql.size(), ..head }));
            return Ok(());
        };
        self.table.create()?;
        let head = self.head(stream)?;
        // A failed transaction may still have written.
        self.head.set(None);
        let sql = &self.table.sql;
        self.within(&mut || {
            sql.execute(INSERT, &row(&commit))?;
            self.decisions.insert(stream, outcome, pending)
        })?;
        self.head.set(Some(self.head_after(&commit, head)));
        Ok(())
    }

    fn pending(&self, stream: &StreamId, key: &PendingKey) -> Result<Option<PendingCommand>, StorageError> {
        self.decisions.pending.pending(stream, key)
    }

    fn scan_pending(
        &self,
        stream: &StreamId,
        after: &PendingKey,
        visit: VisitPending<'_>,
    ) -> Result<(), StorageError> {
        self.decisions.pending.scan(stream, after, visit)
    }

    fn agenda(&self, stream: &StreamId, visit: VisitAgenda<'_>) -> Result<(), StorageError> {
        self.decisions.pending.agenda(stream, visit)
    }

    fn remove_outcomes(
        &mut self,
        stream: &StreamId,
        before: RecordedTime,
        near: &IdempotencyKey,
    ) -> Result<(), StorageError> {
        self.decisions.remove_outcomes(stream, before, near)
    }

    fn snapshot(&self, stream: &StreamId, code: &str) -> Result<Option<Snapshot>, StorageError> {
        self.decisions.snapshot(stream, code)
    }

    fn insert_snapshot(&mut self, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.decisions.insert_snapshot(stream, snapshot)
    }
}

/// The row of a commit.
fn row(commit: &Commit) -> [Value<'_>; 5] {
    [
        Value::Integer(commit.version.get()),
        Value::Integer(commit.time.as_millis()),
        Value::Blob(commit.hash.as_bytes()),
        Value::Text(&commit.events),
        columns::key(commit),
    ]
}
