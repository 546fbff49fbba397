//! What operators and readers ask of a consumer.

use sillok::handler::{DeadLetter, Status};
use sillok::store::{Checkpoint, Position, RecordedTime, json_string};
use sillok_bridge::{Failure, now, rfc3339};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::consumer::Consumer;
use crate::store::Store;
use crate::thrown::thrown;

#[wasm_bindgen]
impl Consumer {
    /// `pause`, `resume`, `retry`, `rebuild`, or `wake` because there may be something new in the store.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn operate(&self, act: &str) -> Result<(), JsValue> {
        self.with(|machine| match act {
            "pause" => machine.pause().map_err(Failure::from),
            "resume" => Ok(machine.resume(now())?),
            "retry" => Ok(machine.retry(now())?),
            "rebuild" => Ok(machine.rebuild(now())?),
            _ => Ok(machine.woken(0, now())?),
        })
    }

    /// Discards the dead letter of this id, or all of them; says whether there was any.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn discard(&self, id: Option<f64>) -> Result<bool, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is out of range is cut off
        self.with(|machine| machine.discard(id.map(|id| id as u64)))
    }

    /// How the consumer does, as JSON.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn status(&self, store: &Store) -> Result<String, JsValue> {
        let end = store.reading(sillok::store::EventStore::end).map_err(thrown)?;
        Ok(shown(&self.with(|machine| machine.status())?, end))
    }

    /// The document of this key as JSON, or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn document(&self, key: &str) -> Result<Option<String>, JsValue> {
        let found = self.with(|machine| machine.document(key))?;
        Ok(found.map(|document| document.as_str().to_owned()))
    }

    /// A page of documents as JSON: `{"items":[{"key","document"}],"next"}`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn documents(&self, prefix: &str, after: &str, limit: usize) -> Result<String, JsValue> {
        let page = self.with(|machine| machine.documents(prefix, after, limit))?;
        let mut items = Items::new();
        for (key, document) in &page.documents {
            items.push(&["{\"key\":", &json_string(key), ",\"document\":", document.as_str()]);
        }
        Ok(items.page(page.next.as_deref().map(json_string)))
    }

    /// A page of dead letters as JSON: `{"items":[…],"next"}`.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = deadLetters)]
    pub fn dead_letters(&self, after: f64, limit: usize) -> Result<String, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is out of range is cut off
        let page = self.with(|machine| machine.dead_letters(after as u64, limit))?;
        let mut items = Items::new();
        for DeadLetter { id, reason, error, attempts, time, event, .. } in &page.letters {
            let (id, error, attempts) = (id.to_string(), json_string(error), attempts.to_string());
            let (reason, time) = (json_string(reason.as_str()), json_string(&rfc3339(*time)));
            items.push(&["{\"id\":", &id, ",\"reason\":", &reason, ",\"error\":", &error]);
            items.add(&[",\"attempts\":", &attempts, ",\"time\":", &time, ",\"event\":", &event.json]);
        }
        Ok(items.page(page.next.map(|next| next.to_string())))
    }

    /// Whether what the documents show covers the event at this position.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn reached(&self, position: f64) -> Result<bool, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is out of range is cut off
        let position = Position::new(position as u64).unwrap_or_default();
        self.with(|machine| machine.reached(0, position))
    }
}

/// A consumer's status as JSON.
fn shown(status: &Status, end: Position) -> String {
    let end = Checkpoint::start(1).at(0, end);
    let place =
        |checkpoint: &Checkpoint| format!("\"checkpoint\":\"{checkpoint}\",\"lag\":{}", checkpoint.lag(&end));
    let time = |time: RecordedTime| json_string(&rfc3339(time));
    let error = status.error.as_ref().map(|error| {
        format!("{{\"message\":{},\"time\":{}}}", json_string(&error.message), time(error.time))
    });
    format!(
        "{{\"status\":\"{}\",{},\"rebuild\":{},\"failures\":{},\"retryAt\":{},\"lastError\":{},\"deadLetters\":{},\"retrying\":{}}}",
        status.running.as_str(),
        place(&status.checkpoint),
        or_null(status.rebuild.as_ref().map(|checkpoint| format!("{{{}}}", place(checkpoint)))),
        status.failures,
        or_null(status.retry_at.map(time)),
        or_null(error),
        status.dead_letters,
        status.retrying,
    )
}

fn or_null(json: Option<String>) -> String {
    json.unwrap_or_else(|| "null".to_owned())
}

/// Items on their way into a page, as JSON.
struct Items(String);

impl Items {
    fn new() -> Self {
        Self("{\"items\":[".to_owned())
    }

    /// Begins an item, an object that is closed when the next begins.
    fn push(&mut self, parts: &[&str]) {
        if self.0.ends_with('[') {
            self.add(parts);
        } else {
            self.0.push_str("},");
            self.add(parts);
        }
    }

    fn add(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.push_str(part);
        }
    }

    fn page(mut self, next: Option<String>) -> String {
        if !self.0.ends_with('[') {
            self.0.push('}');
        }
        self.add(&["],\"next\":", &or_null(next), "}"]);
        self.0
    }
}
