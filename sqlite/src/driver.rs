//! The core's port to SQL, over rusqlite.

use std::ops::ControlFlow;
use std::rc::Rc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, Transaction, TransactionBehavior, params_from_iter};
use sillok::store::StorageError;
use sillok::store::sqlite::{Row, Sql, Value};

/// The most prepared statements in memory. The core has fewer.
const STATEMENTS: usize = 128;

/// The result code for a transaction that read before another connection wrote, and now wants to write. A wait does not help.
const BUSY_SNAPSHOT: i32 = 517;

/// A database. Clones share the connection and its prepared statements.
#[derive(Debug, Clone)]
pub(crate) struct FileSql {
    connection: Rc<Connection>,
    is_read_only: bool,
}

impl FileSql {
    pub(crate) fn new(connection: Connection, is_read_only: bool) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Self { connection: Rc::new(connection), is_read_only }
    }

    /// Refuses to write if the file was opened read-only. SQLite itself would begin, and refuse later.
    fn writable(&self) -> Result<(), StorageError> {
        if self.is_read_only { Err(StorageError::read_only()) } else { Ok(()) }
    }

    fn run(&self, statement: &'static str, values: &[Value<'_>]) -> Result<usize, StorageError> {
        self.writable()?;
        let mut statement = self.connection.prepare_cached(statement).map_err(|error| failure(&error))?;
        statement.execute(params_from_iter(values.iter().map(Bound))).map_err(|error| failure(&error))
    }

    fn within(
        &self,
        behaviour: TransactionBehavior,
        work: &mut dyn FnMut() -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        // If `work` fails, the transaction is dropped, and so rolled back.
        let begun = Transaction::new_unchecked(&self.connection, behaviour);
        let transaction = begun.map_err(|error| failure(&error))?;
        work()?;
        transaction.commit().map_err(|error| failure(&error))
    }
}

impl Sql for FileSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.run(statement, values).map(|_| ())
    }

    fn insert(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Option<u64>, StorageError> {
        let inserted = self.run(statement, values)? > 0;
        let row = || u64::try_from(self.connection.last_insert_rowid()).ok();
        Ok(if inserted { row() } else { None })
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut statement = self.connection.prepare_cached(statement).map_err(|error| failure(&error))?;
        let found = statement.query(params_from_iter(values.iter().map(Bound)));
        let mut rows = found.map_err(|error| failure(&error))?;
        while let Some(row) = rows.next().map_err(|error| failure(&error))? {
            if visit(&FoundRow(row)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        if !self.connection.is_autocommit() {
            return work();
        }
        self.within(TransactionBehavior::Deferred, work)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.writable()?;
        self.within(TransactionBehavior::Immediate, work)
    }

    /// Only the disk limits a file.
    fn size(&self) -> u64 {
        0
    }
}

/// A value in the form of rusqlite, borrowed.
struct Bound<'a>(&'a Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            // At most 2^53 - 1.
            Value::Integer(number) => ValueRef::Integer(i64::try_from(*number).unwrap_or(i64::MAX)),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
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

/// The error of the database.
pub(crate) fn failure(error: &rusqlite::Error) -> StorageError {
    let is_late = error.sqlite_error().is_some_and(|error| error.extended_code == BUSY_SNAPSHOT);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed) if !is_late => {
            StorageError::busy()
        }
        Some(ErrorCode::ReadOnly) => StorageError::read_only(),
        _ => StorageError::failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sillok::store::EventStore;
    use sillok::store::sqlite::StreamsTable;
    use tempfile::TempDir;

    use super::*;

    type Store = EventStore<StreamsTable<FileSql>>;

    fn on(connection: Connection) -> Store {
        EventStore::new(StreamsTable::new(FileSql::new(connection, false)))
    }

    fn in_memory() -> Store {
        on(Connection::open_in_memory().unwrap())
    }

    thread_local! {
        /// The folder of this thread's test. It is removed when the thread ends.
        static FOLDER: TempDir = tempfile::tempdir().unwrap();
    }

    /// Two stores on one new file. Neither waits for the other.
    fn shared() -> (Store, Store) {
        let path = FOLDER.with(|folder| folder.path().join("shared.db"));
        let open = || {
            let connection = Connection::open(&path).unwrap();
            connection.busy_timeout(Duration::ZERO).unwrap();
            connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            on(connection)
        };
        (open(), open())
    }

    sillok::store_contract!(#[test], in_memory());
    sillok::feed_contract!(#[test], in_memory());
    sillok::decision_contract!(#[test], in_memory());
    sillok::pending_contract!(#[test], in_memory());
    sillok::shared_contract!(#[test], shared());
}
