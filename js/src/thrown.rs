//! What JavaScript is to throw.

use sillok_bridge::Failure;
use wasm_bindgen::JsValue;

/// The failure as a plain object with its fields. It is the one value with an open shape, so it goes by serde, as it does to HTTP.
// Taken by value for `map_err`.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn thrown(failure: Failure) -> JsValue {
    // What has a form for serde has one in JavaScript; were it not so, the reason is what is thrown.
    serde_wasm_bindgen::to_value(&failure).unwrap_or_else(JsValue::from)
}
