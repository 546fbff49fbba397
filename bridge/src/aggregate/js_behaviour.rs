//! The code of an aggregate in JavaScript, as the core's machine drives it. The state stays in JavaScript.

use std::fmt::Write;

use sillok::ErrorCode;
use sillok::handler::{
    Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault, FiredTimer, Input,
};
use sillok::store::{EventView, JsonText, items, push_json_string};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::decided::parse_decision;
use crate::failure_code::FailureCode;
use crate::js::field;

#[wasm_bindgen]
extern "C" {
    /// The code of an aggregate with the state of one stream: the class of `js/ts/aggregate/behaviour.ts`.
    #[derive(Debug, Clone)]
    pub type JsBehaviour;

    #[wasm_bindgen(method, getter)]
    fn code(this: &JsBehaviour) -> String;
    #[wasm_bindgen(method, getter, js_name = snapshotEvents)]
    fn snapshot_events(this: &JsBehaviour) -> f64;
    #[wasm_bindgen(method, getter, js_name = snapshotBytes)]
    fn snapshot_bytes(this: &JsBehaviour) -> f64;
    #[wasm_bindgen(method, getter, js_name = rememberMillis)]
    fn remember_millis(this: &JsBehaviour) -> f64;
    #[wasm_bindgen(method, catch)]
    fn begin(this: &JsBehaviour) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn restore(this: &JsBehaviour, state: &str) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn fold(this: &JsBehaviour, events: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn decide(this: &JsBehaviour, command: &str, context: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn on(this: &JsBehaviour, event: &str, context: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn answered(this: &JsBehaviour, answer: &str, context: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(method, getter, js_name = mayEnd)]
    fn may_end(this: &JsBehaviour) -> Option<bool>;
    #[wasm_bindgen(method, catch, js_name = isEnded)]
    fn is_ended(this: &JsBehaviour) -> Result<bool, JsValue>;
    #[wasm_bindgen(method)]
    fn advance(this: &JsBehaviour);
    #[wasm_bindgen(method)]
    fn drop(this: &JsBehaviour);
    #[wasm_bindgen(method, catch)]
    fn state(this: &JsBehaviour) -> Result<String, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn check(this: &JsBehaviour, events: &str) -> Result<String, JsValue>;
}

/// The most bytes of events that are passed to JavaScript at once. One call for many events costs less than one for each.
const FOLD_BYTES: usize = 128 * 1024;

/// A [`Behaviour`] in JavaScript.
#[derive(Debug)]
pub struct ScriptedBehaviour {
    script: JsBehaviour,
    code: String,
    settings: BehaviourSettings,
    /// The events to fold, as a JSON array that is not closed yet.
    events: String,
}

impl ScriptedBehaviour {
    /// The behaviour of this object.
    #[must_use]
    pub fn new(script: JsBehaviour) -> Self {
        let settings = BehaviourSettings {
            snapshot_events: whole(script.snapshot_events()),
            snapshot_bytes: whole(script.snapshot_bytes()),
            remember_millis: whole(script.remember_millis()),
            may_end: script.may_end().unwrap_or_default(),
        };
        Self { code: script.code(), settings, script, events: String::new() }
    }

    /// Checks the events of a direct append, given as JSON, by the schemas of the aggregate. Returns their newest schema
    /// versions.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn check(script: &JsBehaviour, events: &str) -> Result<Vec<u32>, Fault> {
        let versions = script.check(events).map_err(|thrown| fault(&thrown))?;
        let unreadable = || Fault::new(ErrorCode::DeciderFailed, "the schema versions cannot be read");
        let versions = items(&versions).map_err(|_| unreadable())?;
        versions.into_iter().map(|version| version.parse().map_err(|_| unreadable())).collect()
    }
}

impl Behaviour for ScriptedBehaviour {
    fn code(&self) -> String {
        self.code.clone()
    }

    fn settings(&self) -> BehaviourSettings {
        self.settings
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.events.clear();
        self.script.begin().map_err(|thrown| fault(&thrown))
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        self.events.clear();
        self.script.restore(state.as_str()).map_err(|thrown| fault(&thrown))
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        let begin = if self.events.is_empty() { "[[" } else { ",[" };
        // Writing to a String cannot fail.
        let _ = write!(self.events, "{begin}{},", event.version);
        push_json_string(&mut self.events, event.event_type);
        let _ = write!(self.events, ",{},{}]", event.schema_version, event.data);
        if self.events.len() < FOLD_BYTES { Ok(()) } else { self.folded() }
    }

    fn folded(&mut self) -> Result<(), Fault> {
        if self.events.is_empty() {
            return Ok(());
        }
        self.events.push(']');
        let folded = self.script.fold(&self.events);
        self.events.clear();
        folded.map_err(|thrown| fault(&thrown))
    }

    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let mut json = format!("{{\"now\":{},\"version\":{}", context.now.as_millis(), context.version);
        if let Some(id) = &command.id {
            json.push_str(",\"commandId\":");
            push_json_string(&mut json, id.as_str());
        }
        if let Some(FiredTimer { key, due }) = command.timer() {
            json.push_str(",\"timer\":{\"key\":");
            push_json_string(&mut json, key.as_str());
            let _ = write!(json, ",\"due\":{}}}", due.as_millis());
        }
        json.extend([",\"metadata\":", command.metadata().as_str(), "}"]);
        let decided = match command.input() {
            Input::Command => self.script.decide(&command.to_json(), &json),
            Input::Event { .. } => self.script.on(command.data().as_str(), &json),
            Input::Answer => self.script.answered(command.data().as_str(), &json),
        };
        parse_decision(&decided.map_err(|thrown| fault(&thrown))?)
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        self.script.is_ended().map_err(|thrown| fault(&thrown))
    }

    fn advance(&mut self) {
        self.script.advance();
    }

    fn clear(&mut self) {
        self.events.clear();
        self.script.drop();
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        json_text(&self.script.state().map_err(|thrown| fault(&thrown))?)
    }
}

pub(super) fn json_text(text: &str) -> Result<JsonText, Fault> {
    JsonText::parse(text).map_err(|error| Fault::new(ErrorCode::DeciderFailed, error.to_string()))
}

/// The fault that JavaScript has thrown: an error of Sillok with its code, or any other error of the code.
fn fault(thrown: &JsValue) -> Fault {
    let code = field::<FailureCode>(thrown, "code").and_then(|code| code.known());
    let detail =
        field::<String>(thrown, "message").unwrap_or_else(|| "the code of the aggregate failed".to_owned());
    Fault { field: field(thrown, "field"), ..Fault::new(code.unwrap_or(ErrorCode::DeciderFailed), detail) }
}

/// A setting, which JavaScript has checked: a whole number below 2^53.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float that is out of range is cut off
fn whole(number: f64) -> u64 {
    number as u64
}
