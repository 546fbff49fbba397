//! Projections and reactors: code that lies on the JavaScript side, since nothing in the engine's memory lasts.

use std::cell::Cell;

use js_sys::{Error, JsString, Promise};
use sillok::handler::{Delivery, DocumentError, Documents};
use sillok::store::JsonText;
use sillok_bridge::{Failure, Message, expected_version_from_js, expected_version_json, stream_id_from_js};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::Env;

use crate::aggregate::{self, AppendRequest, CauseMessage, EventsFormat};
use crate::objects::{ObjectName, ObjectSql, RemoteError, promise};

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
    async fn react(this: &Handler, event: &str, commands: Commands) -> Result<JsValue, JsValue>;
}

impl Handler {
    pub(super) fn project(&self, event: &str, documents: &Documents<ObjectSql>) -> Result<(), String> {
        self.apply(event, DocumentsHandle { documents: documents.clone() }).map_err(|error| message(&error))
    }

    pub(super) async fn deliver(
        &self,
        env: &Env,
        of: &ObjectName,
        delivery: &Delivery,
    ) -> Result<(), String> {
        let commands =
            Commands { env: env.clone(), of: of.clone(), delivery: delivery.clone(), sent: Cell::new(0) };
        self.react(&delivery.event.json, commands).await.map(|_| ()).map_err(|error| message(&error))
    }
}

/// What a handler threw, in words.
fn message(error: &JsValue) -> String {
    let message = match error.dyn_ref::<Error>() {
        Some(error) => error.message(),
        None => JsString::from(
            error.as_string().unwrap_or_else(|| "the handler threw what is no error".to_owned()),
        ),
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
            .map_err(|error| Failure::new("malformed_json", error.to_string()).to_js())?;
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
    Failure::new(error.code(), error.to_string()).to_js()
}

/// The commands that a reactor sends on one event. Each has a key and a cause, the same ones, in the same order, whenever
/// the event is delivered again: so it takes effect once.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Commands {
    env: Env,
    of: ObjectName,
    delivery: Delivery,
    sent: Cell<u32>,
}

#[wasm_bindgen]
impl Commands {
    /// The same for every attempt of this consumer at the event, and for no other.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn id(&self) -> String {
        self.delivery.id.clone()
    }

    /// Which attempt this is, counted from 1.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.delivery.attempt
    }

    /// Appends the event, or the array of events, of a JSON text. `expected` is a number, one of the words of
    /// `ExpectedVersion`, or undefined for `any`. Rejects with a [`Failure`].
    pub fn append(&self, stream: &JsValue, events: String, expected: &JsValue) -> Promise {
        let number = self.sent.get();
        self.sent.set(number.saturating_add(1));
        let request = stream_id_from_js(stream).and_then(|stream| {
            let cause = self.delivery.cause();
            let expected = expected_version_from_js(expected)?;
            let request = AppendRequest {
                stream: stream.as_str().to_owned(),
                expected_version: expected_version_json(expected),
                events,
                format: EventsFormat::Json,
                key: Some(self.delivery.command_key(number)),
                cause: Some(CauseMessage {
                    event: cause.event_id().as_str().to_owned(),
                    correlation: cause.correlation_id().to_owned(),
                }),
            };
            let aggregate = aggregate::Remote::find(&self.env, self.of.tenant(), &stream);
            let unavailable = |error: worker::Error| Failure::new("unavailable", error.to_string());
            Ok((request, aggregate.map_err(unavailable)?))
        });
        promise(async move {
            let (request, aggregate) = request.map_err(|failure| failure.to_js())?;
            match aggregate.append(&request).await {
                Ok((appended, _)) => Ok(appended.to_js()),
                Err(RemoteError::Refused(failure, _)) => Err(failure.to_js()),
                Err(_) => Err(Failure::new("unavailable", "the stream did not answer; try again").to_js()),
            }
        })
    }
}
