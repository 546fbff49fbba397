//! Counts what a page looks at: the commits and names that a log returns, and the rows that a database returns.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use serde_json::value::RawValue;
use sillok::store::limits::{PAGE_BYTES, PAGE_LOOKED_AT};
use sillok::store::sqlite::{Row, Sql, Value};
use sillok::store::{
    Base, Commit, Direction, FeedLog, Head, IdempotencyKey, Position, StorageError, StreamDirectory,
    StreamEntry, StreamId, StreamLog, Version, Visit, VisitFeed,
};

use crate::database::Database;

/// The largest row: a group of the journal, or a commit.
const LARGEST_ROW: usize = 2 * 1024 * 1024;

/// A log that counts what it returns: the number of events or names, and the bytes each time.
#[derive(Default)]
pub struct Looked<L> {
    pub log: L,
    noted: RefCell<Vec<(usize, usize)>>,
    rows: Rows,
}

/// The number of rows that a database has returned, and the bytes of their text.
pub type Rows = Rc<Cell<(usize, usize)>>;

impl<L> Looked<L> {
    /// Counts what `log` returns, and the rows of the database below it, if there is one.
    pub fn at(log: L, rows: Rows) -> Self {
        Self { log, noted: RefCell::default(), rows }
    }

    /// Resets the counts.
    pub fn begin(&self) {
        self.noted.take();
        self.rows.take();
    }

    /// Asserts that everything since the last call is within one page budget: without its last commit, the page had
    /// room left.
    pub fn page_is_bounded(&self, what: &str) {
        self.page_is_bounded_behind(0, what);
    }

    /// Asserts the same for a page that looks at `commits` commits first.
    pub fn page_is_bounded_behind(&self, commits: usize, what: &str) {
        let mut noted = self.noted.take();
        noted.drain(..commits.min(noted.len()));
        noted.pop();
        let (count, bytes) =
            noted.iter().fold((0, 0), |(count, bytes), (more, large)| (count + more, bytes + large));
        assert!(count < PAGE_LOOKED_AT, "{what}: {count} were looked at, and one commit more");
        assert!(bytes < PAGE_BYTES, "{what}: {bytes} bytes were looked at, and one commit more");
        let (rows, bytes) = self.rows.take();
        assert!(rows < 3 * PAGE_LOOKED_AT + 100, "{what}: {rows} rows were read");
        assert!(bytes < PAGE_BYTES + 2 * LARGEST_ROW, "{what}: {bytes} bytes of rows were read");
    }

    fn note(&self, count: usize, bytes: usize) {
        self.noted.borrow_mut().push((count, bytes));
    }
}

impl<L: StreamLog> StreamLog for Looked<L> {
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.log.head(stream)
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        self.log.base(stream)
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        self.log.insert(stream, commit)
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        self.log.find(stream, key, visit)
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.log.scan(stream, start, direction, &mut |commit| {
            let events: Vec<&RawValue> = serde_json::from_str(commit.events).unwrap();
            self.note(events.len(), commit.events.len());
            visit(commit)
        })
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.log.forget(stream, base)
    }
}

impl<L: FeedLog> FeedLog for Looked<L> {
    fn end(&self) -> Result<Position, StorageError> {
        self.log.end()
    }

    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError> {
        self.log.scan_feed(after, &mut |commit| {
            self.note(1, commit.commit.map_or(0, |commit| commit.events.len()));
            visit(commit)
        })
    }
}

impl<L: StreamDirectory> StreamDirectory for Looked<L> {
    fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.log.scan_streams(after, from, &mut |entry| {
            self.note(1, entry.stream.as_str().len());
            visit(entry)
        })
    }
}

/// A database that counts the rows that it returns.
#[derive(Clone)]
pub struct CountedSql {
    sql: Database,
    rows: Rows,
}

impl CountedSql {
    pub fn new(rows: &Rows) -> Self {
        Self { sql: Database::in_memory(), rows: Rc::clone(rows) }
    }
}

impl Sql for CountedSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.sql.execute(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.sql.query(statement, values, &mut |row| {
            let bytes: usize = (0..8).filter_map(|column| row.text(column)).map(str::len).sum();
            let (rows, all) = self.rows.get();
            self.rows.set((rows + 1, all + bytes));
            visit(row)
        })
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.sql.transaction(work)
    }

    fn size(&self) -> u64 {
        0
    }
}
