//! Many streams in one table, in one order: the database in a file.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::super::version::Version;
use super::columns;
use super::decision_table::DecisionTable;
use super::port::{Row, Sql, Value};
use super::table::{Schema, Table};
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::decisions::log::{
    DecisionLog, DecisionParts, DuePlace, PendingLog, VisitAgenda, VisitPending,
};
use crate::store::decisions::outcome::Outcome;
use crate::store::decisions::pending::{PendingCommand, PendingKey};
use crate::store::decisions::snapshot::Snapshot;
use crate::store::events::event::RecordedTime;
use crate::store::feeds::directory::{StreamDirectory, StreamEntry};
use crate::store::feeds::feed::{FeedCommit, FeedLog, VisitFeed};
use crate::store::feeds::position::Position;
use crate::store::logs::commit::{Commit, CommitView};
use crate::store::logs::log::{Base, Head, StorageError, StreamLog, Visit};
use crate::store::names::stream_id::StreamId;
use crate::store::reads::range::Direction;

// The position of a commit is the position of its last event among all events of the file. Every append takes the lock
// before it gets its position. So a reader never sees a position before all smaller ones. The last commits may be
// forgotten, but no position is given twice. Therefore `bases_v1` has the highest position that was ever given, in the
// row of no stream.
const SCHEMA: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS log_v1 (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, \
            version INTEGER NOT NULL, time INTEGER NOT NULL, hash BLOB NOT NULL, events TEXT NOT NULL, key TEXT) STRICT",
        "CREATE UNIQUE INDEX IF NOT EXISTS log_v1_by_version ON log_v1 (stream, version)",
        "CREATE UNIQUE INDEX IF NOT EXISTS log_v1_by_key ON log_v1 (stream, key) WHERE key IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS bases_v1 (stream TEXT PRIMARY KEY, version INTEGER NOT NULL, \
            time INTEGER NOT NULL, hash BLOB NOT NULL, base TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'bases_v1'",
};
const HEAD: &str = "SELECT version, time, hash, (SELECT base FROM bases_v1 WHERE stream = ?1) \
    FROM log_v1 WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
const BASE: &str = "SELECT version, time, hash, base FROM bases_v1 WHERE stream = ?1";
const INSERT: &str = "INSERT INTO log_v1 (position, stream, version, time, hash, events, key) \
    SELECT max((SELECT coalesce(max(position), 0) FROM log_v1), \
        (SELECT coalesce(max(version), 0) FROM bases_v1 WHERE stream = '')) + ?1, ?2, ?3, ?4, ?5, ?6, ?7";
// The hash covers the whole history. So an equal hash shows that no writer has changed the stream since it was
// remembered. A wholly truncated stream has no row with a hash. If the hash differs, the stream is deleted, or the key
// exists without an origin, the statement sets the version to NULL. The table refuses NULL, and it refuses a key that
// exists already. `OR IGNORE` then leaves the row out without an error.
const INSERT_AFTER: &str = "INSERT OR IGNORE INTO log_v1 (position, stream, version, time, hash, events, key) \
    VALUES (max((SELECT coalesce(max(position), 0) FROM log_v1), \
        (SELECT coalesce(max(version), 0) FROM bases_v1 WHERE stream = '')) + ?1, ?2, \
        CASE WHEN (SELECT hash FROM log_v1 WHERE stream = ?2 ORDER BY version DESC LIMIT 1) = ?8 \
            AND (SELECT base ->> 'deleted' FROM bases_v1 WHERE stream = ?2) IS NOT 1 \
            AND NOT EXISTS (SELECT 1 FROM log_v1 WHERE stream = ?2 AND key = ?9) THEN ?3 END, \
        ?4, ?5, ?6, ?7)";
const FIND: &str =
    "SELECT version, time, hash, events, key, position FROM log_v1 WHERE stream = ?1 AND key IN (?2, ?3)";
const FORWARD: &str = "SELECT version, time, hash, events, key, position FROM log_v1 \
    WHERE stream = ?1 AND version >= ?2 ORDER BY version";
const BACKWARD: &str = "SELECT version, time, hash, events, key, position FROM log_v1 WHERE stream = ?1 \
    AND version <= (SELECT min(version) FROM log_v1 WHERE stream = ?1 AND version >= ?2) ORDER BY version DESC";
const END: &str = "SELECT max((SELECT coalesce(max(position), 0) FROM log_v1), \
        (SELECT coalesce(max(version), 0) FROM bases_v1 WHERE stream = ''))";
const FEED: &str = "SELECT log_v1.version, log_v1.time, log_v1.hash, events, key, position, log_v1.stream, base \
    FROM log_v1 LEFT JOIN bases_v1 USING (stream) WHERE position > ?1 ORDER BY position";
