//! What operators and readers ask of a consumer.

use serde::Serialize;
use sillok::handler::{DeadLetter, Status};
use sillok::store::{Checkpoint, Position};
use sillok_bridge::{Failure, json_string, now, rfc3339};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::consumer::{Consumer, Failed};
use crate::documents::document_failure;
use crate::store::{Store, answer};

/// How a consumer does.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusJson {
    status: &'static str,
    checkpoint: String,
    /// How many events there are that the consumer has not looked at.
    lag: u64,
    rebuild: Option<PlaceJson>,
    failures: u32,
    retry_at: Option<String>,
    last_error: Option<ErrorJson>,
    dead_letters: u64,
    retrying: bool,
}

#[derive(Serialize)]
struct PlaceJson {
    checkpoint: String,
    lag: u64,
}

#[derive(Serialize)]
struct ErrorJson {
    message: String,
    time: String,
}

#[wasm_bindgen]
impl Consumer {
    /// How the consumer does.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn status(&self, store: &Store) -> Result<JsValue, JsValue> {
        answer(self.try_status(store))
    }

    /// Stops where the consumer is.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn pause(&self) -> Result<(), JsValue> {
        self.with(|machine| Ok(machine.pause()?))
    }

    /// Goes on.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn resume(&self) -> Result<(), JsValue> {
        self.with(|machine| Ok(machine.resume(now())?))
    }

    /// Attempts the dead letters again.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn retry(&self) -> Result<(), JsValue> {
        self.with(|machine| Ok(machine.retry(now())?))
    }

    /// Builds all documents anew.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn rebuild(&self) -> Result<(), JsValue> {
        self.with(|machine| {
            machine.rebuild(now()).map_err(|error| Failed(Failure::new(error.code(), error.to_string())))
        })
    }

    /// The document of this key as JSON, or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn document(&self, key: &str) -> Result<Option<String>, JsValue> {
        let found =
            self.with(|machine| machine.document(key).map_err(|error| Failed(document_failure(&error))))?;
        Ok(found.map(|document| document.as_str().to_owned()))
    }

    /// A page of documents as JSON: `{"items":[{"key","document"}],"next"}`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn documents(&self, prefix: &str, after: &str, limit: usize) -> Result<String, JsValue> {
        let page = self.with(|machine| {
            machine.documents(prefix, after, limit).map_err(|error| Failed(document_failure(&error)))
        })?;
        let items = page.documents.iter().map(|(key, document)| {
            format!("{{\"key\":{},\"document\":{}}}", json_string(key), document.as_str())
        });
        Ok(page_of(items, &page.next.as_deref().map_or_else(null, json_string)))
    }

    /// A page of dead letters as JSON: `{"items":[…],"next"}`.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = deadLetters)]
    pub fn dead_letters(&self, after: f64, limit: usize) -> Result<String, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is out of range is cut off
        let page = self.with(|machine| Ok(machine.dead_letters(after as u64, limit)?))?;
        Ok(page_of(page.letters.iter().map(letter), &page.next.map_or_else(null, |next| next.to_string())))
    }

    /// Whether what the documents show covers the event at this position.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn reached(&self, position: f64) -> Result<bool, JsValue> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is out of range is cut off
        let position = Position::new(position as u64).unwrap_or_default();
        self.with(|machine| Ok(machine.reached(0, position)?))
    }
}

impl Consumer {
    fn try_status(&self, store: &Store) -> Result<StatusJson, Failure> {
        let end = store.reading(|store| store.end().map_err(|error| Failure::from(&error)))?;
        let status = self.try_with(|machine| machine.status().map_err(|error| Failure::from(&error)))?;
        let Status { running, checkpoint, rebuild, failures, retry_at, error, dead_letters, retrying } =
            status;
        let lag = |checkpoint: &Checkpoint| end.get().saturating_sub(checkpoint.position(0).get());
        Ok(StatusJson {
            status: running.as_str(),
            lag: lag(&checkpoint),
            checkpoint: checkpoint.to_string(),
            rebuild: rebuild
                .map(|checkpoint| PlaceJson { lag: lag(&checkpoint), checkpoint: checkpoint.to_string() }),
            failures,
            retry_at: retry_at.map(rfc3339),
            last_error: error.map(|error| ErrorJson { message: error.message, time: rfc3339(error.time) }),
            dead_letters,
            retrying,
        })
    }
}

/// The event is JSON already and stays as it is.
fn letter(letter: &DeadLetter) -> String {
    let (id, reason, attempts) = (letter.id, letter.reason.as_str(), letter.attempts);
    let (error, time, event) = (json_string(&letter.error), rfc3339(letter.time), &letter.event.json);
    format!(
        "{{\"id\":{id},\"reason\":\"{reason}\",\"error\":{error},\"attempts\":{attempts},\"time\":\"{time}\",\"event\":{event}}}"
    )
}

fn page_of(items: impl Iterator<Item = String>, next: &str) -> String {
    format!("{{\"items\":[{}],\"next\":{next}}}", items.collect::<Vec<_>>().join(","))
}

fn null() -> String {
    "null".to_owned()
}
