//! The tables of the journal.

use std::cell::Cell;
use std::ops::ControlFlow;

use super::group::Group;
use crate::sorted::Sorted;
use crate::store::Position;
use crate::store::RecordedTime;
use crate::store::StorageError;
use crate::store::StreamEntry;
use crate::store::StreamId;
use crate::store::Version;
use crate::store::events::json_text::{json_string, json_strings};
use crate::store::limits::JOURNAL_STREAMS;
use crate::store::sqlite::{Row, Schema, Sql, Table, Value};

// A group of commits is one row, under the position of its last event. A stream is one row of the directory. The index
// contains only the streams with hidden events.
const SCHEMA: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS groups_v1 (position INTEGER PRIMARY KEY, commits TEXT NOT NULL) STRICT",
        "CREATE TABLE IF NOT EXISTS streams_v1 (stream TEXT PRIMARY KEY, version INTEGER NOT NULL, \
            time INTEGER NOT NULL, position INTEGER NOT NULL, hidden INTEGER NOT NULL, \
            deleted INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS streams_v1_hidden ON streams_v1 (hidden) WHERE hidden > 0",
        "CREATE TABLE IF NOT EXISTS about_v1 (partitions INTEGER PRIMARY KEY) STRICT",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'about_v1'",
};
const BEGUN_WITH: &str = "SELECT partitions FROM about_v1";
const BEGIN: &str = "INSERT INTO about_v1 (partitions) VALUES (?1)";
const END: &str = "SELECT coalesce(max(position), 0) FROM groups_v1";
const ENTRIES: &str = "SELECT version, time, position, hidden, deleted, stream FROM streams_v1 \
    WHERE stream IN (SELECT value FROM json_each(?1))";
const WRITE_GROUP: &str = "INSERT INTO groups_v1 (position, commits) VALUES (?1, ?2)";
// The numbers were written as integers and are read as integers. An update in place writes one row; a replacement
// writes two. Without the WHERE, SQLite would read ON as a part of a join.
const WRITE_ENTRIES: &str = "INSERT INTO streams_v1 (stream, version, time, position, hidden, deleted) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?1) WHERE true \
    ON CONFLICT (stream) DO UPDATE SET version = excluded.version, time = excluded.time, \
        position = excluded.position, hidden = excluded.hidden, deleted = excluded.deleted";
const SCAN: &str = "SELECT position, commits FROM groups_v1 WHERE position > ?1 ORDER BY position";
const ANY_HIDDEN: &str = "SELECT 1 FROM streams_v1 INDEXED BY streams_v1_hidden WHERE hidden > 0 LIMIT 1";
const HIDDEN: &str = "SELECT stream, hidden FROM streams_v1 \
    WHERE stream IN (SELECT value FROM json_each(?1)) AND hidden > 0";
// SQLite uses only one of two bounds and scans past the other, so the statement gives it the higher one. The next
// possible name is the name followed by the least character.
const STREAMS: &str = "SELECT version, time, position, hidden, deleted, stream FROM streams_v1 \
    WHERE stream >= max(?1 || char(0), ?2) ORDER BY stream";

/// The recorded state of one stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) version: Version,
    pub(super) time: RecordedTime,
    pub(super) position: Position,
    pub(super) hidden: Version,
    pub(super) deleted: bool,
}

/// The function that is called with each group: with the position of its last event, and its text.
type VisitGroup<'a> = &'a mut dyn FnMut(Position, &str) -> Result<ControlFlow<()>, StorageError>;

#[derive(Debug)]
pub(super) struct JournalTable<S> {
    table: Table<S>,
    /// The number of partitions with which the journal was begun, once it is known.
    begun_with: Cell<Option<u64>>,
}

impl<S: Sql> JournalTable<S> {
    pub(super) fn new(sql: S) -> Self {
        Self { table: Table::new(sql, &SCHEMA), begun_with: Cell::new(None) }
    }

    /// The number of partitions with which the journal was begun, if it was begun.
    pub(super) fn begun_with(&self) -> Result<Option<u64>, StorageError> {
        if self.begun_with.get().is_none() {
            self.begun_with.set(self.table.one(BEGUN_WITH, &[], |row| Ok(row.integer(0)))?);
        }
        Ok(self.begun_with.get())
    }

    pub(super) fn end(&self) -> Result<Position, StorageError> {
        self.table.one(END, &[], |row| Ok(row.integer(0).and_then(Position::new).unwrap_or_default()))
    }

