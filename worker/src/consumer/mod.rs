//! The object that runs one consumer: its methods for other objects, over the core's driver.

mod address;
mod attempting;
mod attempts;
mod carrying_out;
mod cloud_event;
mod defining;
mod definition;
mod delivery;
mod handlers;
mod messages;
mod opening;
mod operate;
mod pages;
mod process;
mod reactor;
mod shown;
mod signature;
mod stored_definition;
mod url;

use std::rc::Rc;

use js_sys::{Function, Promise};
use sillok::store::{StreamId, Version};
use sillok_bridge::Failure;
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app;
use crate::objects::{Driven, ObjectName, RemoteError, nudges, promised, rang, turn};
use attempts::Attempts;
pub(crate) use attempts::report_panics;
pub(crate) use definition::Definition;
use delivery::Sender;
pub(crate) use handlers::Handler;
use handlers::JsHandler;
use messages::WakeRequest;
pub(crate) use messages::{
    ConsumerRequest, Define, Discard, DocumentRequest, DocumentsRequest, FollowRequest, Letters, Reach,
    Remote, StatusRequest,
};
use opening::{CutOff, Inner};
pub(crate) use process::pass_on;
pub(crate) use reactor::react;
pub use reactor::{Reactor, ReactorContext};

/// A consumer in the storage of its own Durable Object. Others call it by RPC, through the entry class.
#[durable_object(alarm)]
pub(crate) struct ConsumerObject {
    inner: Rc<Inner>,
}

impl DurableObject for ConsumerObject {
    fn new(state: State, env: Env) -> Self {
        Self { inner: Rc::new(Inner::new(state, env)) }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        nudges::admit(&self.inner.state, &request)
    }

    /// Fails if the alarm could not be set again. The runtime then rings it again.
    async fn alarm(&self) -> worker::Result<Response> {
        rang(self.inner.ring().await)
    }
}

#[wasm_bindgen]
impl ConsumerObject {
    /// The names of the consumers that are defined in Rust.
    ///
    /// # Errors
    /// An `Error` if a registration in Rust is invalid.
    #[wasm_bindgen(js_name = inRust)]
    pub fn in_rust() -> Result<Vec<String>, JsValue> {
        let names = || app::consumers().iter().map(ToString::to_string).collect();
        app::refused().map_or_else(|| Ok(names()), |refused| Err(refused.into()))
    }

    /// Takes the definition, as JSON, and the handler of the consumer, if this deployment defines it in JavaScript.
    ///
    /// # Errors
    /// A `SyntaxError` if the definition has another shape.
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

    /// Calls `set_up` with the name of the consumer and its tenant, unless JavaScript has passed its record by `watchedBy`. The
    /// tenant is undefined for the default tenant, and both for an object without a name. A crash of the engine replaces the
    /// object, and the new one is not set up.
    ///
    /// # Errors
    /// The exception of the function.
    #[wasm_bindgen(js_name = setUp)]
    pub fn set_up(&self, set_up: &Function) -> Result<(), JsValue> {
        if self.inner.attempts.are_watched() {
            return Ok(());
        }
        let name = self.inner.name.as_ref();
        let consumer = name.map(|name| name.identity.as_str().into()).unwrap_or_default();
        let tenant = name.and_then(ObjectName::tenant).map(|tenant| tenant.as_str().into());
        set_up.call2(&JsValue::UNDEFINED, &consumer, &tenant.unwrap_or_default()).map(drop)
    }

    /// Takes the event at which the last engine crashed, and the reason: this attempt has failed. Call it before any other
    /// request.
    #[wasm_bindgen(js_name = wasCutOff)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the version comes from the engine
    pub fn was_cut_off(&self, stream: &str, version: f64, reason: String) {
        let event = StreamId::new(stream).ok().zip(Version::new(version as u64));
        self.inner.cut_off.set(event.map(|(stream, version)| CutOff { stream, version, reason }));
    }

    /// Continues the work that the last engine has left unfinished. The duty is durable before the answer leaves.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    #[wasm_bindgen(js_name = continueWork)]
    pub fn continue_work(&self, request: JsValue) -> Result<JsValue, JsValue> {
        // A new machine looks at every partition.
        turn(&self.inner.driving.meter, request, |()| self.inner.woken(0))
    }

    /// Stores the duty to read a partition of the journal that has grown. `{partition}` returns nothing. The duty is durable
    /// before the answer leaves.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn wake(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.driving.meter, request, |WakeRequest { partition }| self.inner.woken(partition))
    }

    /// Carries out a request. A [`ConsumerRequest`] returns JSON as text.
    pub fn ask(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, move |request: ConsumerRequest| async move { inner.ask(request).await })
    }
}

/// Converts the error of a call to a journal.
fn unreachable(error: RemoteError) -> Failure {
    error.into_failure("journal")
}