// SQLite uses only one of two bounds and scans past the other, so the statement gives it the higher one. The next
// possible name is the name followed by the least character.
const NEXT_STREAM: &str = "SELECT min(stream) FROM ( \
        SELECT min(stream) AS stream FROM log_v1 WHERE stream >= max(?1 || char(0), ?2) \
        UNION ALL SELECT min(stream) FROM bases_v1 WHERE stream >= max(?1 || char(0), ?2))";
const KEEP_POSITION: &str = "INSERT OR REPLACE INTO bases_v1 (stream, version, time, hash, base) \
    SELECT '', max(max(position), (SELECT coalesce(max(version), 0) FROM bases_v1 WHERE stream = '')), 0, x'', '' \
    FROM log_v1 HAVING max(position) > 0";
const SET_BASE: &str =
    "INSERT OR REPLACE INTO bases_v1 (stream, version, time, hash, base) VALUES (?1, ?2, ?3, ?4, ?5)";
const REMOVE: &str = "DELETE FROM log_v1 WHERE stream = ?1 AND version <= ?2";

/// The most streams whose heads the table remembers.
const HEADS: usize = 1000;

/// Stores many streams in one database, in the order of their appends. Several processes may use the same file. Each
/// process decides and writes within a transaction that excludes other writers. Or it uses one statement that writes
/// only if the stream still ends at the remembered head.
#[derive(Debug, Clone)]
pub struct StreamsTable<S> {
    table: Table<S>,
    decisions: DecisionTable<S>,
    /// The heads of streams after their last write. Clones share them, as they share the database.
    heads: Rc<RefCell<HashMap<StreamId, Head>>>,
}

impl<S: Sql + Clone> StreamsTable<S> {
    /// The streams that `sql` holds.
    pub fn new(sql: S) -> Self {
        let decisions = DecisionTable::of_many_streams(sql.clone());
        Self { table: Table::new(sql, &SCHEMA), decisions, heads: Rc::default() }
    }

    /// Calls `visit` with each row of a query as a commit with its position.
    fn commits(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.table.rows(statement, values, &mut |row| Ok(visit(placed(row)?)))
    }

    fn remember(&self, stream: &StreamId, commit: &Commit) {
        let Ok(mut heads) = self.heads.try_borrow_mut() else { return };
        if heads.len() >= HEADS {
            heads.clear();
        }
        let (version, time, hash) = (commit.version, commit.time, commit.hash);
        heads.insert(stream.clone(), Head { version, time, hash, ..Head::default() });
    }
}

impl<S: Sql + Clone> StreamLog for StreamsTable<S> {
    fn exclusively<T, E: From<StorageError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let sql = self.table.sql.clone();
        let done = within(|run| sql.transaction(run), || work(self));
        if done.is_err() {
            self.table.doubt();
            self.decisions.doubt();
        }
        done
    }

    fn reading<T, E: From<StorageError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        within(|run| self.table.sql.reading(run), || work(self))
    }

    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        let last = self.table.one(HEAD, &[text(stream)], |row| columns::head(row).map(Some))?;
        let head = match last {
            Some(head) => head,
            // The stream has no commits: it never had an event, or all of its commits were removed.
            None => Head::from(self.base(stream)?),
        };
        Ok(Head { bytes: self.table.sql.size(), ..head })
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        self.table.one(BASE, &[text(stream)], |row| {
            let (_, time, hash) = columns::place(row)?;
            columns::base(row.text(3).unwrap_or_default(), time, hash)
        })
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        self.table.create()?;
        let inserted = self.table.sql.insert(INSERT, &row(stream, &commit))?;
        self.remember(stream, &commit);
        Ok(inserted.and_then(Position::new))
    }

    fn remembered(&self, stream: &StreamId) -> Option<Head> {
        self.heads.try_borrow().ok()?.get(stream).cloned()
    }

    fn insert_after(
        &mut self,
        stream: &StreamId,
        head: &Head,
        commit: &Commit,
    ) -> Result<Option<Position>, StorageError> {
        let [count, name, version, time, hash, events, key] = row(stream, commit);
        let without_origin = columns::key_without_origin(commit.key.as_ref());
        let head = Value::Blob(head.hash.as_bytes());
        let values = [count, name, version, time, hash, events, key, head, without_origin];
        // One statement decides and writes. It waits for other writers, as a transaction would.
        let inserted = self.table.sql.insert(INSERT_AFTER, &values)?;
        if inserted.is_some() {
            self.remember(stream, commit);
        }
        Ok(inserted.and_then(Position::new))
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        let keys = [text(stream), Value::Text(key.as_stored()), columns::key_without_origin(Some(key))];
        self.commits(FIND, &keys, visit)
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        let statement = match direction {
            Direction::Forward => FORWARD,
            Direction::Backward => BACKWARD,
        };
        self.commits(statement, &[text(stream), Value::Integer(start.get())], visit)
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.table.create()?;
        let base_text = columns::encode_base(base);
        let values = [
            text(stream),
            Value::Integer(base.version.get()),
            Value::Integer(base.time.as_millis()),
            Value::Blob(base.hash.as_bytes()),
            Value::Text(&base_text),
        ];
        // The caller runs this within `exclusively`, whose transaction makes one act of the statements.
        let sql = &self.table.sql;
        sql.execute(KEEP_POSITION, &[])?;
        sql.execute(SET_BASE, &values)?;
        sql.execute(REMOVE, &[text(stream), Value::Integer(base.version.get())])?;
        if base.deleted { self.decisions.forget(stream) } else { Ok(()) }
    }
}

