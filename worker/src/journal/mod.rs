//! The object that stores the journal: the methods that others call, over the core's driver.

mod carrying_out;
mod requests;
mod rpc;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use sillok::gateway::{JournalDriver, JournalEffect, RecordError};
use sillok::handler::ConsumerName;
use sillok::store::{Position, StorageError, Version};
use sillok_bridge::{Failure, Message};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app;
use crate::objects::{
    Calls, Driven, Effects, Meter, ObjectAlarm, ObjectName, ObjectSql, Partition, nudges, partitions,
    promised, rang, turn,
};
pub(crate) use rpc::{FeedRequest, JournalStatus, Remote, end_of};
use rpc::{ForwardMessage, PositionRequest, Registration};

/// One partition of a tenant's journal in the storage of its own Durable Object, spoken to by RPC through the entry class
/// in `worker/objects.ts`.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct JournalObject {
    inner: Rc<Inner>,
}

/// What the object's requests and its own work share.
#[derive(Debug)]
struct Inner {
    driver: RefCell<JournalDriver<ObjectSql, ObjectAlarm>>,
    /// How many partitions there are, or why that is not known: then nothing is recorded or read, and consumers are woken all the
    /// same.
    partitions: Result<usize, Failure>,
    effects: Effects<JournalEffect>,
    recording: Calls<Result<Version, RecordError>>,
    locating: Calls<Result<Option<Position>, RecordError>>,
    ringing: Calls<Result<(), StorageError>>,
    /// Whether JavaScript has said whom else to wake.
    is_set_up: Cell<bool>,
    name: Option<ObjectName<Partition>>,
    meter: Rc<Meter>,
    state: State,
    env: Env,
}

impl DurableObject for JournalObject {
    fn new(state: State, env: Env) -> Self {
        let (meter, storage) = (Rc::new(Meter::default()), state.storage());
        let partitions = partitions(&env);
        let sql = ObjectSql::new(&storage, Rc::clone(&meter));
        let alarm = ObjectAlarm::new(&storage, Rc::clone(&meter));
        let mut driver =
            JournalDriver::new(sql, alarm, partitions.as_ref().map_or(1, |partitions| *partitions));
        driver.wakes().also_wake(app::consumers());
        let inner = Inner {
            driver: RefCell::new(driver),
            partitions,
            effects: Effects::default(),
            recording: Calls::default(),
            locating: Calls::default(),
            ringing: Calls::default(),
            is_set_up: Cell::default(),
            name: ObjectName::of(&state),
            meter,
            state,
            env,
        };
        Self { inner: Rc::new(inner) }
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

/// The methods that other objects call, by the entry class in `worker/objects.ts`.
#[wasm_bindgen]
impl JournalObject {
    /// Records what is new of a stream: `{stream, base, hidden, deleted, commits}` gives the version up to which the
    /// journal has the stream, once that is durable and those who follow were woken.
    pub fn record(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: ForwardMessage| async move { inner.record(request).await })
    }

    /// Reads one page of the feed: `{feed, consumer}` gives `{page, end}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn feed(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |request| self.inner.read_feed(&request))
    }

    /// Reads one page of the directory: `{prefix, category, after, limit}` gives `{streams, next}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn streams(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |request| self.inner.read_streams(&request))
    }

    /// Tells where an event stands: `{stream, version, millis}` gives the position of the stream's last event, or nothing
    /// where the journal does not have the stream up to that version so many milliseconds later.
    #[wasm_bindgen(js_name = positionOf)]
    pub fn position_of(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: PositionRequest| async move { inner.position_of(request).await })
    }

    /// Tells how it stands: nothing gives `{partition, end, consumers, rowsWritten, …}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn status(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |()| self.inner.status())
    }

    /// Has these consumers woken beside those that are registered: the code of this deployment
    /// defines them in JavaScript.
    ///
    /// # Errors
    /// A [`Failure`] when one of these is no name of a consumer.
    #[wasm_bindgen(js_name = alsoWakes)]
    pub fn also_wakes(&self, consumers: Vec<String>) -> Result<(), JsValue> {
        let names = consumers.iter().map(|name| ConsumerName::new(name));
        let names = names.collect::<Result<_, _>>().map_err(|error| Failure::from(error).to_js())?;
        self.inner.driver.borrow_mut().wakes().also_wake(names);
        self.inner.is_set_up.set(true);
        Ok(())
    }

    /// Whether it was told whom else to wake. After a crash of the engine there is another object, which was not.
    #[wasm_bindgen(js_name = isSetUp)]
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        self.inner.is_set_up.get()
    }

    /// Makes durable that a consumer is woken whenever the journal has grown: `{consumer}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn register(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |Registration { consumer }| {
            self.inner.driver.borrow_mut().wakes().register(&consumer).map_err(Failure::from)
        })
    }

    /// Makes durable that a consumer is not woken any more: `{consumer}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn unregister(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.meter, request, |Registration { consumer }| {
            self.inner.driver.borrow_mut().wakes().unregister(&consumer).map_err(Failure::from)
        })
    }
}
