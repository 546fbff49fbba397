//! The core's SQL port over a database of JavaScript.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use js_sys::{Array, Error};
use sillok::store::StorageError;
use sillok::store::sqlite::{Row, Sql, Value};
use sillok_bridge::{SqlRow, sql_values};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// The database in `js/ts/sqlite/database.ts`. Its exceptions are caught here, and become a [`StorageError`].
    #[derive(Debug)]
    pub type Database;

    /// Whether the file was opened read-only.
    #[wasm_bindgen(method, getter, js_name = isReadOnly)]
    fn is_read_only(this: &Database) -> bool;

    #[wasm_bindgen(method, catch)]
    fn prepare(this: &Database, statement: &str) -> Result<Prepared, JsValue>;

    /// A statement of that database.
    #[derive(Debug)]
    type Prepared;

    /// Runs the statement. Returns the number of the last inserted row, or 0 if the statement changed no row.
    #[wasm_bindgen(method, catch)]
    fn run(this: &Prepared, values: &Array) -> Result<f64, JsValue>;

    /// Calls `visit` with each row, an array of its columns, until `visit` returns false.
    #[wasm_bindgen(method, catch)]
    fn rows(this: &Prepared, values: &Array, visit: &mut dyn FnMut(Array) -> bool) -> Result<(), JsValue>;

    /// An error of the database.
    #[derive(Debug)]
    type DatabaseError;

    /// SQLite's extended result code, if the error is SQLite's.
    #[wasm_bindgen(method, getter)]
    fn errcode(this: &DatabaseError) -> Option<u32>;
}

const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";
const BEGIN_TO_READ: &str = "BEGIN";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// SQLite's result code for a lock of another connection. The lower byte is this result. The upper bytes have details.
const BUSY: u32 = 5;
const LOCKED_OUT: u32 = 15;
/// The result code for a connection that read before another one wrote, and now wants to write. It must begin again: waiting
/// does not help.
const BUSY_SNAPSHOT: u32 = 517;

/// A SQLite file. Clones share the connection and its prepared statements.
#[derive(Debug, Clone)]
pub(crate) struct FileSql {
    connection: Rc<Connection>,
}

#[derive(Debug)]
struct Connection {
    database: Database,
    is_read_only: bool,
    statements: RefCell<Vec<(&'static str, Rc<Prepared>)>>,
    open: Cell<Open>,
}

/// The state of the connection's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    Reading,
    /// The lock to write was taken for the next transaction.
    Ahead,
    Writing,
}

impl FileSql {
    pub(crate) fn new(database: Database) -> Self {
        let (is_read_only, statements) = (database.is_read_only(), RefCell::default());
        Self {
            connection: Rc::new(Connection {
                database,
                is_read_only,
                statements,
                open: Cell::new(Open::None),
            }),
        }
    }

    /// Begins a read. Up to [`end_to_read`](Self::end_to_read), all statements see one moment, even if other processes write.
    /// Returns whether the caller must end the read: within a transaction, all reads already see its moment.
    pub(crate) fn begin_to_read(&self) -> Result<bool, StorageError> {
        if self.connection.open.get() != Open::None {
            return Ok(false);
        }
        self.begin(BEGIN_TO_READ, Open::Reading)?;
        Ok(true)
    }

    /// Ends the read that [`begin_to_read`](Self::begin_to_read) began.
    pub(crate) fn end_to_read(&self) -> Result<(), StorageError> {
        self.end(COMMIT)
    }

    /// Takes the lock to write for the one transaction that `work` may make. If another connection has the lock, `work` does
    /// not begin.
    pub(crate) fn ahead<T, E: From<StorageError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin(BEGIN_TO_WRITE, Open::Ahead)?;
        let outcome = work();
        if self.connection.open.get() == Open::Ahead {
            self.end(ROLLBACK)?;
        }
        outcome
    }

    fn begin(&self, statement: &'static str, open: Open) -> Result<(), StorageError> {
        self.run(statement, &[])?;
        self.connection.open.set(open);
        Ok(())
    }

    /// Refuses to write if the file was opened read-only. SQLite itself would begin, and refuse later.
    fn writable(&self) -> Result<(), StorageError> {
        if self.connection.is_read_only { Err(StorageError::read_only()) } else { Ok(()) }
    }

    /// Prepares each statement once. The address of its text identifies a statement, because the text is static.
    fn statement(&self, text: &'static str) -> Result<Rc<Prepared>, StorageError> {
        let Connection { database, statements, .. } = &*self.connection;
        let known = statements.borrow().iter().find(|(known, _)| std::ptr::eq(*known, text)).cloned();
        if let Some((_, statement)) = known {
            return Ok(statement);
        }
        let statement = Rc::new(database.prepare(text).map_err(|error| failure(&error))?);
        statements.borrow_mut().push((text, Rc::clone(&statement)));
        Ok(statement)
    }

    fn run(&self, statement: &'static str, values: &[Value<'_>]) -> Result<f64, StorageError> {
        self.statement(statement)?.run(&sql_values(values)).map_err(|error| failure(&error))
    }

    /// Ends a transaction. If it cannot be committed, it is rolled back, so that the next one can begin.
    fn end(&self, statement: &'static str) -> Result<(), StorageError> {
        self.connection.open.set(Open::None);
        let ended = self.run(statement, &[]).inspect_err(|_| {
            // SQLite may already have rolled back.
            let _ = self.run(ROLLBACK, &[]);
        });
        ended.map(|_| ())
    }
}

impl Sql for FileSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.writable()?;
        self.run(statement, values).map(|_| ())
    }

    fn insert(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Option<u64>, StorageError> {
        self.writable()?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a position, from 1 to 2^53 - 1
        let row = self.run(statement, values)? as u64;
        Ok(if row == 0 { None } else { Some(row) })
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut visit = |columns: Array| visit(&SqlRow::from(columns)).is_continue();
        self.statement(statement)?.rows(&sql_values(values), &mut visit).map_err(|error| failure(&error))
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let begun = self.begin_to_read()?;
        let outcome = work();
        let ended = if begun { self.end_to_read() } else { Ok(()) };
        outcome.and(ended)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.writable()?;
        if self.connection.open.get() == Open::Ahead {
            self.connection.open.set(Open::Writing);
        } else {
            self.begin(BEGIN_TO_WRITE, Open::Writing)?;
        }
        let outcome = work();
        let ended = self.end(if outcome.is_ok() { COMMIT } else { ROLLBACK });
        outcome.and(ended)
    }

    /// Only the disk limits a file.
    fn size(&self) -> u64 {
        0
    }
}

/// The error of the database.
fn failure(error: &JsValue) -> StorageError {
    let Some(thrown) = error.dyn_ref::<Error>() else {
        return StorageError::failed("the database threw a value that is not an error");
    };
    match error.unchecked_ref::<DatabaseError>().errcode() {
        Some(code) if code != BUSY_SNAPSHOT && [BUSY, LOCKED_OUT].contains(&(code & 0xff)) => {
            StorageError::busy()
        }
        _ => StorageError::failed(String::from(thrown.message())),
    }
}
