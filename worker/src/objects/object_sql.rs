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
/// Each statement is atomic. A statement that fails throws in `exec` and changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct ObjectSql {
    storage: ObjectStorage,
    sql: Statements,
    meter: Rc<Meter>,
}

#[wasm_bindgen]
extern "C" {
    /// An object's storage. The crate `worker` binds only a part of it, and has its own type for rows.
    #[derive(Debug, Clone)]
    type ObjectStorage;
    #[derive(Debug, Clone)]
    type Statements;
    /// The result of a statement, row by row.
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
    /// The database of an object's storage. `meter` adds up the price of its statements.
    pub(crate) fn new(storage: &Storage, meter: Rc<Meter>) -> Self {
        let storage: JsValue = AsRef::<JsValue>::as_ref(storage.as_raw()).clone();
        let storage: ObjectStorage = storage.unchecked_into();
        Self { sql: storage.sql(), storage, meter }
    }

    fn exec(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Cursor, StorageError> {
        // The platform refuses values that are too large. Other runtimes may take them, so the size is checked here.
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
        // A statement without rows has run to its end in `exec`, and its cursor is closed.
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
        // A cursor counts while it runs. Only here is the price of the query complete.
        self.meter.add(&cursor);
        outcome
    }

    /// Runs the runtime's `transactionSync`. It rolls back the writes of the callback if the callback throws.
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
            // One more step closes the cursor if this row was the last one, as for the head. The runtime reuses a prepared
            // statement only after its cursor is closed.
            let _ = rows.next();
            break;
        }
    }
    Ok(())
}

/// The error of the runtime.
fn failure(error: &JsValue) -> StorageError {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    StorageError::failed(
        message.unwrap_or_else(|| "the database threw a value that is not an error".to_owned()),
    )
}
