//! The outcome of a failed handler in JavaScript.

use sillok::handler::Outcome;
use wasm_bindgen::JsValue;

use crate::failure_code::FailureCode;
use crate::js::field;

/// The outcome of a handler that has failed: `{error, stack, code, isFinal}`. Only an error of Sillok has a code. `isFinal` is true if no
/// retry can help, whatever the code. Any other value is a failure without a text.
#[must_use]
pub fn outcome_from_js(failure: &JsValue) -> Outcome {
    let error = field::<String>(failure, "error").unwrap_or_else(|| "the handler failed".to_owned());
    let stack = field::<String>(failure, "stack");
    if field::<bool>(failure, "isFinal") == Some(true) {
        return Outcome::refused(error).with_stack(stack);
    }
    let outcome = match field::<FailureCode>(failure, "code").and_then(|code| code.known()) {
        Some(code) => Outcome::of_code(code, error),
        None => Outcome::failed(error),
    };
    outcome.with_stack(stack)
}
