//! Rows and values of a SQLite database in JavaScript.

use std::cell::OnceCell;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use sillok::store::limits::MAX_VERSION;
use sillok::store::sqlite::{Row, Value};
use wasm_bindgen::{JsCast, JsValue};

use super::text::text_of;

/// A row in JavaScript. A value is copied when it is read, because Rust cannot borrow a value of JavaScript. Other values are
/// not copied: each call to JavaScript costs more than most work on a row.
#[derive(Debug)]
pub struct SqlRow {
    columns: Array,
    copies: Vec<OnceCell<Copied>>,
}

#[derive(Debug, Clone)]
enum Copied {
    Text(String),
    Blob(Vec<u8>),
    Other,
}

impl From<Array> for SqlRow {
    /// Takes the columns, in order.
    fn from(columns: Array) -> Self {
        let copies = vec![OnceCell::new(); columns.length() as usize];
        Self { columns, copies }
    }
}

impl SqlRow {
    fn value(&self, column: usize) -> JsValue {
        self.columns.get_unchecked(u32::try_from(column).unwrap_or(u32::MAX))
    }

    fn copied(&self, column: usize, copy: impl FnOnce(&JsValue) -> Option<Copied>) -> Option<&Copied> {
        let place = self.copies.get(column)?;
        Some(place.get_or_init(|| copy(&self.value(column)).unwrap_or(Copied::Other)))
    }
}

/// Reads a blob. Node returns bytes, and a Durable Object returns their buffer.
fn blob(value: &JsValue) -> Option<Copied> {
    let bytes = match value.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Uint8Array::new(buffer).to_vec(),
        None => value.dyn_ref::<Uint8Array>()?.to_vec(),
    };
    Some(Copied::Blob(bytes))
}

/// The number, if it is one that the engine stores.
fn whole(number: f64) -> Option<u64> {
    #[allow(clippy::cast_precision_loss)] // 2^53 - 1 is exact
    let is_whole = number.fract() == 0.0 && (0.0..=MAX_VERSION as f64).contains(&number);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked in the line above
    is_whole.then_some(number as u64)
}

impl Row for SqlRow {
    fn integer(&self, column: usize) -> Option<u64> {
        self.value(column).as_f64().and_then(whole)
    }

    fn text(&self, column: usize) -> Option<&str> {
        match self.copied(column, |value| text_of(value).map(Copied::Text))? {
            Copied::Text(text) => Some(text),
            _ => None,
        }
    }

    fn blob(&self, column: usize) -> Option<&[u8]> {
        match self.copied(column, blob)? {
            Copied::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Converts the values of a statement for JavaScript. Whole numbers are bound as REAL. SQLite converts them to integers in the
/// columns that store or compare them, without loss up to 2^53 - 1.
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
