//! Outcomes and snapshots in two tables beside the commits.

use super::super::version::Version;
use super::columns;
use super::pending_table::{OF_MANY_STREAMS, OF_ONE_STREAM, PendingTable};
use super::port::{Row, Sql, Value};
use super::table::{Schema, Table};
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::decisions::outcome::{Decided, Outcome};
use crate::store::decisions::pending::PendingChange;
use crate::store::decisions::snapshot::Snapshot;
use crate::store::events::event::RecordedTime;
use crate::store::events::json_text::JsonText;
use crate::store::limits::{OUTCOMES_LOOKED_AT, SNAPSHOT_CODES};
use crate::store::logs::log::StorageError;
use crate::store::names::stream_id::StreamId;
use crate::store::proof::hash::CommitHash;

// Both tables are `WITHOUT ROWID`, so that an outcome or a snapshot is one written row. `number` counts the stored
// snapshots of a stream: a clock may go back.
const SCHEMA: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS outcomes_v1 (stream TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, \
            time INTEGER NOT NULL, command BLOB NOT NULL, first_version INTEGER, rejection TEXT, \
            PRIMARY KEY (stream, id)) STRICT, WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS snapshots_v1 (stream TEXT NOT NULL, code TEXT NOT NULL, version INTEGER NOT NULL, \
            number INTEGER NOT NULL, hash BLOB NOT NULL, state TEXT NOT NULL, \
            PRIMARY KEY (stream, code)) STRICT, WITHOUT ROWID",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'snapshots_v1'",
};
const OUTCOME: &str =
    "SELECT version, time, command, first_version, rejection FROM outcomes_v1 WHERE stream = ?1 AND id = ?2";
const REMEMBER: &str = "INSERT OR REPLACE INTO outcomes_v1 (stream, id, version, time, command, first_version, rejection) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
// The outcomes of sent commands stay. The statement looks before and after them, so that they never hide the others.
const REMOVE_OUTCOMES: &str = "DELETE FROM outcomes_v1 WHERE stream = ?1 AND time < ?2 AND id NOT GLOB 'process\t*' AND id IN (\
    SELECT id FROM (SELECT id FROM outcomes_v1 WHERE stream = ?1 AND id > ?3 ORDER BY id LIMIT ?4) UNION ALL \
    SELECT id FROM (SELECT id FROM outcomes_v1 WHERE stream = ?1 AND id < 'process\t' ORDER BY id LIMIT ?4) UNION ALL \
    SELECT id FROM (SELECT id FROM outcomes_v1 WHERE stream = ?1 AND id > 'process\n' ORDER BY id LIMIT ?4))";
const SNAPSHOT: &str =
    "SELECT version, number, hash, state FROM snapshots_v1 WHERE stream = ?1 AND code = ?2";
const INSERT_SNAPSHOT: &str = "INSERT OR REPLACE INTO snapshots_v1 (stream, code, version, number, hash, state) \
    VALUES (?1, ?2, ?3, (SELECT coalesce(max(number), 0) + 1 FROM snapshots_v1 WHERE stream = ?1), ?4, ?5)";
const REMOVE_SNAPSHOTS: &str = "DELETE FROM snapshots_v1 WHERE stream = ?1 AND code NOT IN \
    (SELECT code FROM snapshots_v1 WHERE stream = ?1 ORDER BY number DESC LIMIT ?2)";
const FORGET_OUTCOMES: &str = "DELETE FROM outcomes_v1 WHERE stream = ?1";
const FORGET_SNAPSHOTS: &str = "DELETE FROM snapshots_v1 WHERE stream = ?1";

/// The outcomes and snapshots of the streams in a database. The first write makes the tables.
#[derive(Debug, Clone)]
pub(super) struct DecisionTable<S> {
    table: Table<S>,
    pub(super) pending: PendingTable<S>,
}

impl<S: Sql + Clone> DecisionTable<S> {
    /// For the database of one stream.
    pub(super) fn of_one_stream(sql: S) -> Self {
        let pending = PendingTable::new(sql.clone(), &OF_ONE_STREAM);
        Self { table: Table::new(sql, &SCHEMA), pending }
    }

    /// For a database of many streams.
    pub(super) fn of_many_streams(sql: S) -> Self {
        let pending = PendingTable::new(sql.clone(), &OF_MANY_STREAMS);
        Self { table: Table::new(sql, &SCHEMA), pending }
    }
}

impl<S: Sql> DecisionTable<S> {
    /// Forgets that the tables exist, because a transaction that made or found them was rolled back.
    pub(super) fn doubt(&self) {
        self.table.doubt();
        self.pending.doubt();
    }

