//! The object that stores the journal: the methods that others call, over the core's driver.

mod carrying_out;
mod requests;
mod rpc;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise};
use sillok::gateway::{JournalDriver, JournalEffect, RecordError};
use sillok::handler::ConsumerName;
use sillok::store::{Position, Version};
use sillok_bridge::{Failure, Message};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app;
use crate::objects::{
    Calls, Driven, Driving, Meter, ObjectAlarm, ObjectName, ObjectSql, Partition, nudges, partitions,
    promised, rang, turn,
};
pub(crate) use rpc::{FeedRequest, JournalStatus, Remote, end_of};
use rpc::{ForwardMessage, PositionRequest, Registration};

/// One partition of a tenant's journal in the storage of its own Durable Object. Others call it by RPC, through the entry class
/// in `worker/objects.ts`.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct JournalObject {
    inner: Rc<Inner>,
}

/// The state that the object's requests and its own work share.
#[derive(Debug)]
struct Inner {
    driver: RefCell<JournalDriver<ObjectSql, ObjectAlarm>>,
    /// The number of partitions, or the reason why it is not known. Then the journal records and reads nothing, but still wakes
    /// consumers.
    partitions: Result<usize, Failure>,
    driving: Driving<JournalEffect>,
    recording: Calls<Result<Version, RecordError>>,
    locating: Calls<Result<Option<Position>, RecordError>>,
    /// Whether JavaScript has passed the consumers to wake.
    is_set_up: Cell<bool>,
    name: Option<ObjectName<Partition>>,
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
            driving: Driving::counted_by(meter),
            recording: Calls::default(),
            locating: Calls::default(),
            is_set_up: Cell::default(),
            name: ObjectName::of(&state),
            state,
            env,
        };
        Self { inner: Rc::new(inner) }
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
impl JournalObject {
    /// Records new commits of a stream. `{stream, base, hidden, deleted, commits}` returns the version up to which the journal
    /// has the stream. It answers after the commits are durable and the consumers are awake or wait for the alarm.
    pub fn record(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: ForwardMessage| async move { inner.record(request).await })
    }

    /// Reads one page of the feed. `{feed, consumer, heads}` returns `{page, end, heads}`.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn feed(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.driving.meter, request, |request| self.inner.read_feed(&request))
    }

    /// Reads one page of the directory. `{prefix, category, after, limit}` returns `{streams, next}`.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn streams(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.driving.meter, request, |request| self.inner.read_streams(&request))
    }

    /// Finds the position of an event. `{stream, version, millis}` returns the position of the stream's last event, or nothing if
    /// the journal does not have the stream up to that version after `millis` milliseconds.
    #[wasm_bindgen(js_name = positionOf)]
    pub fn position_of(&self, request: JsValue) -> Promise {
        let inner = Rc::clone(&self.inner);
        promised(request, |request: PositionRequest| async move { inner.position_of(request).await })
    }

    /// Returns the status of the journal: `{partition, end, consumers, sinceStart}`.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn status(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.driving.meter, request, |()| self.inner.status())
    }

    /// Takes the names of the consumers that the code of this deployment defines in JavaScript. The journal wakes them beside the
    /// registered ones.
    ///
    /// # Errors
    /// A [`Failure`] if one of these is not a name of a consumer.
    #[wasm_bindgen(js_name = alsoWakes)]
    pub fn also_wakes(&self, consumers: Vec<String>) -> Result<(), JsValue> {
        let names = consumers.iter().map(|name| ConsumerName::new(name));
        let names = names.collect::<Result<_, _>>().map_err(|error| Failure::from(error).to_js())?;
        self.inner.driver.borrow_mut().wakes().also_wake(names);
        self.inner.is_set_up.set(true);
        Ok(())
    }

    /// Calls `set_up`, unless JavaScript has passed the consumers to wake. The function passes them by `alsoWakes`. A crash of the
    /// engine replaces the object, and the new one is not set up.
    ///
    /// # Errors
    /// The exception of the function.
    #[wasm_bindgen(js_name = setUp)]
    pub fn set_up(&self, set_up: &Function) -> Result<(), JsValue> {
        if self.inner.is_set_up.get() { Ok(()) } else { set_up.call0(&JsValue::UNDEFINED).map(drop) }
    }

    /// Registers a consumer durably. The journal then wakes it each time that it has grown. `{consumer}` returns nothing.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn register(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.driving.meter, request, |Registration { consumer }| {
            self.inner.driver.borrow_mut().wakes().register(&consumer).map_err(Failure::from)
        })
    }

    /// Removes a consumer durably. The journal then no longer wakes it. `{consumer}` returns nothing.
    ///
    /// # Errors
    /// A `TypeError` if the request has another shape.
    pub fn unregister(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.inner.driving.meter, request, |Registration { consumer }| {
            self.inner.driver.borrow_mut().wakes().unregister(&consumer).map_err(Failure::from)
        })
    }
}
