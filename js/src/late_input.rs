//! The decision about an input that a process does not take, for tests of processes.

use sillok::ErrorCode;
use sillok::handler::{BehaviourDecision, Input, not_taken};
use sillok_bridge::Failure;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::thrown::thrown;

/// The decision about an input before the start or after the end of a process, as JSON: `[]` if nothing happens, or a rejection.
/// Returns undefined if the code of the process decides. `input` is `command`, `start` for an event that may start an instance,
/// `event` for another one, or `answer`. `begun` says whether the instance has an event.
///
/// # Errors
/// A [`Failure`].
#[wasm_bindgen(js_name = lateInput)]
pub fn late_input(input: &str, begun: bool, ended: bool) -> Result<Option<String>, JsValue> {
    let input = match input {
        "command" => Input::Command,
        "answer" => Input::Answer,
        "start" => Input::Event { starts: true },
        "event" => Input::Event { starts: false },
        _ => {
            let detail = "`input` must be `command`, `start`, `event` or `answer`";
            return Err(thrown(Failure::new(ErrorCode::InvalidParameter, detail).in_field("input")));
        }
    };
    Ok(not_taken(input, begun, ended).map(|decision| match decision {
        BehaviourDecision::Accepted(_) => "[]".to_owned(),
        BehaviourDecision::Rejected(rejection) => rejection.as_str().to_owned(),
    }))
}
