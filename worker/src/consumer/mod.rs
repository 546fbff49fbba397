//! The object of one consumer: it runs the core's machine, and carries out what the machine asks for.

mod address;
mod cloud_event;
mod definition;
mod delivery;
mod handlers;
mod kept;
mod operate;
mod reactor;
mod run;
mod shown;
mod signature;
mod url;

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use futures_util::lock::Mutex;
use js_sys::Promise;
use sillok::handler::{Consumer, OpenError};
use sillok_bridge::{Failure, message, now};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app::{self, InCode};
use crate::objects::{
    Meter, ObjectAlarm, ObjectName, ObjectSql, RemoteError, partitions, promised, spawn, turn,
};
pub(crate) use address::is_this_machine;
pub(crate) use definition::Definition;
pub(crate) use handlers::Handler;
use handlers::JsHandler;
pub(crate) use reactor::react;
pub use reactor::{Reactor, ReactorContext};
use run::Run;

/// The binding of the objects, as wrangler.toml names it.
pub(crate) const CONSUMERS: &str = "CONSUMER";
/// That another kind of consumer has the name, and what it has left.
const KIND_FIXED: &str = "consumer_kind_fixed";

/// What a journal tells a consumer.
#[derive(Debug)]
pub(crate) struct WakeRequest {
    /// The partition that has grown.
    pub(crate) partition: usize,
}

message!(WakeRequest { partition: "partition" });

/// What is asked of a consumer. Which of the parts count depends on the act.
#[derive(Debug, Default)]
pub(crate) struct ConsumerRequest {
    /// What to do: `define`, `remove`, `status`, `pause`, `resume`, `rebuild`, `retry`, `letters`, `discard`, `document`,
    /// `documents` or `reach`.
    pub(crate) act: String,
    /// What the consumer is to be, as JSON.
    pub(crate) definition: String,
    /// The key of a document, or with what keys begin; the id of a dead letter.
    pub(crate) key: String,
    /// After which key, or which letter, a page begins.
    pub(crate) after: String,
    /// The most that a page may hold.
    pub(crate) limit: usize,
    /// The partition of a position.
    pub(crate) partition: usize,
    /// A position to wait for.
    pub(crate) position: u64,
    /// How long to wait, in milliseconds.
    pub(crate) millis: u64,
    /// The URL by which the deployment was reached.
    pub(crate) asked_at: String,
    /// Whether to show all that there is to a definition, but for its secret: who may change it may see it.
    pub(crate) whole: bool,
}

message!(ConsumerRequest {
    act: "act",
    definition: "definition",
    key: "key",
    after: "after",
    limit: "limit",
    partition: "partition",
    position: "position",
    millis: "millis",
    asked_at: "askedAt",
    whole: "whole",
});

/// A consumer in the storage of its own Durable Object, spoken to by RPC through the entry class.
#[durable_object(alarm)]
pub(crate) struct ConsumerObject {
    inner: Rc<Inner>,
}

/// What the calls and the runs of an object share.
struct Inner {
    env: Env,
    state: State,
    meter: Rc<Meter>,
    sql: ObjectSql,
    /// What the consumer is by the code of this deployment.
    code: RefCell<Option<(Definition, Handler)>>,
    defined: RefCell<Option<Defined>>,
    /// Held by the request that defines the consumer or removes it.
    changing: Mutex<()>,
    run: Run,
}

/// A consumer that is defined, and its machine.
struct Defined {
    definition: Rc<Definition>,
    machine: Consumer<ObjectSql, ObjectAlarm>,
    /// Whether the machine was told for when the alarm is set.
    started: bool,
}

impl DurableObject for ConsumerObject {
    fn new(state: State, env: Env) -> Self {
        let meter = Rc::new(Meter::default());
        let sql = ObjectSql::new(&state.storage(), Rc::clone(&meter));
        let name = ObjectName::of(&state).map(|name| name.keeps);
        let in_rust = name.and_then(|name| app::consumer(&name));
        let code = RefCell::new(in_rust.map(|InCode { definition, handler, .. }| (definition, handler)));
        let (defined, changing, run) = (RefCell::default(), Mutex::default(), Run::default());
        Self { inner: Rc::new(Inner { env, state, meter, sql, code, defined, changing, run }) }
    }

