//! What a handler in JavaScript says of an event.

use sillok::handler::Outcome;
use wasm_bindgen::JsValue;

use crate::message::field;

/// What came of a handler that has failed: `{error, code}`, of which only an error of Sillok's own has a code. Anything else is a
/// failure without words.
#[must_use]
pub fn outcome_from_js(failure: &JsValue) -> Outcome {
    let error = field::<String>(failure, "error").unwrap_or_else(|| "the handler failed".to_owned());
    match field::<String>(failure, "code") {
        Some(code) => Outcome::of_code(&code, error),
        None => Outcome::failed(error),
    }
}
