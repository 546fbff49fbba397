//! The object that stores one stream: its methods for other objects, over the core's driver.

mod carrying_out;
mod code;
mod executing;
mod pending;
mod pending_rpc;
mod requests;
mod rpc;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use sillok::gateway::{AggregateDriver, AggregateEffect, Forget};
use sillok::store::StreamId;
use sillok::store::sqlite::StreamTable;
use sillok_bridge::{Failure, Message};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app;
use crate::objects::{
    Calls, Driven, Driving, Meter, ObjectAlarm, ObjectName, ObjectSql, nudges, promised, rang, turn,
};
use carrying_out::Answer;
use code::Code;
pub(crate) use code::InRust;
#[cfg(feature = "testing")]
pub(crate) use executing::command_of;
pub(crate) use pending_rpc::{ChangePendingRequest, Listed, PendingAct, PendingRequest};
#[cfg(feature = "testing")]
pub(crate) use requests::cause_of;
pub(crate) use rpc::{
    AppendRequest, CauseMessage, EventsFormat, ExecuteRequest, HeadReply, Origin, ProofRequest, ReadRequest,
    Remote, SnapshotsMessage, StateRequest, StreamRequest, TruncateRequest,
};

/// One stream in the storage of its own Durable Object. Others call it by RPC, through the entry class in `worker/objects.ts`.
///
/// An append or a read is one synchronous turn. The object has a single thread and a turn awaits nothing. So no other request
/// runs between the read of the head and the write of the commit, and an exact expected version holds under any concurrency.
/// The runtime's output gate holds the answer until the commit is on disk. So an answered append survives a crash.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct AggregateObject {
    inner: Rc<Inner>,
}

/// The state that the object's requests and its own work share.
#[derive(Debug)]
struct Inner {
    /// `None` if the object has no name. It then refuses everything, because it could forward nothing.
    named: Option<Named>,
    code: Code,
    driving: Driving<AggregateEffect>,
    /// The requests that the driver answers later.
    calls: Calls<Answer>,
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
        let name = ObjectName::<StreamId>::of(&state);
        let in_rust = name.as_ref().and_then(|name| app::aggregate_of(&name.identity));
        let named = name.map(|name| {
            let log = StreamTable::new(ObjectSql::new(&storage, Rc::clone(&meter)));
            let alarm = ObjectAlarm::new(&storage, Rc::clone(&meter));
            let mut driver = AggregateDriver::new(name.identity.clone(), log, alarm);
            if let Some(code) = in_rust {
                driver.behave((code.behave)(name.identity.clone()));
            }
            Named { driver: RefCell::new(driver), name }
        });
        let (driving, calls, code) = (Driving::counted_by(meter), Calls::default(), Code::new(in_rust));
        Self { inner: Rc::new(Inner { named, code, driving, calls, state, env }) }
    }

    /// Accepts a follower's WebSocket. All other calls are RPC.
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        nudges::admit(&self.inner.state, &request)
    }

    /// Fails if the alarm could not be set again. The runtime then rings it again.
    async fn alarm(&self) -> worker::Result<Response> {
        rang(self.inner.ring().await)
    }
}

/// The methods for Workers and other objects. The entry class in `worker/objects.ts` calls them.
#[wasm_bindgen]
impl AggregateObject {
    /// The categories of the aggregates that are defined in Rust.
    ///
    /// # Errors
    /// An `Error` if a registration in Rust is invalid.
    #[wasm_bindgen(js_name = inRust)]
    pub fn in_rust() -> Result<Vec<String>, JsValue> {
        let categories = || app::aggregates().iter().map(|code| code.category.to_owned()).collect();
        app::refused().map_or_else(|| Ok(categories()), |refused| Err(refused.into()))
    }

    /// Calls `set_up` with the stream of the object, unless the object has the code of its aggregate. The function passes the
    /// code by `behavedBy`. A crash of the engine replaces the object, and the new one is not set up if the code is JavaScript.
    /// So the object asks, and returns nothing: what a method returns is a promise where a test tool has wrapped `Function`.
    ///
    /// # Errors
    /// The exception of the function.
    #[wasm_bindgen(js_name = setUp)]
    pub fn set_up(&self, set_up: &Function) -> Result<(), JsValue> {
        match &self.inner.named {
            Some(named) if !self.inner.code.is_given() => {
                set_up.call1(&JsValue::UNDEFINED, &named.name.identity.as_str().into()).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Takes a function that makes the code of the aggregate, if JavaScript defines one for the category of the stream.
    /// `is_open` says whether everyone who may append can append events directly.
    ///
    /// # Errors
    /// The exception of the function.
    #[wasm_bindgen(js_name = behavedBy)]
    pub fn behaved_by(&self, make: Function, is_open: bool) -> Result<(), JsValue> {
        self.inner.behaved_by(make, is_open)
    }

    /// Whether the command of an [`ExecuteRequest`] has a remembered outcome. The execution of the command reports the errors.
    #[must_use]
    pub fn remembers(&self, request: &JsValue) -> bool {
        ExecuteRequest::from_js(request)
            .is_some_and(|request| self.inner.remembers(&request).unwrap_or_default())
    }

    /// Executes a command. An [`ExecuteRequest`] returns `{stream, firstVersion, version, time, events, replayed, rejection}`;
    /// `events` and `rejection` are JSON text.
    pub fn execute(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: ExecuteRequest| async move { inner.execute(request).await })
    }

    /// Loads the state. `{stream, version, time}` returns `{stream, version, state}`; `state` is JSON text.
    pub fn state(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: StateRequest| async move { inner.state(request).await })
    }

    /// Reads a page of timers or sent commands. `{stream, kind, after, limit}` returns `{items, next}`; `items` is JSON text.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn pending(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_pending(&request))
    }

    /// Cancels a timer or a sent command, or attempts it again: `{stream, kind, key, act}`.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    #[wasm_bindgen(js_name = changePending)]
    pub fn change_pending(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.change_pending(&request))
    }

    /// Appends events. `{stream, expectedVersion, events, format, key, cause, admin}` returns `{stream, firstVersion, …}`.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn append(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.append_events(request))
    }

    /// Reads one page. `{stream, range}` returns `{version, events, next}`; `events` is JSON text.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn read(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_events(&request))
    }

    /// Returns the first version and the head of the stream. `{stream}` returns `{version, firstVersion, time, deleted, snapshots}`.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn head(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_head(&request))
    }

    /// Verifies a page of the stream's hash chain. `{stream, next}` returns `{version, text, next}`; `text` is the result up to
    /// this page as JSON.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn verify(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.verify_chain(&request))
    }

    /// Exports a page of commits. `{stream, next}` returns `{version, text, next}`; `text` is the commits as lines of JSON.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn commits(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |inner, request| inner.read_commits(&request))
    }

    /// Forgets the events before a version. `{stream, before}` returns the remaining range as JSON text.
    pub fn truncate(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: TruncateRequest| async move { inner.truncate(request).await })
    }

    /// Deletes the stream. `{stream}` returns nothing. Every later append to the stream is refused.
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
        turn(&self.inner.driving.meter, request, |request| {
            self.inner.drive(AggregateDriver::touched)?;
            act(&self.inner, request)
        })
    }
}
