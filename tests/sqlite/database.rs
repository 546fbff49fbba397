//! The core's SQL on a real SQLite, through rusqlite.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};
use sillok::store::sqlite::{Row, Sql, SqlFailure, StreamTable, Value};
use sillok::store::{
    Base, Commit, Direction, Head, IdempotencyKey, StorageError, StreamId, StreamLog, Version, Visit,
};

/// A database in memory, and the size that it claims to have. Clones share both.
#[derive(Clone)]
pub struct Database(pub Rc<Connection>, pub Rc<Cell<u64>>);

impl Database {
    pub fn in_memory() -> Self {
        Self(Rc::new(Connection::open_in_memory().unwrap()), Rc::default())
    }
}

fn failure(error: rusqlite::Error) -> SqlFailure {
    SqlFailure(error.to_string())
}

fn bound(values: &[Value<'_>]) -> Vec<Box<dyn ToSql>> {
    let bind = |value: &Value<'_>| -> Box<dyn ToSql> {
        match value {
            Value::Null => Box::new(rusqlite::types::Null),
            Value::Blob(bytes) => Box::new((*bytes).to_owned()),
            Value::Integer(number) => Box::new(i64::try_from(*number).unwrap()),
            Value::Text(text) => Box::new((*text).to_owned()),
        }
    };
    values.iter().map(bind).collect()
}

impl Sql for Database {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), SqlFailure> {
        let values = bound(values);
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        self.0.execute(statement, values.as_slice()).map(|_| ()).map_err(failure)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), SqlFailure> {
        let values = bound(values);
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let mut statement = self.0.prepare_cached(statement).map_err(failure)?;
        let mut rows = statement.query(values.as_slice()).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            if visit(&FoundRow(row)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), SqlFailure>) -> Result<(), SqlFailure> {
        let transaction = self.0.unchecked_transaction().map_err(failure)?;
        work()?;
        transaction.commit().map_err(failure)
    }

    fn size(&self) -> u64 {
        self.1.get()
    }
}

struct FoundRow<'a>(&'a rusqlite::Row<'a>);

impl Row for FoundRow<'_> {
    fn integer(&self, column: usize) -> Option<u64> {
        match self.0.get_ref(column) {
            Ok(ValueRef::Integer(number)) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    fn text(&self, column: usize) -> Option<&str> {
        self.0.get_ref(column).ok()?.as_str().ok()
    }

    fn blob(&self, column: usize) -> Option<&[u8]> {
        self.0.get_ref(column).ok()?.as_blob().ok()
    }
}

/// A database for each stream, as aggregates have them.
#[derive(Default)]
pub struct Databases(HashMap<StreamId, StreamTable<Database>>);

impl StreamLog for Databases {
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.0.get(stream).map_or_else(|| Ok(Head::default()), |table| table.head(stream))
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        self.0.get(stream).map_or_else(|| Ok(Base::default()), |table| table.base(stream))
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<(), StorageError> {
        self.table(stream).insert(stream, commit)
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        self.0.get(stream).map_or(Ok(()), |table| table.find(stream, key, visit))
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.0.get(stream).map_or(Ok(()), |table| table.scan(stream, start, direction, visit))
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.table(stream).forget(stream, base)
    }
}

impl Databases {
    fn table(&mut self, stream: &StreamId) -> &mut StreamTable<Database> {
        self.0.entry(stream.clone()).or_insert_with(|| StreamTable::new(Database::in_memory()))
    }
}
