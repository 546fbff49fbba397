//! The core's SQL on a real SQLite, through rusqlite.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};
use sillok::store::StorageError;
use sillok::store::limits::ROW_BYTES;
use sillok::store::sqlite::{Row, Sql, Value};

/// A database in memory, and the size that it claims to have. Clones share both.
#[derive(Clone)]
pub struct Database(pub Rc<Connection>, pub Rc<Cell<u64>>);

impl Database {
    pub fn in_memory() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.set_prepared_statement_cache_capacity(64);
        Self(Rc::new(connection), Rc::default())
    }
}

fn failure(error: rusqlite::Error) -> StorageError {
    StorageError::failed(error.to_string())
}

/// The values as rusqlite takes them. As a Durable Object does, it refuses what is more than a row takes.
fn bound(values: &[Value<'_>]) -> Result<Vec<Box<dyn ToSql>>, StorageError> {
    let bytes = Value::bytes(values);
    if bytes > ROW_BYTES {
        return Err(StorageError::failed(format!("{bytes} bytes are more than a row takes")));
    }
    let bind = |value: &Value<'_>| -> Box<dyn ToSql> {
        match value {
            Value::Null => Box::new(rusqlite::types::Null),
            Value::Blob(bytes) => Box::new((*bytes).to_owned()),
            Value::Integer(number) => Box::new(i64::try_from(*number).unwrap()),
            Value::Text(text) => Box::new((*text).to_owned()),
        }
    };
    Ok(values.iter().map(bind).collect())
}

impl Sql for Database {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        let values = bound(values)?;
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let mut statement = self.0.prepare_cached(statement).map_err(failure)?;
        statement.execute(values.as_slice()).map(|_| ()).map_err(failure)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let values = bound(values)?;
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

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
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
