//! Values of JavaScript: parameters, messages, rows and texts.

mod js_value;
mod message;
mod scalar;
mod sql_row;
mod text;

pub use js_value::{
    directory_from_js, expected_version_from_js, feed_from_js, idempotency_key_from_js, number_from_js,
    range_from_js, stream_id_from_js, version_from_js,
};
pub(crate) use js_value::{name_from_js, number_text};
pub use message::{Message, field, field_or, object, part};
pub use scalar::Scalar;
pub use sql_row::{SqlRow, sql_values};
