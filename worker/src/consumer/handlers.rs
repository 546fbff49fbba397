//! What handles the events of projections and reactors: code on the JavaScript side, since nothing in the engine's memory
//! lasts, or functions of Rust, which are there whenever the engine is.

use js_sys::Promise;
use sillok::handler::{Delivery, Documents, FeedEvent};
use sillok::store::Tenant;
use sillok_bridge::{Failure, Message, expected_version_from_js, stream_id_from_js};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::Env;

use super::reactor::{Reaction, ReactorContext};
use crate::objects::{ObjectSql, promise};

/// The handler of one consumer that is defined in code.
#[derive(Debug, Clone)]
pub(crate) enum Handler {
    JavaScript(JsHandler),
    Projection(fn(&FeedEvent, &Documents<ObjectSql>) -> Result<(), String>),
    Reactor(fn(ReactorContext) -> Reaction),
}

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    /// The handler of one consumer, as `worker/composition.ts` makes it.
    #[derive(Debug, Clone)]
    pub(crate) type JsHandler;

    /// Applies an event, given as JSON, to documents.
    #[wasm_bindgen(method, catch)]
    fn apply(this: &JsHandler, event: &str, documents: DocumentsHandle) -> Result<(), JsValue>;

    /// Reacts to an event, given as JSON.
    #[wasm_bindgen(method, catch)]
    async fn react(this: &JsHandler, event: &str, commands: Commands) -> Result<JsValue, JsValue>;
}

impl Handler {
    pub(super) fn project(&self, event: &FeedEvent, documents: &Documents<ObjectSql>) -> Result<(), String> {
        match self {
            Self::JavaScript(handler) => {
                let applied = handler.apply(&event.json, DocumentsHandle { documents: documents.clone() });
                applied.map_err(|error| message(&error))
            }
            Self::Projection(apply) => apply(event, documents),
            Self::Reactor(_) => Err("a reactor has no documents".to_owned()),
        }
    }

    pub(super) async fn deliver(
        &self,
        env: &Env,
        tenant: Option<Tenant>,
        delivery: &Delivery,
    ) -> Result<(), String> {
        let context = ReactorContext::new(env, tenant, delivery);
        match self {
            Self::JavaScript(handler) => {
                let reacted = handler.react(&delivery.event.json, Commands { context }).await;
                reacted.map(|_| ()).map_err(|error| message(&error))
            }
            Self::Reactor(react) => react(context).await,
            Self::Projection(_) => Err("a projection takes no deliveries".to_owned()),
        }
    }
}

/// What is wrong, as the handler has put it in words.
fn message(thrown: &JsValue) -> String {
    thrown.as_string().unwrap_or_else(|| "the handler failed".to_owned())
}

sillok_bridge::documents_handle!(Documents<ObjectSql>, |failure: Failure| failure.to_js());

/// The commands that a reactor in JavaScript sends on one event.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Commands {
    context: ReactorContext,
}

#[wasm_bindgen]
impl Commands {
    /// The same for every attempt of this consumer at the event, and for no other.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn id(&self) -> String {
        self.context.id().to_owned()
    }

    /// Which attempt this is, counted from 1.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.context.attempt()
    }

    /// Appends the event, or the array of events, of a JSON text, as the command number `n`. `expected` is a number, one of
    /// the words of `ExpectedVersion`, or undefined for `any`. Rejects with a [`Failure`].
    pub fn append(&self, n: u32, stream: &JsValue, events: String, expected: &JsValue) -> Promise {
        let command = stream_id_from_js(stream)
            .and_then(|stream| Ok((stream, expected_version_from_js(expected)?, events)));
        let appended = self.context.send(n, command);
        promise(async move {
            match appended.await {
                Ok(appended) => Ok(appended.to_js()),
                Err(failure) => Err(failure.to_js()),
            }
        })
    }
}
