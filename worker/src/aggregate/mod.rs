//! The object that keeps one stream.

mod forwarding;
mod rpc;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::Promise;
use serde::Serialize;
use sillok::ErrorCode;
use sillok::gateway::{Aggregate, ForgetError};
use sillok::store::sqlite::StreamTable;
use sillok::store::{Append, Cause, EventId, IdempotencyKey, KeyOrigin, StreamId, Version};
use sillok_bridge::{
    AppendedJson, Failure, Message, PageJson, ProofPage, TruncatedJson, fresh_id, now, parse_events,
    parse_expected_version, parse_ndjson, parse_range, read_commits, read_page, rfc3339, verify_page,
};
use wasm_bindgen::prelude::*;
use worker::{Delay, DurableObject, Env, Request, Response, State, durable_object};

use crate::objects::{
    Meter, ObjectAlarm, ObjectName, ObjectSql, Receipt, nudges, partitions, promised, rang, turn,
};
use forwarding::Forwarding;
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
    keeper: Rc<Keeper>,
}

/// What the object's requests and what it does besides share.
#[derive(Debug)]
struct Keeper {
    machine: RefCell<Aggregate<StreamTable<ObjectSql>, ObjectAlarm>>,
    forwarding: Forwarding,
    name: Option<ObjectName<StreamId>>,
    meter: Rc<Meter>,
    state: State,
    env: Env,
}

impl DurableObject for AggregateObject {
    fn new(state: State, env: Env) -> Self {
        let (meter, storage) = (Rc::new(Meter::default()), state.storage());
        let log = StreamTable::new(ObjectSql::new(&storage, Rc::clone(&meter)));
        let machine = RefCell::new(Aggregate::new(log, ObjectAlarm::new(&storage, Rc::clone(&meter))));
        let (name, forwarding) = (ObjectName::of(&state), Forwarding::default());
        Self { keeper: Rc::new(Keeper { machine, forwarding, name, meter, state, env }) }
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

/// The methods that other Workers and objects call, by the entry class in `worker/objects.ts`.
#[wasm_bindgen]
impl AggregateObject {
    /// Appends events: `{stream, expectedVersion, events, format, key, cause}` gives `{stream, firstVersion, …}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn append(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |keeper, request| keeper.append_events(request))
    }

    /// Reads one page: `{stream, range}` gives `{version, events, next}`, the events as JSON text.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn read(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |keeper, request| keeper.read_events(&request))
    }

    /// Tells where the stream begins and ends: `{stream}` gives `{version, firstVersion, time, deleted}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn head(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |keeper, request| keeper.read_head(&request))
    }

    /// Computes a page of the stream's hash chain anew: `{stream, next}` gives `{version, text, next}`, the text what was
    /// found so far as JSON.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn verify(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |keeper, request| keeper.verify_chain(&request))
    }

    /// Hands out a page of commits: `{stream, next}` gives `{version, text, next}`, the text the commits as lines of JSON.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn commits(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |keeper, request| keeper.read_commits(&request))
    }

    /// Forgets the events before a version: `{stream, before}` gives what is left as JSON text.
    pub fn truncate(&self, request: JsValue) -> Promise {
        let keeper = Rc::clone(&self.keeper);
        promised(request, |request: TruncateRequest| async move {
            keeper.forget(|keeper| keeper.truncate_stream(&request)).await
        })
    }

    /// Deletes the stream for good: `{stream}` gives nothing.
    pub fn delete(&self, request: JsValue) -> Promise {
        let keeper = Rc::clone(&self.keeper);
        promised(request, |request: StreamRequest| async move {
            keeper.forget(|keeper| keeper.delete_stream(&request)).await
        })
    }
}

impl AggregateObject {
    fn turn<Q: Message, A: Message>(
        &self,
        request: JsValue,
        act: impl FnOnce(&Rc<Keeper>, Q) -> Result<A, Failure>,
    ) -> Result<JsValue, JsValue> {
        self.keeper.look_at_alarm();
        turn(&self.keeper.meter, request, |request| act(&self.keeper, request))
    }
}

impl Keeper {
    /// Whose stream this is, as the object's own name tells. Without it nothing could be forwarded, so nothing is taken.
    fn whose(&self) -> Result<&ObjectName<StreamId>, Failure> {
        let name = self.name.as_ref();
        name.ok_or_else(|| Failure::new(ErrorCode::Internal, "the object was not found by a name"))
    }

