//! Projections and reactors: code that lies on the JavaScript side, since nothing in the engine's memory lasts.

use js_sys::{Error, JsString};
use sillok::handler::{Delivery, DocumentError, Documents};
use sillok::store::JsonText;
use sillok_bridge::{Failure, to_js};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::objects::ObjectSql;

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    /// The handler of one consumer, as `worker/composition.ts` makes it.
    #[derive(Debug)]
    pub(crate) type Handler;

    /// Applies an event, given as JSON, to documents.
    #[wasm_bindgen(method, catch)]
    fn apply(this: &Handler, event: &str, documents: DocumentsHandle) -> Result<(), JsValue>;

    /// Reacts to an event, given as JSON.
    #[wasm_bindgen(method, catch)]
    async fn react(this: &Handler, event: &str, keys: CommandKeys) -> Result<JsValue, JsValue>;
}

impl Handler {
    pub(super) fn project(&self, event: &str, documents: &Documents<ObjectSql>) -> Result<(), String> {
        self.apply(event, DocumentsHandle { documents: documents.clone() }).map_err(|error| message(&error))
    }

    pub(super) async fn deliver(&self, delivery: &Delivery) -> Result<(), String> {
        let keys = CommandKeys { delivery: delivery.clone(), given: 0 };
        self.react(&delivery.event.json, keys).await.map(|_| ()).map_err(|error| message(&error))
    }
}

/// What a handler threw, in words.
fn message(error: &JsValue) -> String {
    let message = match error.dyn_ref::<Error>() {
        Some(error) => error.message(),
        None => JsString::from(error.as_string().unwrap_or_else(|| "the handler threw what is no error".to_owned())),
    };
    message.into()
}

/// The documents of a projection while one event is applied.
#[wasm_bindgen]
#[derive(Debug)]
pub struct DocumentsHandle {
    documents: Documents<ObjectSql>,
}

#[wasm_bindgen]
impl DocumentsHandle {
    /// The document of this key as JSON, or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn get(&self, key: &str) -> Result<Option<String>, JsValue> {
        let document = self.documents.get(key).map_err(refused)?;
        Ok(document.map(|document| document.as_str().to_owned()))
    }

    /// Writes the document of this key, given as JSON.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn put(&self, key: &str, document: &str) -> Result<(), JsValue> {
        let document = JsonText::parse(document)
            .map_err(|error| to_js(&Failure::new("malformed_json", error.to_string())))?;
        self.documents.put(key, &document).map_err(refused)
    }

    /// Removes the document of this key, if there is one.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn delete(&self, key: &str) -> Result<(), JsValue> {
        self.documents.delete(key).map_err(refused)
    }
}

// Taken by value for `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn refused(error: DocumentError) -> JsValue {
    to_js(&Failure::new(error.code(), error.to_string()))
}

/// The idempotency keys of the commands that a reactor sends on one event: the same ones, in the same order, whenever
/// the event is delivered again.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CommandKeys {
    delivery: Delivery,
    given: u32,
}

#[wasm_bindgen]
impl CommandKeys {
    /// The key of the next command.
    pub fn next(&mut self) -> String {
        self.given = self.given.saturating_add(1);
        self.delivery.command_key(self.given)
    }
}
