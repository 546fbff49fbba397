//! The object of one consumer: it runs the core's machine, and carries out what the machine asks for.

mod address;
mod attempts;
mod cloud_event;
mod definition;
mod delivery;
mod handlers;
mod kept;
mod operate;
mod reaching;
mod reactor;
mod run;
mod shown;
mod signature;
mod url;

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use futures_util::lock::Mutex;
use js_sys::Promise;
use sillok::ErrorCode;
use sillok::handler::{Consumer, ConsumerName, DocumentKey, LetterId, OpenError};
use sillok::store::{StreamId, Version};
use sillok_bridge::{Failure, message, now};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app::{self, InCode};
use crate::objects::{
    Meter, ObjectAlarm, ObjectName, ObjectSql, RemoteError, partitions, promised, rang, spawn, turn,
};
pub(crate) use attempts::tell_panics;
use attempts::{Attempts, Watched};
pub(crate) use definition::Definition;
pub(crate) use handlers::Handler;
use handlers::JsHandler;
use reaching::Reaching;
pub(crate) use reactor::react;
pub use reactor::{Reactor, ReactorContext};
use run::{Run, random};

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
    /// The key of a document.
    pub(crate) key: Option<DocumentKey>,
    /// With what the keys of documents begin.
    pub(crate) prefix: String,
    /// The id of a dead letter.
    pub(crate) letter: Option<LetterId>,
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
    prefix: "prefix",
    letter: "letter",
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
    /// The consumer's name and tenant, as the object's own name tells.
    name: Option<ObjectName<ConsumerName>>,
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
    reaching: Reaching,
    attempts: Watched,
    /// The attempt that was a crash of the last engine, until there is a machine to count it.
    cut_off: Cell<Option<CutOff>>,
}

/// An attempt that has crashed the engine: at which event, and why.
struct CutOff {
    stream: StreamId,
    version: Version,
    reason: String,
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
        let name = ObjectName::<ConsumerName>::of(&state);
        let in_rust = name.as_ref().and_then(|name| app::consumer(&name.keeps));
        let code = RefCell::new(in_rust.map(|InCode { definition, handler, .. }| (definition, handler)));
        let (defined, changing, run) = (RefCell::default(), Mutex::default(), Run::default());
        let (reaching, attempts, cut_off) = (Reaching::default(), Watched::default(), Cell::default());
        let inner =
            Inner { name, env, state, meter, sql, code, defined, changing, run, reaching, attempts, cut_off };
        Self { inner: Rc::new(inner) }
    }

    async fn fetch(&self, _: Request) -> worker::Result<Response> {
        Response::error("this object is spoken to by RPC", 501)
    }

    /// Fails where what could not be done could not be put off either: the runtime then rings again.
    async fn alarm(&self) -> worker::Result<Response> {
        rang(self.inner.rang().await)
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

    /// Takes what outlives the engine: to this it tells which attempt is under way.
    #[wasm_bindgen(js_name = watchedBy)]
    pub fn watched_by(&self, attempts: Attempts) {
        self.inner.attempts.by(attempts);
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
        let not_found = |_| Failure::new(ErrorCode::ConsumerNotFound, "there is no consumer of this name");
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
        let settings = definition.settings(self.name()?.keeps.clone(), partitions)?;
        let sql = ObjectSql::new(&storage, Rc::clone(&self.meter));
        let alarm = ObjectAlarm::new(&storage, Rc::clone(&self.meter));
        let mut machine = Consumer::open(sql, alarm, settings)?;
        if let Some(CutOff { stream, version, reason }) = self.cut_off.take() {
            machine.cut_off(stream, version, &reason, random());
        }
        Ok(Defined { definition: Rc::new(definition), machine, started: false })
    }

    /// Without a name there is no consumer: nothing is guessed.
    fn name(&self) -> Result<&ObjectName<ConsumerName>, Failure> {
        let name = self.name.as_ref();
        name.ok_or_else(|| {
            Failure::new(ErrorCode::Internal, "the object was not found by the name of a consumer")
        })
    }

    fn woken(self: &Rc<Self>, partition: usize) -> Result<(), Failure> {
        match self.with(|Defined { machine, .. }| machine.woken(partition, now())) {
            // One that was removed has no duties.
            Err(failure) if failure.code == ErrorCode::ConsumerNotFound => Ok(()),
            woken => woken.map(|()| self.start()),
        }
    }

    /// Begins a run, unless one is under way.
    fn start(self: &Rc<Self>) {
        let inner = Rc::clone(self);
        spawn(async move {
            // What has failed is in the log. Whoever woke the consumer has set the alarm before.
            let _ = inner.run().await;
        });
    }
}

/// What came of asking a journal, where that is no answer.
fn unreachable(error: RemoteError) -> Failure {
    error.into_failure("journal")
}
