//! The handlers of consumers that code defines. A handler is code in JavaScript, because the engine's memory does not last, or a
//! function in Rust, which is a part of the engine.

use js_sys::Promise;
use sillok::handler::{Delivery, Documents, FeedEvent, Outcome};
use sillok::store::Tenant;
use sillok_bridge::{Failure, Message, expected_version_from_js, outcome_from_js, stream_id_from_js};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::Env;

use super::reactor::{Reaction, ReactorContext};
use crate::objects::{ObjectSql, promise};
use crate::store::Streams;

/// The handler of a consumer that is defined in code.
#[derive(Debug, Clone)]
pub(crate) enum Handler {
    JavaScript(JsHandler),
    Projection(fn(&FeedEvent, &Documents<ObjectSql>) -> Outcome),
    Reactor(fn(ReactorContext) -> Reaction),
}

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    /// The handler of one consumer, as `worker/consumer-handler.ts` makes it.
    #[derive(Debug, Clone)]
    pub(crate) type JsHandler;

    /// Applies an event, given as JSON, to documents.
    #[wasm_bindgen(method, catch)]
    fn apply(this: &JsHandler, event: &str, documents: DocumentsHandle) -> Result<(), JsValue>;

    /// Reacts to an event, given as JSON.
    #[wasm_bindgen(method, catch)]
    async fn react(this: &JsHandler, event: &str, commands: Commands) -> Result<JsValue, JsValue>;

    /// The queue to which the consumer sends.
    #[wasm_bindgen(method, catch)]
    fn queue(this: &JsHandler) -> Result<JsValue, JsValue>;
}

impl Handler {
    pub(super) fn project(&self, event: &FeedEvent, documents: &Documents<ObjectSql>) -> Outcome {
        match self {
            Self::JavaScript(handler) => {
                outcome(handler.apply(&event.json, DocumentsHandle { documents: documents.clone() }))
            }
            Self::Projection(apply) => apply(event, documents),
            Self::Reactor(_) => Outcome::failed("a reactor has no documents"),
        }
    }

    /// The queue of a consumer whose code names it.
    pub(super) fn queue(&self) -> Result<JsValue, Outcome> {
        match self {
            Self::JavaScript(handler) => handler.queue().map_err(|thrown| outcome_from_js(&thrown)),
            _ => Err(Outcome::failed("a handler in Rust has no queue")),
        }
    }

    pub(super) async fn deliver(&self, env: &Env, tenant: Option<Tenant>, delivery: &Delivery) -> Outcome {
        let streams = Streams::Deployed { env: env.clone(), tenant };
        let context = ReactorContext::new(env.clone(), streams, delivery);
        match self {
            Self::JavaScript(handler) => {
                outcome(handler.react(&delivery.event.json, Commands { context }).await)
            }
            Self::Reactor(react) => react(context).await,
            Self::Projection(_) => Outcome::failed("a projection takes no deliveries"),
        }
    }
}

/// The outcome of a handler, which throws if it fails.
fn outcome<T>(handled: Result<T, JsValue>) -> Outcome {
    handled.map_or_else(|thrown| outcome_from_js(&thrown), |_| Outcome::Done)
}

sillok_bridge::documents_handle!(Documents<ObjectSql>, |failure: Failure| failure.to_js());

/// The commands that a reactor in JavaScript sends for one event.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Commands {
    context: ReactorContext,
}

#[wasm_bindgen]
impl Commands {
    /// The delivery's id. All attempts of this consumer at the event have the same id, and no other attempt has it.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn id(&self) -> String {
        self.context.id().to_owned()
    }

    /// The number of this attempt, counted from 1.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.context.attempt()
    }

    /// Appends the event or the array of events of a JSON text, as the command number `n`. `expected` is a number, one of the
    /// words of `ExpectedVersion`, or undefined for `any`. It rejects with a [`Failure`].
    pub fn append(&self, n: u32, stream: &JsValue, events: String, expected: &JsValue) -> Promise {
        let append = stream_id_from_js(stream)
            .and_then(|stream| Ok((stream, expected_version_from_js(expected)?, events)));
        let appended = self.context.send_append(n, append);
        promise(async move {
            match appended.await {
                Ok(appended) => Ok(appended.to_js()),
                Err(failure) => Err(failure.to_js()),
            }
        })
    }

    /// Passes the event to the instance of a process. `starts` says whether it may start the instance. It rejects with a
    /// [`Failure`].
    pub fn deliver(&self, stream: &JsValue, starts: bool) -> Promise {
        let delivered = self.context.deliver(stream_id_from_js(stream), starts);
        promise(async move {
            match delivered.await {
                Ok(_) => Ok(JsValue::UNDEFINED),
                Err(failure) => Err(failure.to_js()),
            }
        })
    }

    /// Executes the command of a JSON text, as the command number `n`. It resolves to `{stream, firstVersion, version, time,
    /// events, replayed, rejection}`; `events` and `rejection` are JSON text. It rejects with a [`Failure`].
    pub fn execute(&self, n: u32, stream: &JsValue, command: String) -> Promise {
        let command = stream_id_from_js(stream).map(|stream| (stream, command));
        let executed = self.context.send_command(n, command);
        promise(async move {
            match executed.await {
                Ok(executed) => Ok(executed.to_js()),
                Err(failure) => Err(failure.to_js()),
            }
        })
    }
}
