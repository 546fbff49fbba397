//! The messages between the gateway and the object.

use js_sys::Reflect;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sillok_bridge::{AppendedJson, Failure, PageJson, ProofPage, RangeValue};
use wasm_bindgen::prelude::*;
use worker::{Stub, console_error};

use super::nudges::Nudges;
use super::receipt::Receipt;

/// What to append to a stream.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppendRequest {
    pub(crate) stream: String,
    pub(crate) expected_version: Value,
    /// The events as the text they were sent in: they are parsed once, where they are written.
    pub(crate) events: String,
    pub(crate) format: EventsFormat,
    /// The name of this append, so that sending it again does not append again.
    pub(crate) key: Option<String>,
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

/// Which stream a request without further parts is about.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StreamRequest {
    pub(crate) stream: String,
}

/// Which page of a stream to verify, or to hand out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ProofRequest {
    pub(crate) stream: String,
    /// What the page before gave.
    pub(crate) next: Option<String>,
}

/// Where to truncate a stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TruncateRequest {
    pub(crate) stream: String,
    /// The first version to keep.
    pub(crate) before: u64,
}

/// Where a stream begins and ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeadReply {
    /// The version of the stream; 0 where it never had an event.
    pub(crate) version: u64,
    /// The first version that is shown.
    pub(crate) first_version: u64,
    /// When the last event was recorded.
    pub(crate) time: String,
    pub(crate) deleted: bool,
}

/// What a method returns.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply<T> {
    pub(super) outcome: Outcome<T>,
    pub(super) receipt: Receipt,
}

/// An answer, or a refusal as a value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome<T> {
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
    async fn fetch(this: &AggregateStub, url: &str, init: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn append(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn read(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn head(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn verify(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn commits(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn truncate(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn delete(this: &AggregateStub, request: JsValue) -> Result<JsValue, JsValue>;
}

/// An object somewhere else.
pub(crate) struct Remote(AggregateStub);

/// What a call came back with, and what it has cost.
pub(crate) type Answered<T> = Result<(T, Receipt), RemoteError>;

/// Why a call came back without an answer.
#[derive(Debug)]
pub(crate) enum RemoteError {
    /// The object refused, at this cost.
    Refused(Failure, Receipt),
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

    pub(crate) async fn append(&self, request: &AppendRequest) -> Answered<AppendedJson> {
        answer(self.0.append(message(request)?).await)
    }

    pub(crate) async fn read(&self, request: &ReadRequest) -> Answered<PageJson> {
        answer(self.0.read(message(request)?).await)
    }

    pub(crate) async fn head(&self, request: &StreamRequest) -> Answered<HeadReply> {
        answer(self.0.head(message(request)?).await)
    }

    /// Opens a WebSocket to the object, by which it tells that the stream has grown.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        let init = json!({ "headers": { "Upgrade": "websocket" } });
        // The object looks at nothing of the URL, but a request must have one.
        let response = self.0.fetch("https://object/", message(&init)?).await?;
        Ok(Nudges::of(&response)?)
    }

    /// Verifies one page of the stream.
    pub(crate) async fn verify(&self, request: &ProofRequest) -> Answered<ProofPage> {
        answer(self.0.verify(message(request)?).await)
    }

    /// Reads one page of the stream's commits.
    pub(crate) async fn commits(&self, request: &ProofRequest) -> Answered<ProofPage> {
        answer(self.0.commits(message(request)?).await)
    }

    /// Truncates the stream, and gives what is left as JSON text.
    pub(crate) async fn truncate(&self, request: &TruncateRequest) -> Answered<String> {
        answer(self.0.truncate(message(request)?).await)
    }

    pub(crate) async fn delete(&self, request: &StreamRequest) -> Answered<()> {
        answer(self.0.delete(message(request)?).await)
    }
}

fn message<T: Serialize>(request: &T) -> Result<JsValue, RemoteError> {
    to_js(request).map_err(|error| RemoteError::from(JsValue::from(error)))
}

fn answer<T: DeserializeOwned>(reply: Result<JsValue, JsValue>) -> Answered<T> {
    let Reply { outcome, receipt } =
        from_js(reply?).map_err(|error| RemoteError::from(JsValue::from(error)))?;
    match outcome {
        Outcome::Ok(answer) => Ok((answer, receipt)),
        Outcome::Failure(failure) => Err(RemoteError::Refused(failure, receipt)),
    }
}

impl RemoteError {
    /// The same error, met after this was spent already.
    pub(crate) fn costing(self, spent: Receipt) -> Self {
        match self {
            Self::Refused(failure, receipt) => Self::Refused(failure, spent + receipt),
            other => other,
        }
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
