//! The messages to a consumer: one for each act.

use js_sys::Object;
use sillok::handler::{ConsumerName, DocumentKey, LetterId};
use sillok::store::Tenant;
use sillok_bridge::{Message, field, message, object};
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use crate::objects::{Answered, ObjectName};

/// What a journal tells a consumer.
#[derive(Debug)]
pub(crate) struct WakeRequest {
    /// The partition that has grown.
    pub(crate) partition: usize,
}

message!(WakeRequest { partition: "partition" });

/// What is asked of a consumer. The answer is JSON as text.
#[derive(Debug)]
pub(crate) enum ConsumerRequest {
    /// Define it.
    Define(Define),
    /// Remove it and all that it has.
    Remove,
    /// Show how it is defined and how it does.
    Status(StatusRequest),
    /// Pause it.
    Pause,
    /// Resume it.
    Resume,
    /// Rebuild its documents.
    Rebuild,
    /// Retry its dead letters.
    Retry,
    /// Show a page of its dead letters.
    Letters(Letters),
    /// Discard dead letters.
    Discard(Discard),
    /// Show a document.
    Document(DocumentRequest),
    /// Show a page of its documents.
    Documents(DocumentsRequest),
    /// Wait until it has come to a position.
    Reach(Reach),
}

/// Defines a consumer.
#[derive(Debug)]
pub(crate) struct Define {
    /// What it is to be, as JSON.
    pub(crate) definition: String,
    /// The URL by which the deployment was reached.
    pub(crate) asked_at: String,
}

message!(Define { definition: "definition", asked_at: "askedAt" });

/// Shows how a consumer does.
#[derive(Debug)]
pub(crate) struct StatusRequest {
    /// Whether to show the whole definition, but for its secret: who may change it may see it.
    pub(crate) whole: bool,
}

message!(StatusRequest { whole: "whole" });

/// Shows dead letters.
#[derive(Debug)]
pub(crate) struct Letters {
    /// The id after which the page begins, as a decimal number.
    pub(crate) after: String,
    /// The most that the page may hold.
    pub(crate) limit: usize,
}

message!(Letters { after: "after", limit: "limit" });

/// Discards dead letters.
#[derive(Debug)]
pub(crate) struct Discard {
    /// The id of one; all where there is none.
    pub(crate) letter: Option<LetterId>,
}

message!(Discard { letter: "letter" });

/// Shows a document.
#[derive(Debug)]
pub(crate) struct DocumentRequest {
    /// Its key.
    pub(crate) key: DocumentKey,
}

message!(DocumentRequest { key: "key" });

/// Shows documents.
#[derive(Debug)]
pub(crate) struct DocumentsRequest {
    /// With what their keys begin.
    pub(crate) prefix: String,
    /// The key after which the page begins.
    pub(crate) after: String,
    /// The most that the page may hold.
    pub(crate) limit: usize,
}

message!(DocumentsRequest { prefix: "prefix", after: "after", limit: "limit" });

/// Waits for a position.
#[derive(Debug)]
pub(crate) struct Reach {
    /// The partition of the position.
    pub(crate) partition: usize,
    /// The position.
    pub(crate) position: u64,
    /// How long to wait, in milliseconds.
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
            Self::Reach(parts) => ("reach", parts.to_js()),
        };
        let request = object(&[
            ("act", act.into()),
            // The previous version reads all fields, whatever the act. These can go with the version after this one.
            ("definition", "".into()),
            ("prefix", "".into()),
            ("after", "".into()),
            ("limit", 0.into()),
            ("partition", 0.into()),
            ("position", 0.into()),
            ("millis", 0.into()),
            ("askedAt", "".into()),
            ("whole", false.into()),
        ]);
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
            "reach" => Self::Reach(Message::from_js(value)?),
            _ => return None,
        })
    }
}

/// A consumer somewhere else.
#[derive(Debug)]
pub(crate) struct Remote {
    object: crate::objects::Remote,
    /// Whose it is, and its name.
    pub(crate) of: ObjectName<ConsumerName>,
}

impl Remote {
    /// The tenant's consumer of this name.
    pub(crate) fn find(env: &Env, tenant: Option<&Tenant>, name: ConsumerName) -> worker::Result<Self> {
        let of = ObjectName::new(tenant, name);
        Ok(Self { object: crate::objects::Remote::find(env, &of)?, of })
    }

    /// Asks it.
    pub(crate) async fn ask(&self, request: &ConsumerRequest) -> Answered<String> {
        self.object.call("ask", request).await
    }

    /// Wakes it: a partition of the journal has grown.
    pub(crate) async fn wake(&self, partition: usize) -> Answered<()> {
        self.object.call("wake", &WakeRequest { partition }).await
    }
}
