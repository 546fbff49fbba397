//! The core's SQL port over a database that JavaScript holds.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use js_sys::{Array, Error, JsString, Uint8Array};
use sillok::store::sqlite::{Row, Sql, SqlFailure, Value};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// A database as `js/ts/database.ts` has it. Whatever it throws is caught here and becomes a [`SqlFailure`].
    #[derive(Debug)]
    pub type Database;

    #[wasm_bindgen(method, catch)]
    fn prepare(this: &Database, statement: &str) -> Result<Prepared, JsValue>;

    /// A statement of that database.
    #[derive(Debug)]
    type Prepared;

    #[wasm_bindgen(method, catch)]
    fn run(this: &Prepared, values: &Array) -> Result<(), JsValue>;

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

    /// Runs `work` so that everything it reads is of one moment, whatever other processes write meanwhile.
    pub(crate) fn at_one_moment<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
        failed: impl Fn(SqlFailure) -> E,
    ) -> Result<T, E> {
        self.run(BEGIN_TO_READ, &[]).map_err(&failed)?;
        let found = work();
        let ended = self.end(COMMIT).map_err(&failed);
        found.and_then(|found| ended.map(|()| found))
    }

    /// Prepares each statement once. A statement is known by where its text lies, for it lies there for ever.
    fn statement(&self, text: &'static str) -> Result<Rc<Prepared>, SqlFailure> {
        let Connection { database, statements } = &*self.connection;
        let known = statements.borrow().iter().find(|(known, _)| std::ptr::eq(*known, text)).cloned();
        if let Some((_, statement)) = known {
            return Ok(statement);
        }
        let statement = Rc::new(database.prepare(text).map_err(|error| failure(&error))?);
        statements.borrow_mut().push((text, Rc::clone(&statement)));
        Ok(statement)
    }

    fn run(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), SqlFailure> {
        self.statement(statement)?.run(&bound(values)).map_err(|error| failure(&error))
    }

    /// Ends a transaction. One that cannot be committed is rolled back, so that the next can begin.
    fn end(&self, statement: &'static str) -> Result<(), SqlFailure> {
        self.run(statement, &[]).inspect_err(|_| {
            // SQLite may have rolled back already, and then there is nothing left to roll back.
            let _ = self.run(ROLLBACK, &[]);
        })
    }
}

impl Sql for FileSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), SqlFailure> {
        self.run(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), SqlFailure> {
        let mut visit = |columns: Array| visit(&FoundRow::from(&columns)).is_continue();
        self.statement(statement)?.rows(&bound(values), &mut visit).map_err(|error| failure(&error))
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), SqlFailure>) -> Result<(), SqlFailure> {
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

/// A row, copied: what JavaScript holds cannot be borrowed.
struct FoundRow(Vec<Column>);

enum Column {
    Integer(u64),
    Text(String),
    Blob(Vec<u8>),
    Other,
}

impl From<&Array> for FoundRow {
    fn from(columns: &Array) -> Self {
        Self(columns.iter().map(Column::from).collect())
    }
}

impl From<JsValue> for Column {
    fn from(value: JsValue) -> Self {
        if let Some(number) = value.as_f64() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked in the same line
            return if number >= 0.0 { Self::Integer(number as u64) } else { Self::Other };
        }
        if let Some(text) = value.dyn_ref::<JsString>() {
            return Self::Text(String::from(text));
        }
        value.dyn_ref::<Uint8Array>().map_or(Self::Other, |bytes| Self::Blob(bytes.to_vec()))
    }
}

impl Row for FoundRow {
    fn integer(&self, column: usize) -> Option<u64> {
        match self.0.get(column)? {
            Column::Integer(number) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, column: usize) -> Option<&str> {
        match self.0.get(column)? {
            Column::Text(text) => Some(text),
            _ => None,
        }
    }

    fn blob(&self, column: usize) -> Option<&[u8]> {
        match self.0.get(column)? {
            Column::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The values as JavaScript's. Whole numbers are bound as REAL, and SQLite makes them whole again in the columns that
/// they are stored in and compared with, without loss up to 2^53 - 1.
fn bound(values: &[Value<'_>]) -> Array {
    let bind = |value: &Value<'_>| match *value {
        Value::Null => JsValue::NULL,
        #[allow(clippy::cast_precision_loss)] // at most 2^53 - 1
        Value::Integer(number) => JsValue::from_f64(number as f64),
        Value::Text(text) => JsValue::from_str(text),
        Value::Blob(bytes) => Uint8Array::from(bytes).into(),
    };
    values.iter().map(bind).collect()
}

/// What the database said.
fn failure(error: &JsValue) -> SqlFailure {
    let message = error.dyn_ref::<Error>().map(|error| String::from(error.message()));
    SqlFailure(message.unwrap_or_else(|| "it threw what is no error".to_owned()))
}
