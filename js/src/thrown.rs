//! The exceptions for JavaScript.

use sillok_bridge::Failure;
use wasm_bindgen::JsValue;

/// The failure as a plain object with its fields. It is the only value with an open shape, so serde converts it, as for HTTP.
// `map_err` passes the error by value.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn thrown(failure: Failure) -> JsValue {
    // Serde can convert every failure. If it could not, its own error is thrown.
    serde_wasm_bindgen::to_value(&failure).unwrap_or_else(JsValue::from)
}