    /// The entries of these streams. A stream that was never recorded has no entry.
    pub(super) fn entries<'a>(
        &self,
        streams: impl Iterator<Item = &'a str>,
    ) -> Result<Sorted<&'a str, Entry>, StorageError> {
        let mut known = Sorted::default();
        for stream in streams {
            known.insert(stream, Entry::default());
        }
        let all: Vec<&str> = known.iter().map(|(stream, _)| *stream).collect();
        for some in all.chunks(JOURNAL_STREAMS) {
            let names = json_strings(some.iter().copied());
            self.table.rows(ENTRIES, &[Value::Text(&names)], &mut |row| {
                if let Some(entry) = row.text(5).and_then(|stream| known.get_mut(stream)) {
                    *entry = entry_in(row)?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(known)
    }

    /// Writes groups and the entries of their streams in one act.
    pub(super) fn write(
        &self,
        groups: &[Group],
        entries: &[(&str, Entry)],
        partitions: usize,
    ) -> Result<(), StorageError> {
        self.table.create()?;
        let begin = self.begun_with()?.is_none();
        let partitions = Value::Integer(u64::try_from(partitions).unwrap_or(u64::MAX));
        let entries: Vec<String> = entries.chunks(JOURNAL_STREAMS).map(entries_text).collect();
        let sql = &self.table.sql;
        sql.transaction(&mut || {
            if begin {
                sql.execute(BEGIN, &[partitions])?;
            }
            for group in groups {
                let text = group.text();
                sql.execute(WRITE_GROUP, &[Value::Integer(group.end().get()), Value::Text(&text)])?;
            }
            entries.iter().try_for_each(|some| sql.execute(WRITE_ENTRIES, &[Value::Text(some)]))
        })
    }

    /// Calls `visit` with each row that contains an event after `after`: with the position of its last event, and its
    /// text.
    pub(super) fn scan(&self, after: Position, visit: VisitGroup<'_>) -> Result<(), StorageError> {
        self.table.rows(SCAN, &[Value::Integer(after.get())], &mut |row| match (
            row.integer(0).and_then(Position::new),
            row.text(1),
        ) {
            (Some(end), Some(text)) => visit(end, text),
            _ => Err(StorageError::corrupt(0, "a row of commits cannot be read")),
        })
    }

    /// The last hidden versions of these streams. If nothing was ever forgotten, this only looks at an empty index.
    pub(super) fn hidden<'a>(
        &self,
        streams: impl Iterator<Item = &'a str>,
    ) -> Result<Sorted<String, Version>, StorageError> {
        let mut found = Sorted::default();
        if !self.table.one(ANY_HIDDEN, &[], |_| Ok(true))? {
            return Ok(found);
        }
        let names = json_strings(streams);
        self.table.rows(HIDDEN, &[Value::Text(&names)], &mut |row| {
            let stream = row.text(0).unwrap_or_default().to_owned();
            found.insert(stream, row.integer(1).and_then(Version::new).unwrap_or_default());
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    pub(super) fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.table.rows(STREAMS, &[Value::Text(after), Value::Text(from)], &mut |row| {
            let Entry { version, time, deleted, .. } = entry_in(row)?;
            let stream = StreamId::new(row.text(5).unwrap_or_default())
                .map_err(|_| StorageError::corrupt(0, "the name of a stream is not valid"))?;
            Ok(visit(StreamEntry { stream, version, time, deleted }))
        })
    }
}

/// Reads a row of `version, time, position, hidden, deleted`.
fn entry_in(row: &dyn Row) -> Result<Entry, StorageError> {
    let number = |column| row.integer(column);
    let read = || {
        Some(Entry {
            version: Version::new(number(0)?)?,
            time: RecordedTime::from_millis(number(1)?),
            position: Position::new(number(2)?)?,
            hidden: Version::new(number(3)?)?,
            deleted: number(4)? == 1,
        })
    };
    read().ok_or_else(|| StorageError::corrupt(0, "the entry of a stream cannot be read"))
}

/// The entries as one JSON array, `[[stream, version, time, position, hidden, deleted], …]`.
fn entries_text(entries: &[(&str, Entry)]) -> String {
    let rows = entries.iter().map(|(stream, entry)| {
        let Entry { version, time, position, hidden, deleted } = entry;
        let (stream, time) = (json_string(stream), time.as_millis());
        format!("[{stream},{version},{time},{position},{hidden},{}]", u8::from(*deleted))
    });
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}
