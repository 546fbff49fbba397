//! The messages between the HTTP layer and the object.

use sillok::gateway::StateAt;
use sillok::store::{RecordedTime, StreamId, Tenant, Version};
use sillok_bridge::{
    AppendedJson, ExecutedJson, Message, PageJson, PendingPage, ProofPage, RangeValue, Scalar, StateJson,
    message,
};
use wasm_bindgen::JsValue;
use worker::Env;

use super::pending_rpc::{ChangePendingRequest, PendingRequest};
use crate::objects::{Nudges, ObjectName, RemoteError, Reply};

/// An append to a stream.
#[derive(Debug)]
pub(crate) struct AppendRequest {
    pub(crate) stream: StreamId,
    pub(crate) expected_version: Scalar,
    /// The events as the caller's text. The object parses them once, when it writes them.
    pub(crate) events: String,
    pub(crate) format: EventsFormat,
    /// The idempotency key as the caller sent it. A retry with the same key writes nothing.
    pub(crate) key: Option<String>,
    /// The event that caused this append. Only a reactor sends it. The key's origin is then a reactor.
    pub(crate) cause: Option<CauseMessage>,
    /// Whether the caller has the scope `admin`.
    pub(crate) admin: bool,
}

message!(AppendRequest {
    stream: "stream",
    expected_version: "expectedVersion",
    events: "events",
    format: "format",
    key: "key",
    cause: "cause",
    admin: "admin" = false,
});

/// The event that caused an append or a command.
#[derive(Debug)]
pub(crate) struct CauseMessage {
    pub(crate) event: String,
    pub(crate) correlation: String,
    /// The trace, as in the header `traceparent`.
    pub(crate) trace: Option<String>,
}

message!(CauseMessage { event: "event", correlation: "correlation", trace: "trace" });

/// The format of a text with events.
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

/// The side that made the id of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A caller, or a reactor if the command has a cause.
    Client,
    /// A process.
    Process,
}

impl Message for Origin {
    fn to_js(&self) -> JsValue {
        let name = match self {
            Self::Client => "client",
            Self::Process => "process",
        };
        name.into()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "client" => Some(Self::Client),
            "process" => Some(Self::Process),
            _ => None,
        }
    }
}

/// A command to the aggregate of a stream.
#[derive(Debug)]
pub(crate) struct ExecuteRequest {
    pub(crate) stream: StreamId,
    /// The command as the caller's text.
    pub(crate) command: String,
    pub(crate) expected_version: Scalar,
    /// The id of the command. A repeat with the same id is not decided again.
    pub(crate) id: Option<String>,
    /// The side that made the id.
    pub(crate) origin: Origin,
    /// The event that caused the command. Only a consumer in code sends it.
    pub(crate) cause: Option<CauseMessage>,
    /// If it is set, the command is an event of another stream, as JSON in its form in a feed. It says whether the event may
    /// start the instance of a process.
    pub(crate) event_starts: Option<bool>,
    /// Whether to decide without writing anything.
    pub(crate) dry_run: bool,
    /// Whether the caller has the scope `admin`.
    pub(crate) admin: bool,
    /// The trace of the request. The metadata of the command may name another one.
    pub(crate) traceparent: Option<String>,
    /// The data with everything that `prepare` of the aggregate has looked up, as JSON. The entry class adds it.
    pub(crate) prepared: Option<String>,
}

message!(ExecuteRequest {
    stream: "stream",
    command: "command",
    expected_version: "expectedVersion",
    id: "id",
    origin: "origin" = Origin::Client,
    cause: "cause",
    event_starts: "eventStarts",
    dry_run: "dryRun",
    admin: "admin",
    traceparent: "traceparent",
    prepared: "prepared",
});

/// A request for the state of a stream: at a version, at a time in milliseconds since 1970, or now.
#[derive(Debug)]
pub(crate) struct StateRequest {
    pub(crate) stream: StreamId,
    pub(crate) version: Option<u64>,
    pub(crate) time: Option<u64>,
}

message!(StateRequest { stream: "stream", version: "version", time: "time" });

impl StateRequest {
    /// The wanted version or time. `None` for the present state.
    pub(crate) fn at(&self) -> Option<StateAt> {
        let at = self.version.map(|version| StateAt::Version(Version::new(version).unwrap_or(Version::MAX)));
        at.or_else(|| self.time.map(|time| StateAt::Time(RecordedTime::from_millis(time))))
    }
}

