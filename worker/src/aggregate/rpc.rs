//! The messages between the gateway and the object.

use js_sys::Reflect;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sillok_bridge::{AppendedJson, Failure, PageJson, RangeValue};
use wasm_bindgen::prelude::*;
use worker::{Stub, console_error};

/// What to append to a stream.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppendRequest {
    pub(crate) stream: String,
    pub(crate) expected_version: Value,
    /// The events as the text they were sent in: they are parsed once, where they are written.
    pub(crate) events: String,
    pub(crate) format: EventsFormat,
}

/// How a text holds events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EventsFormat {
    /// One event, or an array of events.
    Json,
    /// One event a line.
    Ndjson,
}

/// Which part of a stream to read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadRequest {
    pub(crate) stream: String,
    pub(crate) range: RangeValue,
}

/// Which stream's end to tell.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HeadRequest {
    pub(crate) stream: String,
}

/// Where a stream ends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HeadReply {
    pub(crate) version: u64,
}

/// What a method returns: an answer, or a refusal as a value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reply<T> {
    Ok(T),
    Failure(Failure),
}

pub(super) fn to_js<T: Serialize>(value: &T) -> Result<JsValue, serde_wasm_bindgen::Error> {
    // Plain objects: a Map would reach the other side as a Map.
    value.serialize(&serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true))
}

pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, serde_wasm_bindgen::Error> {
    serde_wasm_bindgen::from_value(value)
}

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    /// The stub of an object, with the methods of the entry class.
    type AggregateStub;

    #[wasm_bindgen(method, catch)]
    async fn append(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn read(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn head(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
}

/// An object somewhere else.
pub(crate) struct Remote(AggregateStub);

/// Why a call came back without an answer.
#[derive(Debug)]
pub(crate) enum RemoteError {
    /// The object refused.
    Refused(Failure),
    /// The object has more to do than it can; it did not begin with this call.
    Overloaded,
    /// The object could not be reached, or not to the end; another attempt may reach it.
    Unavailable,
    /// The call failed for good.
    Broken,
}

impl Remote {
    pub(crate) fn new(stub: Stub) -> Self {
        Self(stub.into_rpc())
    }

    pub(crate) async fn append(&self, request: &AppendRequest) -> Result<AppendedJson, RemoteError> {
        answer(self.0.append(message(request)?).await)
    }

    pub(crate) async fn read(&self, request: &ReadRequest) -> Result<PageJson, RemoteError> {
        answer(self.0.read(message(request)?).await)
    }

    pub(crate) async fn head(&self, request: &HeadRequest) -> Result<HeadReply, RemoteError> {
        answer(self.0.head(message(request)?).await)
    }
}

fn message<T: Serialize>(request: &T) -> Result<JsValue, RemoteError> {
    to_js(request).map_err(|error| RemoteError::from(JsValue::from(error)))
}

fn answer<T: DeserializeOwned>(reply: Result<JsValue, JsValue>) -> Result<T, RemoteError> {
    match from_js(reply?).map_err(|error| RemoteError::from(JsValue::from(error)))? {
        Reply::Ok(answer) => Ok(answer),
        Reply::Failure(failure) => Err(RemoteError::Refused(failure)),
    }
}

impl From<JsValue> for RemoteError {
    fn from(error: JsValue) -> Self {
        // The caller is told only the kind of it: the rest is for the operator's log.
        console_error!("the call of an object failed: {error:?}");
        let has = |name: &str| Reflect::get(&error, &name.into()).is_ok_and(|flag| flag.is_truthy());
        if has("overloaded") {
            Self::Overloaded
        } else if has("retryable") {
            Self::Unavailable
        } else {
            Self::Broken
        }
    }
}