    async fn fetch(&self, _: Request) -> worker::Result<Response> {
        Response::error("this object is spoken to by RPC", 501)
    }

    /// Always succeeds: what could not be done has the alarm set for it again.
    async fn alarm(&self) -> worker::Result<Response> {
        self.inner.rang().await;
        Response::empty()
    }
}

#[wasm_bindgen]
impl ConsumerObject {
    /// The consumer's name.
    #[must_use]
    pub fn name(&self) -> String {
        ObjectName::of(&self.inner.state).map(|name| name.keeps).unwrap_or_default()
    }

    /// The names of the consumers that are defined in Rust.
    #[wasm_bindgen(js_name = inRust)]
    #[must_use]
    pub fn in_rust() -> Vec<String> {
        app::consumers()
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

    /// Whether what the consumer is by the code of this deployment is known. After a crash of the engine there is another
    /// object, to which what JavaScript has said is not.
    #[wasm_bindgen(js_name = isTold)]
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.inner.code.borrow().is_some()
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
        promised(request, move |request: ConsumerRequest| async move {
            inner.meter.spent_on(inner.answer(request)).await
        })
    }
}

impl Inner {
    /// Works on the consumer, which is looked for where it was not yet.
    fn with<T, E>(&self, work: impl FnOnce(&mut Defined) -> Result<T, E>) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let mut defined = self.defined()?;
        Ok(work(&mut defined)?)
    }

    // Not a part of `with`, of which there is one for everything that is done.
    fn defined(&self) -> Result<RefMut<'_, Defined>, Failure> {
        let mut defined = self.defined.borrow_mut();
        if defined.is_none() {
            let definition = match (self.in_code(), kept::read(&self.sql)?) {
                // What is kept was defined by a request: a webhook or a queue, whose checkpoint is not the code's.
                (Some(_), Some(kept)) => {
                    return Err(OpenError::KindFixed { kind: kept.kind }.into());
                }
                (in_code, kept) => in_code.or(kept),
            };
            *defined = definition.map(|definition| self.open(definition)).transpose()?;
        }
        let not_found = |_| Failure::new("consumer_not_found", "there is no consumer of this name");
        RefMut::filter_map(defined, Option::as_mut).map_err(not_found)
    }

    fn look<T>(&self, look: impl FnOnce(&Defined) -> T) -> Result<T, Failure> {
        self.with(|defined| Ok::<_, Failure>(look(defined)))
    }

    /// What the consumer is by the code of this deployment, if anything.
    fn in_code(&self) -> Option<Definition> {
        self.code.borrow().as_ref().map(|(definition, _)| definition.clone())
    }

    fn open(&self, definition: Definition) -> Result<Defined, Failure> {
        let storage = self.state.storage();
        let partitions = partitions(&self.env)?;
        let settings = definition.settings(self.name().keeps, partitions)?;
        let sql = ObjectSql::new(&storage, Rc::clone(&self.meter));
        let alarm = ObjectAlarm::new(&storage, Rc::clone(&self.meter));
        let machine = Consumer::open(sql, alarm, settings)?;
        Ok(Defined { definition: Rc::new(definition), machine, started: false })
    }

    fn name(&self) -> ObjectName {
        ObjectName::of(&self.state).unwrap_or_else(|| ObjectName::new(None, ""))
    }

    fn woken(self: &Rc<Self>, partition: usize) -> Result<(), Failure> {
        match self.with(|Defined { machine, .. }| machine.woken(partition, now())) {
            // One that was removed has no duties.
            Err(failure) if failure.code == "consumer_not_found" => Ok(()),
            woken => woken.map(|()| self.start()),
        }
    }

    /// Begins a run, unless one is under way.
    fn start(self: &Rc<Self>) {
        let inner = Rc::clone(self);
        spawn(async move { inner.run().await });
    }
}

/// What came of asking a journal, where that is no answer.
fn unreachable(error: RemoteError) -> Failure {
    error.into_failure("journal")
}