/// A read of a stream.
#[derive(Debug)]
pub(crate) struct ReadRequest {
    pub(crate) stream: StreamId,
    pub(crate) range: RangeValue,
}

message!(ReadRequest { stream: "stream", range: "range" });

/// A request that has no parts but its stream.
#[derive(Debug)]
pub(crate) struct StreamRequest {
    pub(crate) stream: StreamId,
}

message!(StreamRequest { stream: "stream" });

/// A page of a verification or of an export.
#[derive(Debug)]
pub(crate) struct ProofRequest {
    pub(crate) stream: StreamId,
    /// The `next` of the previous page.
    pub(crate) next: Option<String>,
}

message!(ProofRequest { stream: "stream", next: "next" });

/// A truncation of a stream.
#[derive(Debug)]
pub(crate) struct TruncateRequest {
    pub(crate) stream: StreamId,
    /// The first version that stays.
    pub(crate) before: u64,
}

message!(TruncateRequest { stream: "stream", before: "before" });

/// The first version and the head of a stream.
#[derive(Debug)]
pub(crate) struct HeadReply {
    /// The version of the stream. It is 0 if the stream never had an event.
    pub(crate) version: u64,
    /// The first version that readers can see.
    pub(crate) first_version: u64,
    /// The recorded time of the last event.
    pub(crate) time: String,
    pub(crate) deleted: bool,
    /// The snapshots of the state, if the category has an aggregate.
    pub(crate) snapshots: Option<SnapshotsMessage>,
}

message!(HeadReply {
    version: "version",
    first_version: "firstVersion",
    time: "time",
    deleted: "deleted",
    snapshots: "snapshots",
});

/// The snapshots of a state since the object has started.
#[derive(Debug)]
pub(crate) struct SnapshotsMessage {
    /// The version of the last stored snapshot; 0 if there is none.
    pub(crate) version: u64,
    /// The error of the last attempt to store one, if it has failed.
    pub(crate) error: Option<String>,
}

message!(SnapshotsMessage { version: "version", error: "error" });

/// The object of a stream.
pub(crate) struct Remote(crate::objects::Remote);

// The requests are values, so that no future of a caller contains them.
#[allow(clippy::needless_pass_by_value)]
impl Remote {
    pub(crate) fn find(env: &Env, tenant: Option<&Tenant>, stream: &StreamId) -> worker::Result<Self> {
        crate::objects::Remote::find(env, &ObjectName::new(tenant, stream.clone())).map(Self)
    }

    pub(crate) fn append(&self, request: &AppendRequest) -> Reply<'_, AppendedJson> {
        self.0.call("append", request)
    }

    pub(crate) fn execute(&self, request: &ExecuteRequest) -> Reply<'_, ExecutedJson> {
        self.0.call("execute", request)
    }

    pub(crate) fn state(&self, request: &StateRequest) -> Reply<'_, StateJson> {
        self.0.call("state", request)
    }

    pub(crate) fn read(&self, request: ReadRequest) -> Reply<'_, PageJson> {
        self.0.call("read", &request)
    }

    pub(crate) fn head(&self, request: StreamRequest) -> Reply<'_, HeadReply> {
        self.0.call("head", &request)
    }

    /// Opens a WebSocket to the object. The object sends over it that the stream has grown.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        self.0.follow().await
    }

    /// Verifies one page of the stream.
    pub(crate) fn verify(&self, request: ProofRequest) -> Reply<'_, ProofPage> {
        self.0.call("verify", &request)
    }

    /// Reads one page of the stream's commits.
    pub(crate) fn commits(&self, request: ProofRequest) -> Reply<'_, ProofPage> {
        self.0.call("commits", &request)
    }

    /// Truncates the stream, and returns the remaining range as JSON text.
    pub(crate) fn truncate(&self, request: TruncateRequest) -> Reply<'_, String> {
        self.0.call("truncate", &request)
    }

    /// Reads a page of timers or sent commands.
    pub(crate) fn pending(&self, request: &PendingRequest) -> Reply<'_, PendingPage> {
        self.0.call("pending", request)
    }

    /// Cancels a timer or a sent command, or attempts it again.
    pub(crate) fn change_pending(&self, request: &ChangePendingRequest) -> Reply<'_, ()> {
        self.0.call("changePending", request)
    }

    pub(crate) fn delete(&self, request: StreamRequest) -> Reply<'_, ()> {
        self.0.call("delete", &request)
    }
}
