//! The core's SQL on a real SQLite, through rusqlite.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, ToSql, Transaction, TransactionBehavior};
use sillok::store::StorageError;
use sillok::store::limits::ROW_BYTES;
use sillok::store::sqlite::{Row, Sql, Value};

/// A connection to a database, and the size that it reports. Clones share both.
#[derive(Clone)]
pub struct Database(pub Rc<Connection>, pub Rc<Cell<u64>>, #[allow(dead_code)] Rc<Folder>);

/// A folder that is removed at the end, or none.
#[derive(Default)]
struct Folder(Option<PathBuf>);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

impl Database {
    pub fn in_memory() -> Self {
        Self::on(Connection::open_in_memory().unwrap(), Rc::default())
    }

    /// Two connections to one new file. Neither waits for the other.
    #[allow(dead_code)] // not every test that has this file needs two
    pub fn shared() -> (Self, Self) {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("sillok-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let folder = Rc::new(Folder(Some(std::env::temp_dir().join(name))));
        let path = folder.0.as_ref().unwrap();
        std::fs::create_dir(path).unwrap();
        let open = || {
            let connection = Connection::open(path.join("shared.db")).unwrap();
            connection.busy_timeout(Duration::ZERO).unwrap();
            connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            Self::on(connection, Rc::clone(&folder))
        };
        (open(), open())
    }

    fn on(connection: Connection, folder: Rc<Folder>) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        Self(Rc::new(connection), Rc::default(), folder)
    }

    /// Runs `work` within a transaction that begins with this statement.
    pub fn within(
        &self,
        behaviour: TransactionBehavior,
        work: &mut dyn FnMut() -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let transaction = Transaction::new_unchecked(&self.0, behaviour).map_err(failure)?;
        work()?;
        transaction.commit().map_err(failure)
    }
}

const BUSY_SNAPSHOT: i32 = 517;

fn failure(error: rusqlite::Error) -> StorageError {
    // A transaction that has read before another one wrote cannot write now. This is not a lock that it could wait for.
    let is_late = error.sqlite_error().is_some_and(|error| error.extended_code == BUSY_SNAPSHOT);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) if !is_late => StorageError::busy(),
        _ => StorageError::failed(error.to_string()),
    }
}

/// The values in the form of rusqlite. They are refused above the size of a row, as in a Durable Object.
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
        self.within(TransactionBehavior::Immediate, work)
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        if self.0.is_autocommit() { self.within(TransactionBehavior::Deferred, work) } else { work() }
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