impl<S: Sql + Clone> DecisionLog for StreamsTable<S> {
    fn outcome(&self, stream: &StreamId, id: &IdempotencyKey) -> Result<Option<Outcome>, StorageError> {
        self.decisions.outcome(stream, id)
    }

    // The caller runs this within `exclusively`, whose transaction makes one act of the statements.
    fn insert_decision(
        &mut self,
        stream: &StreamId,
        DecisionParts { commit, outcome, pending }: DecisionParts<'_>,
    ) -> Result<(), StorageError> {
        if let Some(commit) = commit {
            self.insert(stream, commit)?;
        }
        self.decisions.insert(stream, outcome, pending)
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

impl<S: Sql> PendingLog for StreamsTable<S> {
    fn scan_due(
        &self,
        after: Option<&DuePlace>,
        visit: &mut dyn FnMut(DuePlace) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.decisions.pending.scan_due(after, visit)
    }
}

impl<S: Sql> FeedLog for StreamsTable<S> {
    fn end(&self) -> Result<Position, StorageError> {
        self.table.one(END, &[], |row| Ok(row.integer(0).and_then(Position::new).unwrap_or_default()))
    }

    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError> {
        self.table.rows(FEED, &[Value::Integer(after.get())], &mut |row| {
            let commit = placed(row)?;
            let base = row.text(7).map(|base| columns::base(base, commit.time, commit.hash)).transpose()?;
            let hidden = base.unwrap_or_default().hidden;
            match (commit.position, row.text(6)) {
                (Some(position), Some(stream)) => {
                    Ok(visit(FeedCommit { position, stream, hidden, commit: Some(commit) }))
                }
                _ => Err(StorageError::corrupt(commit.version.get(), "it has no position")),
            }
        })
    }
}

impl<S: Sql + Clone> StreamDirectory for StreamsTable<S> {
    fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut after = after.to_owned();
        loop {
            let names = [Value::Text(&after), Value::Text(from)];
            let name = self.table.one(NEXT_STREAM, &names, |row| Ok(row.text(0).map(str::to_owned)))?;
            let Some(name) = name else { return Ok(()) };
            let stream = StreamId::new(&name)
                .map_err(|_| StorageError::corrupt(0, "the name of a stream is not valid"))?;
            let Head { version, time, deleted, .. } = self.head(&stream)?;
            if visit(StreamEntry { stream, version, time, deleted }).is_break() {
                return Ok(());
            }
            after = name;
        }
    }
}

/// The number of a commit's events, and the columns of its row.
fn row<'a>(stream: &'a StreamId, commit: &'a Commit) -> [Value<'a>; 7] {
    [
        Value::Integer(commit.count()),
        text(stream),
        Value::Integer(commit.version.get()),
        Value::Integer(commit.time.as_millis()),
        Value::Blob(commit.hash.as_bytes()),
        Value::Text(&commit.events),
        columns::key(commit),
    ]
}

/// Reads a row of `version, time, hash, events, key, position` as a commit.
fn placed(row: &dyn Row) -> Result<CommitView<'_>, StorageError> {
    Ok(CommitView { position: row.integer(5).and_then(Position::new), ..columns::commit(row)? })
}

fn text(stream: &StreamId) -> Value<'_> {
    Value::Text(stream.as_str())
}

/// Runs `work` within a transaction that `begin` opens around it. If `work` fails, the transaction fails too.
fn within<T, E: From<StorageError>>(
    begin: impl FnOnce(&mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let (mut work, mut result) = (Some(work), None);
    let ended = begin(&mut || {
        let outcome = work.take().map(|work| work());
        let failed = !matches!(outcome, Some(Ok(_)));
        result = outcome;
        // The transaction rolls back. `result` holds the error of `work`.
        if failed { Err(StorageError::failed("")) } else { Ok(()) }
    });
    match (ended, result) {
        (Err(error), None | Some(Ok(_))) => Err(error.into()),
        (_, Some(result)) => result,
        (Ok(()), None) => Err(StorageError::failed("the transaction did not run").into()),
    }
}
