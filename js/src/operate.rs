//! Operations on a consumer, and reads of its status, documents and dead letters.

use sillok::handler::DocumentKey;
use sillok::store::{Checkpoint, Position, json_string};
use sillok_bridge::{Failure, documents_json, letters_json, status_members};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::consumer::Consumer;
use crate::store::Store;
use crate::thrown::thrown;

#[wasm_bindgen]
impl Consumer {
    /// Runs an act: `pause`, `resume`, `retry`, `rebuild` or `wake`. `wake` means that the store may have new events.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn operate(&self, store: &Store, act: &str) -> Result<(), JsValue> {
        let now = store.now();
        self.with(|machine| match act {
            "pause" => machine.pause().map_err(Failure::from),
            "resume" => Ok(machine.resume(now)?),
            "retry" => Ok(machine.retry(now)?),
            "rebuild" => Ok(machine.rebuild(now)?),
            _ => Ok(machine.woken(0, now)?),
        })
    }

    /// Discards the dead letters with these ids, at most some hundreds of them a call. Returns whether there was one.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn discard(&self, from: f64, to: f64) -> Result<bool, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // values out of range are cut off
        self.with(|machine| machine.discard(from as u64..=to as u64))
    }

    /// The highest id that a dead letter of this consumer ever had.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = lastLetter)]
    pub fn last_letter(&self) -> Result<f64, JsValue> {
        #[allow(clippy::cast_precision_loss)] // at most 2^53 - 1
        self.with(|machine| machine.last_letter().map(|id| id as f64))
    }

    /// The status of the consumer, as JSON.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn status(&self, store: &Store) -> Result<String, JsValue> {
        let found = store.reading(|store| {
            let end = store.end()?;
            let status = self.try_with(|machine| machine.status())?;
            Ok::<_, Failure>(format!("{{{}}}", status_members(&status, &Checkpoint::start(1).at(0, end))))
        });
        found.map_err(thrown)
    }

    /// Returns the document under this key as JSON, or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn document(&self, key: &str) -> Result<Option<String>, JsValue> {
        let key = DocumentKey::new(key).map_err(|error| thrown(error.into()))?;
        let found = self.with(|machine| machine.document(&key))?;
        Ok(found.map(|document| document.as_str().to_owned()))
    }

    /// Returns a page of documents as JSON: `{"items":[{"key","document"}],"next"}`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn documents(&self, prefix: &str, after: &str, limit: usize) -> Result<String, JsValue> {
        let page = self.with(|machine| machine.documents(prefix, after, limit))?;
        Ok(documents_json("items", &page, page.next.as_deref().map(json_string)))
    }

    /// Returns a page of dead letters as JSON: `{"items":[…],"next"}`.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = deadLetters)]
    pub fn dead_letters(&self, after: f64, limit: usize) -> Result<String, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // values out of range are cut off
        let page = self.with(|machine| machine.dead_letters(after as u64, limit))?;
        Ok(letters_json("items", &page, page.next.map(|next| next.to_string())))
    }

    /// Whether the documents cover the event at this position.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn reached(&self, position: f64) -> Result<bool, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // values out of range are cut off
        let position = Position::new(position as u64).unwrap_or_default();
        self.with(|machine| machine.reached(0, position))
    }
}
