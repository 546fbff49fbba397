//! The object that stores one stream: the methods that others call, over the core's driver.

mod carrying_out;
mod requests;
mod rpc;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use sillok::gateway::{AggregateDriver, AggregateEffect, Forget, ForgetError, Forgotten};
use sillok::store::sqlite::StreamTable;
use sillok::store::{StorageError, StreamId};
use sillok_bridge::{Failure, Message};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::objects::{
    Calls, Effects, Meter, ObjectAlarm, ObjectName, ObjectSql, nudges, promised, rang, turn,
};
pub(crate) use rpc::{
    AppendRequest, CauseMessage, EventsFormat, HeadReply, ProofRequest, ReadRequest, Remote, StreamRequest,
    TruncateRequest,
};

/// One stream in the storage of its own Durable Object, spoken to by RPC through the entry class in
/// `worker/objects.ts`.
///
/// To append and to read is one synchronous turn. The object runs on a single thread and a turn awaits nothing, so no
/// other request comes between reading the head and writing the commit: an exact expected version holds under
/// any concurrency. The runtime's output gate keeps the answer back until the commit is on disk: what was
/// answered survives a crash.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct AggregateObject {
    inner: Rc<Inner>,
}

/// What the object's requests and its own work share.
#[derive(Debug)]
struct Inner {
    /// Without a name there is none: nothing could be forwarded, so nothing is taken.
    named: Option<Named>,
    effects: Effects<AggregateEffect>,
    forgetting: Calls<Result<Forgotten, ForgetError>>,
    ringing: Calls<Result<(), StorageError>>,
    meter: Rc<Meter>,
    state: State,
    env: Env,
}

#[derive(Debug)]
struct Named {
    name: ObjectName<StreamId>,
    driver: RefCell<AggregateDriver<StreamTable<ObjectSql>, ObjectAlarm>>,
}

impl DurableObject for AggregateObject {
    fn new(state: State, env: Env) -> Self {
        let (meter, storage) = (Rc::new(Meter::default()), state.storage());
        let named = ObjectName::<StreamId>::of(&state).map(|name| {
            let log = StreamTable::new(ObjectSql::new(&storage, Rc::clone(&meter)));
            let alarm = ObjectAlarm::new(&storage, Rc::clone(&meter));
            Named { driver: RefCell::new(AggregateDriver::new(name.identity.clone(), log, alarm)), name }
        });
        let (effects, forgetting, ringing) = (Effects::default(), Calls::default(), Calls::default());
        Self { inner: Rc::new(Inner { named, effects, forgetting, ringing, meter, state, env }) }
    }

    /// Takes a follower's WebSocket. Everything else is RPC.
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        nudges::admit(&self.inner.state, &request)
    }

    /// Fails where the alarm could not be set anew: the runtime then rings it again.
    async fn alarm(&self) -> worker::Result<Response> {
        rang(self.inner.ring().await)
    }
}

/// The methods that other Workers and objects call, by the entry class in `worker/objects.ts`.
#[wasm_bindgen]
impl AggregateObject {
    /// Appends events: `{stream, expectedVersion, events, format, key, cause}` gives `{stream, firstVersion, …}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn append(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.append_events(request))
    }

    /// Reads one page: `{stream, range}` gives `{version, events, next}`, the events as JSON text.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn read(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_events(&request))
    }

    /// Tells where the stream begins and ends: `{stream}` gives `{version, firstVersion, time, deleted}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn head(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_head(&request))
    }

    /// Computes a page of the stream's hash chain anew: `{stream, next}` gives `{version, text, next}`, the text what was
    /// found so far as JSON.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn verify(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.verify_chain(&request))
    }

    /// Hands out a page of commits: `{stream, next}` gives `{version, text, next}`, the text the commits as lines of JSON.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn commits(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_commits(&request))
    }

    /// Forgets the events before a version: `{stream, before}` gives what is left as JSON text.
    pub fn truncate(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: TruncateRequest| async move { inner.truncate(request).await })
    }

    /// Deletes the stream: `{stream}` gives nothing. Nothing can be appended to it afterwards.
    pub fn delete(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |_: StreamRequest| async move {
            let (forgotten, receipt) = inner.forget(Forget::All).await;
            (forgotten.map(|_| ()), receipt)
        })
    }
}

impl AggregateObject {
    fn turn<Q: Message, A: Message>(
        &self,
        request: JsValue,
        act: impl FnOnce(&Rc<Inner>, Q) -> Result<A, Failure>,
    ) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |request| {
            self.inner.drive(AggregateDriver::touched)?;
            act(&self.inner, request)
        })
    }
}