    fn append_events(self: &Rc<Self>, request: AppendRequest) -> Result<AppendedJson, Failure> {
        self.whose()?;
        partitions(&self.env)?;
        let stream = request.stream;
        let expected = parse_expected_version(&request.expected_version)?;
        // Only a reactor's append has a cause: who sends requests to the gateway cannot name one.
        let origin = if request.cause.is_some() { KeyOrigin::Reactor } else { KeyOrigin::Client };
        let key = request.key.as_deref().map(|key| IdempotencyKey::of(origin, key)).transpose()?;
        let events = match request.format {
            EventsFormat::Json => parse_events(&request.events),
            EventsFormat::Ndjson => parse_ndjson(&request.events),
        }?;
        let cause = request
            .cause
            .as_ref()
            .map(|cause| EventId::new(&cause.event).map(|event| Cause::within(event, &cause.correlation)));
        let cause =
            cause.transpose().map_err(|error| Failure::new(ErrorCode::InvalidEventId, error.to_string()))?;
        drop(request.events);
        let append = Append { stream, expected, events, key, cause };
        // The gate is this turn itself: nothing is awaited while the store is borrowed.
        let now = now();
        let appended = self.machine.borrow_mut().append(append, now, &mut || fresh_id(now))?;
        if !appended.replayed {
            nudges::nudge(&self.state, appended.version.get());
            self.begin_forwarding();
        }
        Ok(AppendedJson::from(&appended))
    }

    fn read_events(&self, request: &ReadRequest) -> Result<PageJson, Failure> {
        let range = parse_range(&request.range)?;
        read_page(self.machine.borrow().store(), &request.stream, &range).map_err(Failure::from)
    }

    fn read_head(&self, request: &StreamRequest) -> Result<HeadReply, Failure> {
        let head = self.machine.borrow().store().head(&request.stream)?;
        Ok(HeadReply {
            version: head.version.get(),
            first_version: head.first_version().get(),
            time: rfc3339(head.time),
            deleted: head.deleted,
        })
    }

    fn verify_chain(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        verify_page(self.machine.borrow().store(), request.stream.clone(), request.next.as_deref())
    }

    fn read_commits(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        read_commits(self.machine.borrow().store(), &request.stream, request.next.as_deref())
    }

    /// Forgets something, once the journal has it.
    async fn forget<T>(
        self: Rc<Self>,
        act: impl Fn(&Self) -> Result<T, Forgetting>,
    ) -> (Result<T, Failure>, Receipt) {
        self.look_at_alarm();
        let mut cost = Receipt::default();
        for _ in 0..FORGET_ATTEMPTS {
            let outcome = act(&self);
            cost = cost + self.meter.take();
            match outcome {
                Ok(forgotten) => {
                    self.begin_forwarding();
                    let (removed, receipt) = self.remove_forgotten().await;
                    return (removed.map(|()| forgotten), cost + receipt);
                }
                Err(Forgetting::Refused(failure)) => return (Err(failure), cost),
                Err(Forgetting::NotForwarded) => {
                    if let Err(failure) = self.forward().await {
                        return (Err(failure), cost);
                    }
                }
            }
        }
        let detail = "the journal does not have yet what is to be forgotten; nothing was forgotten";
        (Err(Failure::new(ErrorCode::Unavailable, detail)), cost)
    }

    /// Removes what was forgotten, page by page, and tells what it has cost. Others have their turn between two pages. What is
    /// cut off is gone on with when the alarm rings.
    async fn remove_forgotten(&self) -> (Result<(), Failure>, Receipt) {
        let mut cost = Receipt::default();
        loop {
            let more = self.whose().and_then(|name| {
                self.machine.borrow_mut().remove_forgotten(&name.keeps, now()).map_err(Failure::from)
            });
            cost = cost + self.meter.take();
            match more {
                Ok(true) => Delay::from(Duration::ZERO).await,
                more => return (more.map(|_| ()), cost),
            }
        }
    }

    fn truncate_stream(&self, request: &TruncateRequest) -> Result<String, Forgetting> {
        let before = Version::new(request.before).unwrap_or(Version::EMPTY);
        let left = self.machine.borrow_mut().truncate(&request.stream, before, now())?;
        Ok(json(&TruncatedJson::new(&request.stream, left))?)
    }

    fn delete_stream(&self, request: &StreamRequest) -> Result<(), Forgetting> {
        self.machine.borrow_mut().delete(&request.stream, now())?;
        nudges::dismiss(&self.state);
        Ok(())
    }
}

/// How often it is tried to forget: once before the journal was asked, once after, and again where events were appended
/// meanwhile.
const FORGET_ATTEMPTS: usize = 5;

/// Why nothing was forgotten.
enum Forgetting {
    NotForwarded,
    Refused(Failure),
}

impl From<Failure> for Forgetting {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<ForgetError> for Forgetting {
    fn from(error: ForgetError) -> Self {
        match error {
            ForgetError::Refused(error) => Self::Refused(Failure::from(error)),
            _ => Self::NotForwarded,
        }
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))
}
