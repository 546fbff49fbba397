//! One stream in one table: what an aggregate's own database holds.

use std::cell::Cell;
use std::ops::ControlFlow;

use super::super::commit::Commit;
use super::super::event::RecordedTime;
use super::super::log::{Head, Span, StorageError, StreamLog, Visit};
use super::super::range::Direction;
use super::super::stream_id::StreamId;
use super::super::version::Version;
use super::content;
use super::port::{Row, Sql, Value};

// The table's name carries the version of the stored format, so that knowing it costs no row of its own.
// An `INTEGER PRIMARY KEY` is the table's own key: a commit is one row written, with no index beside it.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS commits_v1 (\
    version INTEGER PRIMARY KEY, time INTEGER NOT NULL, events TEXT NOT NULL) STRICT";
const EXISTS: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'commits_v1'";
const HEAD: &str = "SELECT version, time FROM commits_v1 ORDER BY version DESC LIMIT 1";
const INSERT: &str = "INSERT INTO commits_v1 (version, time, events) VALUES (?1, ?2, ?3)";
const FORWARD: &str = "SELECT version, time, events FROM commits_v1 WHERE version >= ?1 ORDER BY version";
const BACKWARD: &str = "SELECT version, time, events FROM commits_v1 \
    WHERE version <= (SELECT min(version) FROM commits_v1 WHERE version >= ?1) ORDER BY version DESC";

/// Keeps one stream in a database of its own, one row a commit.
///
/// The table comes into being with the first commit: to read a stream that was never written leaves no
/// trace. It takes any [`StreamId`] for the one stream that it holds.
#[derive(Debug)]
pub struct StreamTable<S> {
    sql: S,
    exists: Cell<bool>,
}

impl<S: Sql> StreamTable<S> {
    /// The stream that `sql` holds.
    pub fn new(sql: S) -> Self {
        Self { sql, exists: Cell::new(false) }
    }

    fn exists(&self) -> Result<bool, StorageError> {
        if !self.exists.get() {
            self.sql.query(EXISTS, &[], &mut |_| {
                self.exists.set(true);
                ControlFlow::Break(())
            })?;
        }
        Ok(self.exists.get())
    }
}

impl<S: Sql> StreamLog for StreamTable<S> {
    fn head(&self, _: &StreamId) -> Result<Head, StorageError> {
        if !self.exists()? {
            return Ok(Head::default());
        }
        let mut head = Ok(Head::default());
        self.sql.query(HEAD, &[], &mut |row| {
            head = read_head(row);
            ControlFlow::Break(())
        })?;
        head
    }

    fn insert(&mut self, _: &StreamId, commit: Commit) -> Result<(), StorageError> {
        if !self.exists()? {
            // Left behind alone, by a crash before the next statement, an empty table is an empty stream.
            self.sql.execute(CREATE, &[])?;
            self.exists.set(true);
        }
        let events = content::encode(commit.events());
        let (version, time) = (commit.version().get(), commit.time().as_millis());
        // One statement is the atomic act; the primary key refuses a version that is already there.
        self.sql.execute(INSERT, &[Value::Integer(version), Value::Integer(time), Value::Text(&events)])?;
        Ok(())
    }

    fn scan(
        &self,
        _: &StreamId,
        span: Span,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        if !self.exists()? {
            return Ok(());
        }
        let (statement, start) = match direction {
            Direction::Forward => (FORWARD, span.from),
            Direction::Backward => (BACKWARD, span.to),
        };
        let mut outcome = Ok(());
        self.sql.query(statement, &[Value::Integer(start.get())], &mut |row| match visit_row(
            row, span, direction, visit,
        ) {
            Ok(flow) => flow,
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        })?;
        outcome
    }
}

fn read_head(row: &dyn Row) -> Result<Head, StorageError> {
    let (version, time) = read_place(row)?;
    Ok(Head { version, time })
}

fn read_place(row: &dyn Row) -> Result<(Version, RecordedTime), StorageError> {
    let number = row.integer(0).ok_or_else(|| corrupt(0, "its version is not a whole number"))?;
    let version = Version::new(number).ok_or_else(|| corrupt(number, "its version is out of range"))?;
    let time = row.integer(1).ok_or_else(|| corrupt(number, "its time is not a whole number"))?;
    Ok((version, RecordedTime::from_millis(time)))
}

fn visit_row(
    row: &dyn Row,
    span: Span,
    direction: Direction,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, StorageError> {
    let (version, time) = read_place(row)?;
    let text = row.text(2).ok_or_else(|| corrupt(version.get(), "its events are not text"))?;
    let events = content::decode(text, version.get())?;
    let before = version.before(events.len()).filter(|_| !events.is_empty());
    let first = before.and_then(|before| before.after(1));
    let first = first.ok_or_else(|| corrupt(version.get(), "it has no events or too many"))?;
    if first > span.to || version < span.from {
        return Ok(ControlFlow::Break(()));
    }
    Ok(span.visit(direction, first, &events, |version, event| event.view(version, time), visit))
}

fn corrupt(version: u64, reason: &str) -> StorageError {
    StorageError::Corrupt { version, reason: reason.to_owned() }
}
