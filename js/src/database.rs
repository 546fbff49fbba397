//! The core's SQL port over a database that JavaScript holds.

use std::cell::RefCell;
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
    /// A database as `js/ts/database.ts` has it. Whatever it throws is caught here and becomes a [`StorageError`].
    #[derive(Debug)]
    pub type Database;

    #[wasm_bindgen(method, catch)]
    fn prepare(this: &Database, statement: &str) -> Result<Prepared, JsValue>;

    /// A statement of that database.
    #[derive(Debug)]
    type Prepared;

    /// Runs it, and tells whether it changed a row.
    #[wasm_bindgen(method, catch)]
    fn run(this: &Prepared, values: &Array) -> Result<bool, JsValue>;

    /// Calls `visit` with each row, an array of its columns, for as long as it returns true.
    #[wasm_bindgen(method, catch)]
    fn rows(this: &Prepared, values: &Array, visit: &mut dyn FnMut(Array) -> bool) -> Result<(), JsValue>;
}

const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";
const BEGIN_TO_READ: &str = "BEGIN";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// A SQLite file. Clones share the connection, and the statements that were prepared on it.
#[derive(Debug, Clone)]
pub(crate) struct FileSql {
    connection: Rc<Connection>,
}

#[derive(Debug)]
struct Connection {
    database: Database,
    statements: RefCell<Vec<(&'static str, Rc<Prepared>)>>,
}

impl FileSql {
    pub(crate) fn new(database: Database) -> Self {
        Self { connection: Rc::new(Connection { database, statements: RefCell::default() }) }
    }

    /// Begins to read: everything until [`end_to_read`](Self::end_to_read) is of one moment, whatever other processes
    /// write meanwhile.
    pub(crate) fn begin_to_read(&self) -> Result<(), StorageError> {
        self.run(BEGIN_TO_READ, &[]).map(|_| ())
    }

    /// Ends what [`begin_to_read`](Self::begin_to_read) began.
    pub(crate) fn end_to_read(&self) -> Result<(), StorageError> {
        self.end(COMMIT)
    }

    /// Prepares each statement once. A statement is known by where its text lies, for it lies there for ever.
    fn statement(&self, text: &'static str) -> Result<Rc<Prepared>, StorageError> {
        let Connection { database, statements } = &*self.connection;
        let known = statements.borrow().iter().find(|(known, _)| std::ptr::eq(*known, text)).cloned();
        if let Some((_, statement)) = known {
            return Ok(statement);
        }
        let statement = Rc::new(database.prepare(text).map_err(|error| failure(&error))?);
        statements.borrow_mut().push((text, Rc::clone(&statement)));
        Ok(statement)
    }

    fn run(&self, statement: &'static str, values: &[Value<'_>]) -> Result<bool, StorageError> {
        self.statement(statement)?.run(&sql_values(values)).map_err(|error| failure(&error))
    }

    /// Ends a transaction. One that cannot be committed is rolled back, so that the next can begin.
    fn end(&self, statement: &'static str) -> Result<(), StorageError> {
        let ended = self.run(statement, &[]).inspect_err(|_| {
            // SQLite may have rolled back already, and then there is nothing left to roll back.
            let _ = self.run(ROLLBACK, &[]);
        });
        ended.map(|_| ())
    }
}

impl Sql for FileSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.run(statement, values).map(|_| ())
    }

    fn insert(&self, statement: &'static str, values: &[Value<'_>]) -> Result<bool, StorageError> {
        self.run(statement, values)
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

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.run(BEGIN_TO_WRITE, &[])?;
        let outcome = work();
        let ended = self.end(if outcome.is_ok() { COMMIT } else { ROLLBACK });
        outcome.and(ended)
    }

    /// A file has no limit but the disk's.
    fn size(&self) -> u64 {
        0
    }
}

/// What the database said.
fn failure(error: &JsValue) -> StorageError {
    let message = error.dyn_ref::<Error>().map(|error| String::from(error.message()));
    StorageError::failed(message.unwrap_or_else(|| "it threw what is no error".to_owned()))
}
