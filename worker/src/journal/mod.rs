//! The object that keeps the journal: the commits of all streams of a partition in one order.

mod reading;
mod recording;
mod rpc;
mod waiting;
mod waking;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use sillok::gateway::Journal;
use sillok::gateway::Wakes;
use sillok::handler::ConsumerName;
use sillok_bridge::{Failure, Message};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::app;
use crate::objects::{
    Meter, ObjectAlarm, ObjectName, ObjectSql, Partition, nudges, partitions, promised, rang, turn,
};
use recording::Recording;
#[allow(unused_imports)]
pub(crate) use rpc::{FeedReply, FeedRequest, JournalStatus, Remote, end_of};
use rpc::{ForwardMessage, PositionRequest, Registration};
use waiting::Waiting;

/// One partition of a tenant's journal in the storage of its own Durable Object, spoken to by RPC through the entry class
/// in `worker/objects.ts`.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct JournalObject {
    keeper: Rc<Keeper>,
}

/// What the object's requests and what it does besides share.
#[derive(Debug)]
struct Keeper {
    /// Or why there is none.
    journal: RefCell<Result<Journal<ObjectSql>, Failure>>,
    wakes: RefCell<Wakes<ObjectSql, ObjectAlarm>>,
    recording: Recording,
    waiting: Waiting,
    /// Whether the alarm that an earlier life of the object may have set was looked at.
    looked: Cell<bool>,
    /// Whether JavaScript has said whom else to wake.
    told: Cell<bool>,
    name: Option<ObjectName<Partition>>,
    meter: Rc<Meter>,
    state: State,
    env: Env,
}

impl DurableObject for JournalObject {
    fn new(state: State, env: Env) -> Self {
        let (meter, storage) = (Rc::new(Meter::default()), state.storage());
        let sql = || ObjectSql::new(&storage, Rc::clone(&meter));
        let journal = partitions(&env).map(|partitions| Journal::new(sql(), partitions));
        let mut wakes = Wakes::new(sql(), ObjectAlarm::new(&storage, Rc::clone(&meter)));
        wakes.also_wake(app::consumers());
        let keeper = Keeper {
            journal: RefCell::new(journal),
            wakes: RefCell::new(wakes),
            recording: Recording::default(),
            waiting: Waiting::default(),
            looked: Cell::default(),
            told: Cell::default(),
            name: ObjectName::of(&state),
            meter,
            state,
            env,
        };
        Self { keeper: Rc::new(keeper) }
    }

    /// Takes a follower's WebSocket. Everything else is RPC.
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        nudges::admit(&self.keeper.state, &request)
    }

    /// Fails where the machine could not set the alarm anew: the runtime then rings it again.
    async fn alarm(&self) -> worker::Result<Response> {
        rang(self.keeper.ring().await)
    }
}

/// The methods that other objects call, by the entry class in `worker/objects.ts`.
#[wasm_bindgen]
impl JournalObject {
    /// Records what is new of a stream: `{stream, base, hidden, deleted, commits}` gives the version up to which the
    /// journal has the stream, once that is durable and those who follow were woken.
    pub fn record(&self, request: JsValue) -> Promise {
        self.keeper.look_at_alarm();
        let keeper = Rc::clone(&self.keeper);
        promised(request, |request: ForwardMessage| async move { keeper.record(request).await })
    }

    /// Reads one page of the feed: `{feed, consumer}` gives `{page, end}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn feed(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |request| self.keeper.read_feed(&request))
    }

    /// Reads one page of the directory: `{prefix, category, after, limit}` gives `{streams, next}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn streams(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |request| self.keeper.read_streams(&request))
    }

    /// Tells where an event stands: `{stream, version, millis}` gives the position of the stream's last event, or nothing
    /// where the journal does not have the stream up to that version so many milliseconds later.
    #[wasm_bindgen(js_name = positionOf)]
    pub fn position_of(&self, request: JsValue) -> Promise {
        let keeper = Rc::clone(&self.keeper);
        promised(request, move |request: PositionRequest| async move {
            keeper.meter.spent_on(keeper.position_of(&request)).await
        })
    }

    /// Tells how it stands: nothing gives `{partition, end, consumers, rowsWritten, …}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn status(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |()| self.keeper.status())
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
        self.keeper.wakes.borrow_mut().also_wake(names);
        self.keeper.told.set(true);
        Ok(())
    }

    /// Whether it was told whom else to wake. After a crash of the engine there is another object, which was not.
    #[wasm_bindgen(js_name = isTold)]
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.keeper.told.get()
    }

    /// Makes durable that a consumer is woken whenever the journal has grown: `{consumer}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn register(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |Registration { consumer }| {
            self.keeper.wakes.borrow_mut().register(&consumer).map_err(Failure::from)
        })
    }

    /// Makes durable that a consumer is not woken any more: `{consumer}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn unregister(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |Registration { consumer }| {
            self.keeper.wakes.borrow_mut().unregister(&consumer).map_err(Failure::from)
        })
    }
}
