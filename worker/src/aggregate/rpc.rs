//! The messages between the gateway and the object.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sillok::store::StreamId;
use sillok_bridge::{AppendedJson, PageJson, ProofPage, RangeValue};
use worker::Env;

use crate::objects::{Answered, Nudges, ObjectName, RemoteError};

/// The binding of the objects, as wrangler.toml names it.
const BINDING: &str = "AGGREGATE";

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
    /// The event to which this is the reaction.
    pub(crate) cause: Option<CauseMessage>,
}

/// The event to which an append is the reaction.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CauseMessage {
    pub(crate) event: String,
    pub(crate) correlation: String,
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

/// The object that keeps a stream.
pub(crate) struct Remote(crate::objects::Remote);

impl Remote {
    pub(crate) fn find(env: &Env, tenant: Option<&str>, stream: &StreamId) -> worker::Result<Self> {
        let name = ObjectName::new(tenant, stream);
        crate::objects::Remote::find(env, BINDING, &name).map(Self)
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
