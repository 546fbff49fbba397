//! The messages about timers and sent commands.

use sillok::store::{PendingKind, StreamId};
use sillok_bridge::{Message, message};
use wasm_bindgen::JsValue;

/// A request for a page of timers or sent commands.
#[derive(Debug)]
pub(crate) struct PendingRequest {
    pub(crate) stream: StreamId,
    pub(crate) kind: Listed,
    /// The key after which the page begins.
    pub(crate) after: Option<String>,
    pub(crate) limit: u64,
}

message!(PendingRequest { stream: "stream", kind: "kind", after: "after", limit: "limit" });

/// The request of an operator to change a timer or a sent command.
#[derive(Debug)]
pub(crate) struct ChangePendingRequest {
    pub(crate) stream: StreamId,
    pub(crate) kind: Listed,
    pub(crate) key: String,
    pub(crate) act: PendingAct,
    /// The answer to a sent command that is rejected, as JSON.
    pub(crate) rejection: Option<String>,
}

message!(ChangePendingRequest {
    stream: "stream",
    kind: "kind",
    key: "key",
    act: "act",
    rejection: "rejection",
});

/// What happens to a timer or a sent command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PendingAct {
    /// It is removed.
    Cancel,
    /// It is attempted again, if it is parked.
    Retry,
    /// It is answered by a rejection, if it is a sent command that is parked.
    Reject,
}

/// The kind of a pending command in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed(pub(crate) PendingKind);

impl Message for Listed {
    fn to_js(&self) -> JsValue {
        self.0.as_str().into()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        PendingKind::from_text(&value.as_string()?).map(Self)
    }
}

impl Message for PendingAct {
    fn to_js(&self) -> JsValue {
        let name = match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Reject => "reject",
        };
        name.into()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "cancel" => Some(Self::Cancel),
            "retry" => Some(Self::Retry),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}
