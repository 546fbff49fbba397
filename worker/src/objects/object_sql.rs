//! The core's SQL port over the storage of a Durable Object.

use std::ops::ControlFlow;
use std::rc::Rc;

use js_sys::Uint8Array;
use sillok::store::sqlite::{Row, Sql, SqlFailure, Value};
use wasm_bindgen::prelude::*;
use worker::{Error, SqlCursor, SqlStorage, SqlStorageValue, Storage};

use super::receipt::Meter;

/// The SQLite database of one Durable Object.
///
/// Each statement is atomic by itself. A statement that fails throws out of `exec` and has changed nothing.
#[derive(Debug, Clone)]
pub(crate) struct ObjectSql {
    storage: SqlStorage,
    raw: RawStorage,
    meter: Rc<Meter>,
}

#[wasm_bindgen]
extern "C" {
    /// The parts of an object's storage that the `worker` crate does not bind, or only in 32 bits.
    #[derive(Debug, Clone)]
    type RawStorage;
    #[derive(Debug)]
    type RawSql;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &RawStorage,
        work: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &RawStorage) -> RawSql;
    #[wasm_bindgen(method, getter, js_name = databaseSize)]
    fn database_size(this: &RawSql) -> f64;
}

impl ObjectSql {
    /// The database of an object's storage. What its statements cost is added up in `meter`.
    pub(crate) fn new(storage: &Storage, meter: Rc<Meter>) -> Self {
        let raw: JsValue = AsRef::<JsValue>::as_ref(storage.as_raw()).clone();
        Self { storage: storage.sql(), raw: raw.unchecked_into(), meter }
    }

    fn exec(&self, statement: &'static str, values: &[Value<'_>]) -> Result<SqlCursor, SqlFailure> {
        let values: Vec<JsValue> = values.iter().map(bound).collect();
        self.storage.exec_raw(statement, values).map_err(failure)
    }
}

impl Sql for ObjectSql {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), SqlFailure> {
        // Without rows to deliver the statement has run to its end inside `exec`, and its cursor is closed.
        self.exec(statement, values).map(|cursor| self.meter.add(&cursor))
    }

    fn define(&self, statement: &'static str) -> Result<(), SqlFailure> {
        self.exec(statement, &[]).map(|cursor| self.meter.add_schema(&cursor))
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), SqlFailure> {
        let cursor = self.exec(statement, values)?;
        let outcome = walk(&cursor, visit);
        // A cursor counts as it goes: only now is it known what the query has cost.
        self.meter.add(&cursor);
        outcome
    }

    /// The runtime's `transactionSync`: what the callback writes is rolled back when it throws.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), SqlFailure>) -> Result<(), SqlFailure> {
        let mut outcome = Ok(());
        let ran = self.raw.transaction_sync(&mut || {
            outcome = work();
            outcome.clone().map_err(|failure| JsValue::from_str(&failure.0))
        });
        outcome.and(ran.map_err(|error| SqlFailure(format!("{error:?}"))))
    }

    fn size(&self) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a number of bytes
        let bytes = self.raw.sql().database_size() as u64;
        bytes
    }
}

fn walk(cursor: &SqlCursor, visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>) -> Result<(), SqlFailure> {
    let mut rows = cursor.raw();
    while let Some(row) = rows.next() {
        if visit(&ObjectRow(row.map_err(failure)?)).is_break() {
            // One step further closes the cursor where this row was the last one, as it is with the head: the
            // runtime reuses a prepared statement only once its cursor is closed.
            drop(rows.next());
            break;
        }
    }
    Ok(())
}

/// A row as its columns in order.
struct ObjectRow(Vec<SqlStorageValue>);

impl Row for ObjectRow {
    fn integer(&self, column: usize) -> Option<u64> {
        match self.0.get(column)? {
            SqlStorageValue::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    fn text(&self, column: usize) -> Option<&str> {
        match self.0.get(column)? {
            SqlStorageValue::String(text) => Some(text),
            _ => None,
        }
    }

    fn blob(&self, column: usize) -> Option<&[u8]> {
        match self.0.get(column)? {
            SqlStorageValue::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// JavaScript's numbers are bound as REAL. SQLite turns them into integers in an INTEGER column and in a
/// comparison with one, without loss up to 2^53 - 1, which is as far as [`Value::Integer`] goes.
#[allow(clippy::cast_precision_loss)]
fn bound(value: &Value<'_>) -> JsValue {
    match *value {
        Value::Null => JsValue::NULL,
        Value::Blob(bytes) => Uint8Array::from(bytes).into(),
        Value::Integer(number) => JsValue::from_f64(number as f64),
        Value::Text(text) => JsValue::from_str(text),
    }
}

fn failure(error: Error) -> SqlFailure {
    SqlFailure(error.to_string())
}