    /// Stores the parts of a decision beside its commit. Call it within the transaction of the commit.
    pub(super) fn insert(
        &self,
        stream: &StreamId,
        outcome: Option<(&IdempotencyKey, &Outcome)>,
        pending: &[PendingChange],
    ) -> Result<(), StorageError> {
        if let Some((id, outcome)) = outcome {
            self.remember(stream, id, outcome)?;
        }
        self.pending.change(stream, pending)
    }

    pub(super) fn outcome(
        &self,
        stream: &StreamId,
        id: &IdempotencyKey,
    ) -> Result<Option<Outcome>, StorageError> {
        let values = [Value::Text(stream.as_str()), Value::Text(id.as_stored())];
        self.table.one(OUTCOME, &values, |row| read_outcome(row).map(Some))
    }

    fn remember(
        &self,
        stream: &StreamId,
        id: &IdempotencyKey,
        outcome: &Outcome,
    ) -> Result<(), StorageError> {
        self.table.create()?;
        let (first_version, rejection) = match &outcome.decided {
            Decided::Events { first_version } => (Value::Integer(first_version.get()), Value::Null),
            Decided::Nothing => (Value::Null, Value::Null),
            Decided::Rejected { rejection } => (Value::Null, Value::Text(rejection.as_str())),
        };
        let values = [
            Value::Text(stream.as_str()),
            Value::Text(id.as_stored()),
            Value::Integer(outcome.version.get()),
            Value::Integer(outcome.time.as_millis()),
            Value::Blob(outcome.command.as_bytes()),
            first_version,
            rejection,
        ];
        self.table.sql.execute(REMEMBER, &values)
    }

    pub(super) fn remove_outcomes(
        &self,
        stream: &StreamId,
        before: RecordedTime,
        near: &IdempotencyKey,
    ) -> Result<(), StorageError> {
        let values = [
            Value::Text(stream.as_str()),
            Value::Integer(before.as_millis()),
            Value::Text(near.as_stored()),
            Value::Integer(OUTCOMES_LOOKED_AT),
        ];
        self.table.sql.execute(REMOVE_OUTCOMES, &values)
    }

    pub(super) fn snapshot(&self, stream: &StreamId, code: &str) -> Result<Option<Snapshot>, StorageError> {
        let values = [Value::Text(stream.as_str()), Value::Text(code)];
        // A snapshot that cannot be read is no snapshot: the state can be made again from the events.
        self.table.one(SNAPSHOT, &values, |row| Ok(read_snapshot(row, code)))
    }

    pub(super) fn insert_snapshot(&self, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.table.create()?;
        let values = [
            Value::Text(stream.as_str()),
            Value::Text(&snapshot.code),
            Value::Integer(snapshot.version.get()),
            Value::Blob(snapshot.hash.as_bytes()),
            Value::Text(snapshot.state.as_str()),
        ];
        self.table.sql.execute(INSERT_SNAPSHOT, &values)?;
        let kept = [Value::Text(stream.as_str()), Value::Integer(SNAPSHOT_CODES)];
        self.table.sql.execute(REMOVE_SNAPSHOTS, &kept)
    }

    /// Removes everything of a deleted stream. Call it within the transaction of the deletion.
    pub(super) fn forget(&self, stream: &StreamId) -> Result<(), StorageError> {
        self.pending.forget(stream)?;
        if !self.table.exists()? {
            return Ok(());
        }
        let stream = [Value::Text(stream.as_str())];
        self.table.sql.execute(FORGET_OUTCOMES, &stream)?;
        self.table.sql.execute(FORGET_SNAPSHOTS, &stream)
    }
}

fn read_outcome(row: &dyn Row) -> Result<Outcome, StorageError> {
    let (version, time, command) = columns::place(row)?;
    let decided = match (row.integer(3).and_then(Version::new), row.text(4)) {
        (_, Some(rejection)) => {
            let rejection = JsonText::parse(rejection)
                .map_err(|_| StorageError::corrupt(version.get(), "the rejection of a command is no JSON"))?;
            Decided::Rejected { rejection }
        }
        (Some(first_version), None) => Decided::Events { first_version },
        (None, None) => Decided::Nothing,
    };
    Ok(Outcome { command, time, version, decided })
}

fn read_snapshot(row: &dyn Row, code: &str) -> Option<Snapshot> {
    let version = row.integer(0).and_then(Version::new)?;
    let hash = row.blob(2).and_then(CommitHash::from_bytes)?;
    let state = JsonText::trusted(row.text(3)?);
    Some(Snapshot { code: code.into(), version, hash, state })
}
