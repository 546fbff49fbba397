//! Rows and values of a SQLite database that JavaScript holds.

use js_sys::{Array, ArrayBuffer, JsString, Uint8Array};
use sillok::store::limits::MAX_VERSION;
use sillok::store::sqlite::{Row, Value};
use wasm_bindgen::{JsCast, JsValue};

/// A row, copied: what JavaScript holds cannot be borrowed.
#[derive(Debug)]
pub struct SqlRow(Vec<Column>);

#[derive(Debug)]
enum Column {
    Integer(u64),
    Text(String),
    Blob(Vec<u8>),
    Other,
}

impl From<&Array> for SqlRow {
    /// Takes the columns in order.
    fn from(columns: &Array) -> Self {
        Self(columns.iter().map(Column::from).collect())
    }
}

impl From<JsValue> for Column {
    fn from(value: JsValue) -> Self {
        if let Some(number) = value.as_f64() {
            return whole(number).map_or(Self::Other, Self::Integer);
        }
        if let Some(text) = value.dyn_ref::<JsString>() {
            return Self::Text(String::from(text));
        }
        // Node gives bytes, a Durable Object their buffer.
        if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
            return Self::Blob(bytes.to_vec());
        }
        value
            .dyn_ref::<ArrayBuffer>()
            .map_or(Self::Other, |buffer| Self::Blob(Uint8Array::new(buffer).to_vec()))
    }
}

/// The number when it is one that the engine stores.
fn whole(number: f64) -> Option<u64> {
    #[allow(clippy::cast_precision_loss)] // 2^53 - 1 is exact
    let is_whole = number.fract() == 0.0 && (0.0..=MAX_VERSION as f64).contains(&number);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked in the line above
    is_whole.then_some(number as u64)
}

impl Row for SqlRow {
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

/// The values of a statement as JavaScript's. Whole numbers are bound as REAL, and SQLite makes them whole again in the
/// columns that they are stored in and compared with, without loss up to 2^53 - 1.
#[must_use]
pub fn sql_values(values: &[Value<'_>]) -> Array {
    let bind = |value: &Value<'_>| match *value {
        Value::Null => JsValue::NULL,
        #[allow(clippy::cast_precision_loss)] // at most 2^53 - 1
        Value::Integer(number) => JsValue::from_f64(number as f64),
        Value::Text(text) => JsValue::from_str(text),
        Value::Blob(bytes) => Uint8Array::from(bytes).into(),
    };
    values.iter().map(bind).collect()
}
