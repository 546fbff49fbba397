//! Pending commands in a table beside the commits.

use std::ops::ControlFlow;

use super::port::{Row, Sql, Value};
use super::table::{Schema, Table};
use crate::store::decisions::log::{DuePlace, VisitAgenda, VisitPending};
use crate::store::decisions::pending::{
    PendingChange, PendingCommand, PendingKey, PendingKind, PendingState, Receiver,
};
use crate::store::events::event::RecordedTime;
use crate::store::events::json_text::{JsonText, json_string};
use crate::store::logs::log::StorageError;
use crate::store::names::stream_id::StreamId;

// The table is `WITHOUT ROWID`, so that a pending command is one written row.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS pending_v1 (stream TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, \
    state TEXT NOT NULL, due INTEGER, at INTEGER NOT NULL, failed INTEGER NOT NULL, receiver TEXT, name TEXT, \
    error TEXT, command TEXT NOT NULL, PRIMARY KEY (stream, kind, key)) STRICT, WITHOUT ROWID";
/// For the database of one stream. It has no index, so that a timer is one written row.
pub(super) const OF_ONE_STREAM: Schema = Schema {
    create: &[TABLE],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'pending_v1'",
};
/// For a database of many streams. The index has their order.
pub(super) const OF_MANY_STREAMS: Schema = Schema {
    create: &[
        TABLE,
        "CREATE INDEX IF NOT EXISTS pending_v1_by_due ON pending_v1 (due) WHERE due IS NOT NULL",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'pending_v1_by_due'",
};
const PUT: &str = "INSERT OR REPLACE INTO pending_v1 \
    (stream, kind, key, state, due, at, failed, receiver, name, error, command) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const REMOVE: &str = "DELETE FROM pending_v1 WHERE stream = ?1 AND kind = ?2 AND key = ?3";
const PARK: &str =
    "UPDATE pending_v1 SET state = 'parked', due = NULL WHERE stream = ?1 AND kind = ?2 AND key = ?3";
const ONE: &str = "SELECT kind, key, state, due, at, failed, receiver, name, error, command \
    FROM pending_v1 WHERE stream = ?1 AND kind = ?2 AND key = ?3";
const AFTER: &str = "SELECT kind, key, state, due, at, failed, receiver, name, error, command \
    FROM pending_v1 WHERE stream = ?1 AND kind = ?2 AND key > ?3 ORDER BY key";
const AGENDA: &str = "SELECT kind, key, state, due FROM pending_v1 WHERE stream = ?1";
// The table has no rowid, so the index ends with the primary key. It alone answers the query.
const DUE: &str = "SELECT kind, key, stream, due FROM pending_v1 \
    WHERE due IS NOT NULL AND (due, stream, kind, key) > (?1, ?2, ?3, ?4) ORDER BY due, stream, kind, key";
const FORGET: &str = "DELETE FROM pending_v1 WHERE stream = ?1";

/// The pending commands of the streams in a database. The first write makes the table.
#[derive(Debug, Clone)]
pub(super) struct PendingTable<S> {
    table: Table<S>,
}

impl<S: Sql> PendingTable<S> {
    pub(super) fn new(sql: S, schema: &'static Schema) -> Self {
        Self { table: Table::new(sql, schema) }
    }

    /// Forgets that the table exists, because a transaction that made or found it was rolled back.
    pub(super) fn doubt(&self) {
        self.table.doubt();
    }

    /// Carries out the changes in their order. Call it once within the transaction of a decision.
    pub(super) fn change(&self, stream: &StreamId, changes: &[PendingChange]) -> Result<(), StorageError> {
        if changes.iter().any(|change| matches!(change, PendingChange::Put(_))) {
            // One look only: the table must not remember that it exists before the transaction has made it.
            self.table.create()?;
        } else if changes.is_empty() || !self.table.exists()? {
            return Ok(());
        }
        changes.iter().try_for_each(|change| match change {
            PendingChange::Put(pending) => self.put(stream, pending),
            PendingChange::Remove(key) => self.table.sql.execute(REMOVE, &place(stream, key)),
            PendingChange::Park(key) => self.table.sql.execute(PARK, &place(stream, key)),
        })
    }

    fn put(&self, stream: &StreamId, pending: &PendingCommand) -> Result<(), StorageError> {
        let [stream, kind, key] = place(stream, &pending.key);
        let due = pending.state.due().map_or(Value::Null, |at| Value::Integer(at.as_millis()));
        let receiver = pending.receiver.as_ref();
        let values = [
            stream,
            kind,
            key,
            Value::Text(pending.state.as_str()),
            due,
            Value::Integer(pending.at.as_millis()),
            Value::Integer(pending.failed.into()),
            receiver.map_or(Value::Null, |receiver| Value::Text(receiver.stream.as_str())),
            receiver.map_or(Value::Null, |receiver| Value::Text(&receiver.name)),
            pending.error.as_ref().map_or(Value::Null, |error| Value::Text(error.as_str())),
            Value::Text(pending.command.as_str()),
        ];
        self.table.sql.execute(PUT, &values)
    }

    pub(super) fn pending(
        &self,
        stream: &StreamId,
        key: &PendingKey,
    ) -> Result<Option<PendingCommand>, StorageError> {
        self.table.one(ONE, &place(stream, key), |row| read(row).map(Some))
    }

    pub(super) fn scan(
        &self,
        stream: &StreamId,
        after: &PendingKey,
        visit: VisitPending<'_>,
    ) -> Result<(), StorageError> {
        self.table.rows(AFTER, &place(stream, after), &mut |row| Ok(visit(read(row)?)))
    }

    pub(super) fn agenda(&self, stream: &StreamId, visit: VisitAgenda<'_>) -> Result<(), StorageError> {
        self.table.rows(AGENDA, &[Value::Text(stream.as_str())], &mut |row| {
            // One row that cannot be read does not hold up the others.
            if let Ok(key) = read_key(row) {
                visit(key, read_state(row).unwrap_or(PendingState::Parked));
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    pub(super) fn scan_due(
        &self,
        after: Option<&DuePlace>,
        visit: &mut dyn FnMut(DuePlace) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let first = [Value::Text(""); 3];
        let (due, [stream, kind, key]) = match after {
            Some(DuePlace { due, stream, key }) => (due.as_millis(), place(stream, key)),
            None => (0, first),
        };
        self.table.rows(DUE, &[Value::Integer(due), stream, kind, key], &mut |row| {
            let stream = row.text(2).and_then(|text| StreamId::new(text).ok());
            let due = row.integer(3).map(RecordedTime::from_millis);
            // One row that cannot be read does not hold up the others.
            let (Some(stream), Some(due), Ok(key)) = (stream, due, read_key(row)) else {
                return Ok(ControlFlow::Continue(()));
            };
            Ok(visit(DuePlace { due, stream, key }))
        })
    }

    /// Removes everything of a deleted stream. Call it within the transaction of the deletion.
    pub(super) fn forget(&self, stream: &StreamId) -> Result<(), StorageError> {
        if !self.table.exists()? {
            return Ok(());
        }
        self.table.sql.execute(FORGET, &[Value::Text(stream.as_str())])
    }
}

fn place<'a>(stream: &'a StreamId, key: &'a PendingKey) -> [Value<'a>; 3] {
    [Value::Text(stream.as_str()), Value::Text(key.kind().as_str()), Value::Text(key.as_str())]
}

fn read(row: &dyn Row) -> Result<PendingCommand, StorageError> {
    let key = read_key(row)?;
    let receiver = match (key.kind(), row.text(6), row.text(7)) {
        (PendingKind::Timer, _, _) => None,
        (PendingKind::Sent, Some(stream), Some(name)) => {
            Some(Receiver { stream: StreamId::new(stream).map_err(|_| corrupt(row))?, name: name.into() })
        }
        (PendingKind::Sent, _, _) => return Err(corrupt(row)),
    };
    Ok(PendingCommand {
        key,
        receiver,
        command: row.text(9).map(JsonText::trusted).ok_or_else(|| corrupt(row))?,
        at: row.integer(4).map(RecordedTime::from_millis).ok_or_else(|| corrupt(row))?,
        failed: row.integer(5).and_then(|failed| u32::try_from(failed).ok()).ok_or_else(|| corrupt(row))?,
        state: read_state(row)?,
        error: row.text(8).map(JsonText::trusted),
    })
}

fn read_key(row: &dyn Row) -> Result<PendingKey, StorageError> {
    let (Some(kind), Some(key)) = (row.text(0), row.text(1)) else { return Err(corrupt(row)) };
    let key = match PendingKind::from_text(kind) {
        Some(PendingKind::Timer) => PendingKey::timer(key),
        Some(PendingKind::Sent) => PendingKey::sent(key),
        None => return Err(corrupt(row)),
    };
    key.map_err(|_| corrupt(row))
}

fn read_state(row: &dyn Row) -> Result<PendingState, StorageError> {
    let due = row.integer(3).map(RecordedTime::from_millis);
    row.text(2).and_then(|state| PendingState::from_text(state, due)).ok_or_else(|| corrupt(row))
}

/// Names the row, whose first columns are its kind and its key.
fn corrupt(row: &dyn Row) -> StorageError {
    let text = |column| json_string(row.text(column).unwrap_or_default());
    let (kind, key) = (text(0), text(1));
    StorageError::corrupt(0, format!("the pending command of kind {kind} with key {key} is not valid"))
}
