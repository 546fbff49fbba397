//! The object that keeps the journal: the commits of all streams of a partition in one order.

mod recording;
mod rpc;
mod waking;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use sillok::gateway::Wakes;
use sillok::store::{FeedLog, Journal, Position, StorageError, StreamId, Version};
use sillok_bridge::{Failure, FeedPageJson, parse_feed, read_feed};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::objects::{Meter, ObjectAlarm, ObjectName, ObjectSql, nudges, partitions, promised, turn};
use recording::Recording;
pub(crate) use rpc::{ConsumerRequest, FeedRequest, Remote};
use rpc::{ForwardMessage, PositionRequest};

/// One partition of a tenant's journal in the storage of its own Durable Object, spoken to by RPC through the entry class
/// in `worker/entry.ts`.
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
    /// Whether the alarm that an earlier life of the object may have set was looked at.
    looked: Cell<bool>,
    name: Option<ObjectName>,
    meter: Rc<Meter>,
    state: State,
    env: Env,
}

impl DurableObject for JournalObject {
    fn new(state: State, env: Env) -> Self {
        let (meter, storage) = (Rc::new(Meter::default()), state.storage());
        let sql = || ObjectSql::new(&storage, Rc::clone(&meter));
        let journal = partitions(&env).map(|partitions| Journal::new(sql(), partitions));
        let wakes = Wakes::new(sql(), ObjectAlarm::new(&storage, Rc::clone(&meter)));
        let keeper = Keeper {
            journal: RefCell::new(journal),
            wakes: RefCell::new(wakes),
            recording: Recording::default(),
            looked: Cell::default(),
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

    /// Never fails: the runtime gives up an alarm that fails some times, and the machine sets it anew where it has to.
    async fn alarm(&self) -> worker::Result<Response> {
        self.keeper.ring().await;
        Response::empty()
    }
}

impl Keeper {
    fn feed(&self, request: &FeedRequest) -> Result<FeedPageJson, Failure> {
        let FeedRequest { feed, partition, partitions, consumer } = request;
        let (checkpoint, range) = parse_feed(feed, *partition, *partitions)?;
        let page =
            self.read(|journal| read_feed(journal, &range, &checkpoint, *partition).map_err(storage_failure))?;
        if let Some(consumer) = consumer.as_ref().filter(|_| !page.more) {
            self.wakes.borrow_mut().caught_up(consumer);
        }
        Ok(page)
    }

    /// Reads the journal, where there is one.
    fn read<T>(&self, read: impl FnOnce(&Journal<ObjectSql>) -> Result<T, Failure>) -> Result<T, Failure> {
        self.journal.borrow().as_ref().map_err(Failure::clone).and_then(read)
    }
}

/// The methods that other objects call, by the entry class in `worker/entry.ts`.
#[wasm_bindgen]
impl JournalObject {
    /// Records what is new of a stream: `{stream, base, hidden, deleted, commits}` gives the version up to which the
    /// journal has the stream, once that is durable and those who follow were woken.
    pub fn record(&self, request: JsValue) -> Promise {
        self.keeper.look_at_alarm();
        let keeper = Rc::clone(&self.keeper);
        promised(request, |request: ForwardMessage| async move { keeper.record(request).await })
    }

    /// Has these consumers woken beside those that are registered: the code of this deployment defines them.
    #[wasm_bindgen(js_name = alsoWakes)]
    pub fn also_wakes(&self, consumers: Vec<String>) {
        self.keeper.wakes.borrow_mut().also_wake(consumers);
    }

    /// Reads a page of the feed: `{feed, partition, partitions, consumer}` gives `{events, checkpoint, more}`. A consumer
    /// that has read to the end is woken when there is more.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn feed(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |request: FeedRequest| self.keeper.feed(&request))
    }

    /// The names of all consumers that are woken: nothing gives an array.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn consumers(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |()| {
            self.keeper.wakes.borrow_mut().names().map_err(storage_failure)
        })
    }

    /// The position of the last event: nothing gives a number.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn end(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |()| {
            self.keeper.read(|journal| journal.end().map(Position::get).map_err(storage_failure))
        })
    }

    /// The position of a stream's last event, once the journal has the stream up to a version: `{stream, version}`
    /// gives a number or nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    #[wasm_bindgen(js_name = positionOf)]
    pub fn position_of(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |request: PositionRequest| {
            let (stream, version) = (StreamId::new(&request.stream)?, Version::new(request.version));
            let version = version.unwrap_or(Version::MAX);
            self.keeper.read(|journal| {
                let position = journal.position_of(&stream, version).map_err(storage_failure)?;
                Ok(position.map(Position::get))
            })
        })
    }

    /// Makes durable that a consumer is woken whenever the journal has grown: `{consumer}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn register(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |ConsumerRequest { consumer }| {
            self.keeper.wakes.borrow_mut().register(&consumer).map_err(storage_failure)
        })
    }

    /// Makes durable that a consumer is not woken any more: `{consumer}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn unregister(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(&self.keeper.meter, request, |ConsumerRequest { consumer }| {
            self.keeper.wakes.borrow_mut().unregister(&consumer).map_err(storage_failure)
        })
    }
}

// Taken by value for `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn storage_failure(error: StorageError) -> Failure {
    Failure::from(&error)
}
