//! The messages between the gateway and the object.

use sillok::store::{StreamId, Tenant};
use sillok_bridge::{AppendedJson, Message, PageJson, ProofPage, RangeValue, Scalar, message};
use wasm_bindgen::JsValue;
use worker::Env;

use crate::objects::{Answered, Nudges, ObjectName, RemoteError};

/// What to append to a stream.
#[derive(Debug)]
pub(crate) struct AppendRequest {
    pub(crate) stream: StreamId,
    pub(crate) expected_version: Scalar,
    /// The events as the text they were sent in: they are parsed once, where they are written.
    pub(crate) events: String,
    pub(crate) format: EventsFormat,
    /// The name of this append, so that sending it again does not append again, as it was given.
    pub(crate) key: Option<String>,
    /// The event to which this is the reaction. Only a reactor sends one, and the key is then a reactor's.
    pub(crate) cause: Option<CauseMessage>,
}

message!(AppendRequest {
    stream: "stream",
    expected_version: "expectedVersion",
    events: "events",
    format: "format",
    key: "key",
    cause: "cause",
});

/// The event to which an append is the reaction.
#[derive(Debug)]
pub(crate) struct CauseMessage {
    pub(crate) event: String,
    pub(crate) correlation: String,
}

message!(CauseMessage { event: "event", correlation: "correlation" });

/// How a text holds events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventsFormat {
    /// One event, or an array of events.
    Json,
    /// One event a line.
    Ndjson,
}

impl Message for EventsFormat {
    fn to_js(&self) -> JsValue {
        let name = match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        };
        name.into()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "json" => Some(Self::Json),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// Which part of a stream to read.
#[derive(Debug)]
pub(crate) struct ReadRequest {
    pub(crate) stream: StreamId,
    pub(crate) range: RangeValue,
}

message!(ReadRequest { stream: "stream", range: "range" });

/// Which stream a request without further parts is about.
#[derive(Debug)]
pub(crate) struct StreamRequest {
    pub(crate) stream: StreamId,
}

message!(StreamRequest { stream: "stream" });

/// Which page of a stream to verify, or to hand out.
#[derive(Debug)]
pub(crate) struct ProofRequest {
    pub(crate) stream: StreamId,
    /// What the page before gave.
    pub(crate) next: Option<String>,
}

message!(ProofRequest { stream: "stream", next: "next" });

/// Where to truncate a stream.
#[derive(Debug)]
pub(crate) struct TruncateRequest {
    pub(crate) stream: StreamId,
    /// The first version to keep.
    pub(crate) before: u64,
}

message!(TruncateRequest { stream: "stream", before: "before" });

/// Where a stream begins and ends.
#[derive(Debug)]
pub(crate) struct HeadReply {
    /// The version of the stream; 0 where it never had an event.
    pub(crate) version: u64,
    /// The first version that is shown.
    pub(crate) first_version: u64,
    /// When the last event was recorded.
    pub(crate) time: String,
    pub(crate) deleted: bool,
}

message!(HeadReply { version: "version", first_version: "firstVersion", time: "time", deleted: "deleted" });

/// The object that keeps a stream.
pub(crate) struct Remote(crate::objects::Remote);

impl Remote {
    pub(crate) fn find(env: &Env, tenant: Option<&Tenant>, stream: &StreamId) -> worker::Result<Self> {
        crate::objects::Remote::find(env, &ObjectName::new(tenant, stream.clone())).map(Self)
    }

    pub(crate) async fn append(&self, request: &AppendRequest) -> Answered<AppendedJson> {
        self.0.call("append", request).await
    }

    pub(crate) async fn read(&self, request: &ReadRequest) -> Answered<PageJson> {
        self.0.call("read", request).await
    }

    pub(crate) async fn head(&self, request: &StreamRequest) -> Answered<HeadReply> {
        self.0.call("head", request).await
    }

    /// Opens a WebSocket to the object, by which it tells that the stream has grown.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        self.0.follow().await
    }

    /// Verifies one page of the stream.
    pub(crate) async fn verify(&self, request: &ProofRequest) -> Answered<ProofPage> {
        self.0.call("verify", request).await
    }

    /// Reads one page of the stream's commits.
    pub(crate) async fn commits(&self, request: &ProofRequest) -> Answered<ProofPage> {
        self.0.call("commits", request).await
    }

    /// Truncates the stream, and gives what is left as JSON text.
    pub(crate) async fn truncate(&self, request: &TruncateRequest) -> Answered<String> {
        self.0.call("truncate", request).await
    }

    pub(crate) async fn delete(&self, request: &StreamRequest) -> Answered<()> {
        self.0.call("delete", request).await
    }
}
