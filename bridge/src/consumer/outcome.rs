//! What a handler in JavaScript says of an event.

use sillok::handler::Outcome;
use wasm_bindgen::JsValue;

use crate::failure_code::FailureCode;
use crate::js::field;

/// What came of a handler that has failed: `{error, code}`, of which only an error of Sillok's own has a code. Anything else is a
/// failure without words.
#[must_use]
pub fn outcome_from_js(failure: &JsValue) -> Outcome {
    let error = field::<String>(failure, "error").unwrap_or_else(|| "the handler failed".to_owned());
    match field::<FailureCode>(failure, "code").and_then(|code| code.known()) {
        Some(code) => Outcome::of_code(code, error),
        None => Outcome::failed(error),
    }
}
