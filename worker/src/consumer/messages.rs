//! The messages to a consumer: one for each act.

use js_sys::Object;
use sillok::handler::{ConsumerName, DocumentKey, LetterId};
use sillok::store::Tenant;
use sillok_bridge::{Message, field, message, object};
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use crate::objects::{Nudges, ObjectName, RemoteError, Reply};

/// A wake: the message of a journal to a consumer.
#[derive(Debug)]
pub(crate) struct WakeRequest {
    /// The partition that has grown.
    pub(crate) partition: usize,
}

message!(WakeRequest { partition: "partition" });

/// A request to a consumer. The answer is JSON as text.
#[derive(Debug)]
pub(crate) enum ConsumerRequest {
    /// Defines the consumer.
    Define(Define),
    /// Deletes the consumer and its data.
    Remove,
    /// Returns the definition and the status.
    Status(StatusRequest),
    /// Pauses the consumer.
    Pause,
    /// Resumes the consumer.
    Resume,
    /// Rebuilds the documents.
    Rebuild,
    /// Retries the dead letters.
    Retry,
    /// Returns a page of dead letters.
    Letters(Letters),
    /// Discards dead letters.
    Discard(Discard),
    /// Returns a document.
    Document(DocumentRequest),
    /// Returns a page of documents.
    Documents(DocumentsRequest),
    /// Returns the next messages to a follower of the documents.
    Follow(FollowRequest),
    /// Waits until the consumer has reached a position.
    Reach(Reach),
}

/// Defines a consumer.
#[derive(Debug)]
pub(crate) struct Define {
    /// The definition, as JSON.
    pub(crate) definition: String,
    /// The URL of the request that defines it.
    pub(crate) asked_at: String,
}

message!(Define { definition: "definition", asked_at: "askedAt" });

/// Returns the status of a consumer.
#[derive(Debug)]
pub(crate) struct StatusRequest {
    /// Whether to return the whole definition, but for its secret. A caller that may change the definition may see it.
    pub(crate) whole: bool,
}

message!(StatusRequest { whole: "whole" });

/// Returns dead letters.
#[derive(Debug)]
pub(crate) struct Letters {
    /// The id after which the page begins, as a decimal number.
    pub(crate) after: String,
    /// The most dead letters on the page.
    pub(crate) limit: usize,
}

message!(Letters { after: "after", limit: "limit" });

/// Discards dead letters.
#[derive(Debug)]
pub(crate) struct Discard {
    /// The id of one dead letter. `None` means all of them.
    pub(crate) letter: Option<LetterId>,
}

message!(Discard { letter: "letter" });

/// Returns a document.
#[derive(Debug)]
pub(crate) struct DocumentRequest {
    /// The key of the document.
    pub(crate) key: DocumentKey,
}

message!(DocumentRequest { key: "key" });

/// Returns documents.
#[derive(Debug)]
pub(crate) struct DocumentsRequest {
    /// The first characters of their keys.
    pub(crate) prefix: String,
    /// The key after which the page begins.
    pub(crate) after: String,
    /// The most documents on the page.
    pub(crate) limit: usize,
}

message!(DocumentsRequest { prefix: "prefix", after: "after", limit: "limit" });

/// Returns the next messages to a follower.
#[derive(Debug)]
pub(crate) struct FollowRequest {
    /// The first characters of the keys.
    pub(crate) prefix: String,
    /// The place of the follower. `None` for a new one.
    pub(crate) after: Option<String>,
    /// Whether the follower has just connected.
    pub(crate) begins: bool,
}

message!(FollowRequest { prefix: "prefix", after: "after", begins: "begins" });

/// Waits for a position.
#[derive(Debug)]
pub(crate) struct Reach {
    /// The partition of the position.
    pub(crate) partition: usize,
    /// The position.
    pub(crate) position: u64,
    /// The longest wait, in milliseconds.
    pub(crate) millis: u64,
}

message!(Reach { partition: "partition", position: "position", millis: "millis" });

impl Message for ConsumerRequest {
    fn to_js(&self) -> JsValue {
        let (act, parts) = match self {
            Self::Define(parts) => ("define", parts.to_js()),
            Self::Remove => ("remove", JsValue::UNDEFINED),
            Self::Status(parts) => ("status", parts.to_js()),
            Self::Pause => ("pause", JsValue::UNDEFINED),
            Self::Resume => ("resume", JsValue::UNDEFINED),
            Self::Rebuild => ("rebuild", JsValue::UNDEFINED),
            Self::Retry => ("retry", JsValue::UNDEFINED),
            Self::Letters(parts) => ("letters", parts.to_js()),
            Self::Discard(parts) => ("discard", parts.to_js()),
            Self::Document(parts) => ("document", parts.to_js()),
            Self::Documents(parts) => ("documents", parts.to_js()),
            Self::Follow(parts) => ("follow", parts.to_js()),
            Self::Reach(parts) => ("reach", parts.to_js()),
        };
        let request = object(&[("act", act.into())]);
        if let Some(parts) = parts.dyn_ref::<Object>() {
            Object::assign(request.unchecked_ref(), parts);
        }
        request
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        let act: String = field(value, "act")?;
        Some(match act.as_str() {
            "define" => Self::Define(Message::from_js(value)?),
            "remove" => Self::Remove,
            "status" => Self::Status(Message::from_js(value)?),
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "rebuild" => Self::Rebuild,
            "retry" => Self::Retry,
            "letters" => Self::Letters(Message::from_js(value)?),
            "discard" => Self::Discard(Message::from_js(value)?),
            "document" => Self::Document(Message::from_js(value)?),
            "documents" => Self::Documents(Message::from_js(value)?),
            "follow" => Self::Follow(Message::from_js(value)?),
            "reach" => Self::Reach(Message::from_js(value)?),
            _ => return None,
        })
    }
}

/// Another object's consumer.
#[derive(Debug)]
pub(crate) struct Remote {
    object: crate::objects::Remote,
    /// The tenant and the name of the consumer.
    pub(crate) of: ObjectName<ConsumerName>,
}

impl Remote {
    /// The tenant's consumer of this name.
    pub(crate) fn find(env: &Env, tenant: Option<&Tenant>, name: ConsumerName) -> worker::Result<Self> {
        let of = ObjectName::new(tenant, name);
        Ok(Self { object: crate::objects::Remote::find(env, &of)?, of })
    }

    /// Sends a request to the consumer.
    pub(crate) fn ask(&self, request: &ConsumerRequest) -> Reply<'_, String> {
        self.object.call("ask", request)
    }

    /// Opens a WebSocket to the object. The object sends over it that the documents have changed.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        self.object.follow().await
    }

    /// Wakes the consumer, because a partition of the journal has grown.
    pub(crate) fn wake(&self, partition: usize) -> Reply<'_, ()> {
        self.object.call("wake", &WakeRequest { partition })
    }
}
