//! The object that runs one consumer: the methods that others call, over the core's driver.

mod address;
mod attempts;
mod carrying_out;
mod cloud_event;
mod defining;
mod definition;
mod delivery;
mod handlers;
mod kept;
mod messages;
mod opening;
mod operate;
mod pages;
mod reactor;
mod shown;
mod signature;
mod url;

use std::rc::Rc;

use js_sys::Promise;
use sillok::store::{StreamId, Version};
use sillok_bridge::Failure;
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app;
use crate::objects::{RemoteError, promised, rang, turn};
use attempts::Attempts;
pub(crate) use attempts::tell_panics;
pub(crate) use definition::Definition;
use delivery::Sender;
pub(crate) use handlers::Handler;
use handlers::JsHandler;
use messages::WakeRequest;
pub(crate) use messages::{
    ConsumerRequest, Define, Discard, DocumentRequest, DocumentsRequest, Letters, Reach, Remote,
    StatusRequest,
};
use opening::{CutOff, Inner};
pub(crate) use reactor::react;
pub use reactor::{Reactor, ReactorContext};

/// A consumer in the storage of its own Durable Object, spoken to by RPC through the entry class.
#[durable_object(alarm)]
pub(crate) struct ConsumerObject {
    inner: Rc<Inner>,
}

impl DurableObject for ConsumerObject {
    fn new(state: State, env: Env) -> Self {
        Self { inner: Rc::new(Inner::new(state, env)) }
    }

    async fn fetch(&self, _: Request) -> worker::Result<Response> {
        Response::error("this object is spoken to by RPC", 501)
    }

    /// Fails where the alarm could not be set anew: the runtime then rings it again.
    async fn alarm(&self) -> worker::Result<Response> {
        rang(self.inner.ring().await)
    }
}

#[wasm_bindgen]
impl ConsumerObject {
    /// The consumer's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.inner.name.as_ref().map(|name| name.keeps.to_string()).unwrap_or_default()
    }

    /// The names of the consumers that are defined in Rust.
    ///
    /// # Errors
    /// An `Error` that says why the Worker cannot be composed as it is in Rust.
    #[wasm_bindgen(js_name = inRust)]
    pub fn in_rust() -> Result<Vec<String>, JsValue> {
        let names = || app::consumers().iter().map(ToString::to_string).collect();
        app::refused().map_or_else(|| Ok(names()), |refused| Err(refused.into()))
    }

    /// Takes what the consumer is by the code of this deployment in JavaScript: `definition` as JSON, and what handles its events.
    ///
    /// # Errors
    /// A `SyntaxError` when the definition has another shape.
    #[wasm_bindgen(js_name = handledBy)]
    pub fn handled_by(&self, definition: &str, handler: JsHandler) -> Result<(), JsValue> {
        let definition =
            serde_json::from_str(definition).map_err(|error| js_sys::SyntaxError::new(&error.to_string()))?;
        *self.inner.code.borrow_mut() = Some((definition, Handler::JavaScript(handler)));
        Ok(())
    }

    /// Takes what outlives the engine, to which the object reports the attempt that is under way, and the sender of webhooks.
    #[wasm_bindgen(js_name = watchedBy)]
    pub fn watched_by(&self, attempts: Attempts, sender: Sender) {
        self.inner.attempts.by(attempts);
        self.inner.sender.replace(Some(sender));
    }

    /// Whether it was told what JavaScript has to say. After a crash of the engine there is another object, which was not.
    #[wasm_bindgen(js_name = isTold)]
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.inner.attempts.is_told()
    }

    /// Takes it that the last engine has crashed amid an attempt at this event, for this reason: the attempt has failed. It
    /// is said before anything else is asked.
    #[wasm_bindgen(js_name = wasCutOff)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the engine itself has told it
    pub fn was_cut_off(&self, stream: &str, version: f64, reason: String) {
        let event = StreamId::new(stream).ok().zip(Version::new(version as u64));
        self.inner.cut_off.set(event.map(|(stream, version)| CutOff { stream, version, reason }));
    }

    /// Goes on with what the last engine has left undone. The duty is durable before the answer leaves.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    #[wasm_bindgen(js_name = goOn)]
    pub fn go_on(&self, request: JsValue) -> Result<JsValue, JsValue> {
        // Every partition is looked at by a machine that is new.
        turn(&self.inner.meter, request, |()| self.inner.woken(0))
    }

    /// Takes it as a duty that a partition of the journal has grown: `{partition}` gives nothing. The duty is durable
    /// before the answer leaves.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn wake(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |WakeRequest { partition }| self.inner.woken(partition))
    }

    /// Does what is asked: a [`ConsumerRequest`] gives JSON as text.
    pub fn ask(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, move |request: ConsumerRequest| async move { inner.ask(request).await })
    }
}

/// What came of asking a journal, where that is no answer.
fn unreachable(error: RemoteError) -> Failure {
    error.into_failure("journal")
}
