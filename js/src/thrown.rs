//! The exceptions for JavaScript.

use sillok_bridge::{Failure, Message};
use wasm_bindgen::JsValue;

/// The failure as a plain object with its fields.
// `map_err` passes the error by value.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn thrown(failure: Failure) -> JsValue {
    failure.to_js()
}
