//! The core's SQL port over the storage of a Durable Object.

use std::ops::ControlFlow;
use std::rc::Rc;

use js_sys::{Array, Iterator};
use sillok::store::StorageError;
use sillok::store::limits::ROW_BYTES;
use sillok::store::sqlite::{Row, Sql, Value};
use sillok_bridge::{SqlRow, sql_values};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use worker::Storage;

use super::receipt::Meter;

/// The SQLite database of one Durable Object.
///
/// Each statement is atomic by itself. A statement that fails throws out of `exec` and has changed nothing.
#[derive(Debug, Clone)]
pub(crate) struct ObjectSql {
    storage: ObjectStorage,
    sql: Statements,
    meter: Rc<Meter>,
}

#[wasm_bindgen]
extern "C" {
    /// An object's storage. The `worker` crate binds it too, but not all of it, and rows as values of its own.
    #[derive(Debug, Clone)]
    type ObjectStorage;
    #[derive(Debug, Clone)]
    type Statements;
    /// The result of a statement on its way.
    pub(super) type Cursor;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &ObjectStorage,
        work: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &ObjectStorage) -> Statements;
    #[wasm_bindgen(method, getter, js_name = databaseSize)]
    fn database_size(this: &Statements) -> f64;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &Statements, statement: &str, values: &Array) -> Result<Cursor, JsValue>;
    #[wasm_bindgen(method)]
    fn raw(this: &Cursor) -> Iterator;
    #[wasm_bindgen(method, getter, js_name = rowsRead)]
    pub(super) fn rows_read(this: &Cursor) -> f64;
    #[wasm_bindgen(method, getter, js_name = rowsWritten)]
    pub(super) fn rows_written(this: &Cursor) -> f64;
}

impl ObjectSql {
    /// The database of an object's storage. What its statements cost is added up in `meter`.
    pub(crate) fn new(storage: &Storage, meter: Rc<Meter>) -> Self {
        let storage: JsValue = AsRef::<JsValue>::as_ref(storage.as_raw()).clone();
        let storage: ObjectStorage = storage.unchecked_into();
        Self { sql: storage.sql(), storage, meter }
    }

    fn exec(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Cursor, StorageError> {
        // The platform refuses them; where it is run elsewhere, it may take them.
        let bytes = Value::bytes(values);
        if bytes > ROW_BYTES {
            return Err(StorageError::failed(format!(
                "the values of a row are {bytes} bytes long; the most is {ROW_BYTES}"
            )));
        }
        self.sql.exec(statement, &sql_values(values)).map_err(|error| failure(&error))
    }
}

impl Sql for ObjectSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        // Without rows to deliver the statement has run to its end inside `exec`, and its cursor is closed.
        self.exec(statement, values).map(|cursor| self.meter.add(&cursor))
    }

    fn define(&self, statement: &'static str) -> Result<(), StorageError> {
        self.exec(statement, &[]).map(|cursor| self.meter.add_schema(&cursor))
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let cursor = self.exec(statement, values)?;
        let outcome = walk(&cursor, visit);
        // A cursor counts as it goes: only now is it known what the query has cost.
        self.meter.add(&cursor);
        outcome
    }

    /// The runtime's `transactionSync`: what the callback writes is rolled back when it throws.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let mut outcome = Ok(());
        let ran = self.storage.transaction_sync(&mut || {
            outcome = work();
            outcome.clone().map_err(|error| JsValue::from_str(error.code().as_str()))
        });
        outcome.and(ran.map_err(|error| StorageError::failed(format!("{error:?}"))))
    }

    fn size(&self) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a number of bytes
        let bytes = self.sql.database_size() as u64;
        bytes
    }
}

fn walk(cursor: &Cursor, visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>) -> Result<(), StorageError> {
    let rows = cursor.raw();
    let next = || {
        let next = rows.next().map_err(|error| failure(&error))?;
        Ok((!next.done()).then(|| SqlRow::from(next.value().unchecked_into::<Array>())))
    };
    while let Some(row) = next()? {
        if visit(&row).is_break() {
            // One step further closes the cursor where this row was the last one, as it is with the head: the
            // runtime reuses a prepared statement only once its cursor is closed.
            let _ = rows.next();
            break;
        }
    }
    Ok(())
}

/// What the runtime said.
fn failure(error: &JsValue) -> StorageError {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    StorageError::failed(
        message.unwrap_or_else(|| "the database threw a value that is not an error".to_owned()),
    )
}
