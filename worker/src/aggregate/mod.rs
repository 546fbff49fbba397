//! The object that keeps one stream.

mod nudges;
mod object_sql;
mod receipt;
mod rpc;

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    Append, AppendError, EventStore, IdempotencyKey, InvalidIdempotencyKey, InvalidStreamId, StorageError,
    StreamId, TruncateError, Version,
};
use sillok_bridge::{
    AppendedJson, Failure, PageJson, ProofPage, TruncatedJson, fresh_id, now, parse_events,
    parse_expected_version, parse_ndjson, parse_range, read_commits, read_page, rfc3339, verify_page,
};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

pub(crate) use nudges::Nudges;
use object_sql::ObjectSql;
use receipt::Meter;
pub(crate) use receipt::Receipt;
pub(crate) use rpc::{
    AppendRequest, EventsFormat, HeadReply, ProofRequest, ReadRequest, Remote, RemoteError, StreamRequest,
    TruncateRequest,
};
use rpc::{Outcome, Reply, from_js, to_js};

/// One stream in the storage of its own Durable Object, spoken to by RPC through the entry class in
/// `worker/entry.ts`.
///
/// Every method is one synchronous turn. The object runs on a single thread and a turn awaits nothing, so no
/// other request comes between reading the head and writing the commit: an exact expected version holds under
/// any concurrency. The runtime's output gate keeps the answer back until the commit is on disk: what was
/// answered survives a crash.
#[durable_object(fetch)]
#[derive(Debug)]
pub(crate) struct AggregateObject {
    store: RefCell<EventStore<StreamTable<ObjectSql>>>,
    meter: Rc<Meter>,
    state: State,
}

impl DurableObject for AggregateObject {
    fn new(state: State, _: Env) -> Self {
        let meter = Rc::new(Meter::default());
        let sql = ObjectSql::new(&state.storage(), Rc::clone(&meter));
        Self { store: RefCell::new(EventStore::new(StreamTable::new(sql))), meter, state }
    }

    /// Takes a follower's WebSocket. Everything else is RPC.
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        match request.headers().get("Upgrade")? {
            Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => nudges::admit(&self.state),
            _ => Response::error("this object is spoken to by RPC", 501),
        }
    }
}

/// The methods that other Workers and objects call. Each takes and returns a plain object, `{outcome, receipt}`:
/// the outcome is `{"ok": …}` or, for a refusal, `{"failure": …}`. Only a broken caller or a broken runtime makes a
/// method throw.
#[wasm_bindgen]
impl AggregateObject {
    /// Appends events: `{stream, expectedVersion, events, format, key}` gives `{stream, firstVersion, …}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn append(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.append_events(request))
    }

    /// Reads one page: `{stream, range}` gives `{version, events, next}`, the events as JSON text.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn read(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.read_events(&request))
    }

    /// Tells where the stream begins and ends: `{stream}` gives `{version, firstVersion, time, deleted}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn head(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.read_head(&request))
    }

    /// Computes a page of the stream's hash chain anew: `{stream, next}` gives `{version, text, next}`, the text what was
    /// found so far as JSON.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn verify(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.verify_chain(&request))
    }

    /// Hands out a page of commits: `{stream, next}` gives `{version, text, next}`, the text the commits as lines of JSON.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn commits(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.read_commits(&request))
    }

    /// Forgets the events before a version: `{stream, before}` gives what is left as JSON text.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn truncate(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.truncate_stream(&request))
    }

    /// Deletes the stream for good: `{stream}` gives nothing.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn delete(&self, request: JsValue) -> Result<JsValue, JsValue> {
        self.turn(request, |request| self.delete_stream(&request))
    }
}

impl AggregateObject {
    /// One call: its request from JavaScript, its reply and what it has cost to JavaScript.
    fn turn<Q: DeserializeOwned, A: Serialize>(
        &self,
        request: JsValue,
        act: impl FnOnce(Q) -> Result<A, Failure>,
    ) -> Result<JsValue, JsValue> {
        let outcome = match act(from_js(request)?) {
            Ok(answer) => Outcome::Ok(answer),
            Err(failure) => Outcome::Failure(failure),
        };
        Ok(to_js(&Reply { outcome, receipt: self.meter.take() })?)
    }

    fn append_events(&self, request: AppendRequest) -> Result<AppendedJson, Failure> {
        let stream = stream_id(&request.stream)?;
        let expected = parse_expected_version(&request.expected_version)?;
        let key = request.key.as_deref().map(IdempotencyKey::new).transpose();
        let key = key.map_err(|error: InvalidIdempotencyKey| Failure::from(error))?;
        let events = match request.format {
            EventsFormat::Json => parse_events(&request.events),
            EventsFormat::Ndjson => parse_ndjson(&request.events),
        };
        let events = events.map_err(|error| Failure::from(&error))?;
        drop(request.events);
        let append = Append { stream, expected, events, key };
        // The gate is this turn itself: nothing is awaited while the store is borrowed.
        let appended = self.store.borrow_mut().append(append, now(), &mut fresh_id);
        let appended = appended.map_err(|error: AppendError| Failure::from(&error))?;
        if !appended.replayed {
            nudges::nudge(&self.state, appended.version.get());
        }
        Ok(AppendedJson::from(&appended))
    }

    fn read_events(&self, request: &ReadRequest) -> Result<PageJson, Failure> {
        let stream = stream_id(&request.stream)?;
        let range = parse_range(&request.range)?;
        read_page(&self.store.borrow(), &stream, &range).map_err(storage_failure)
    }

    fn read_head(&self, request: &StreamRequest) -> Result<HeadReply, Failure> {
        let stream = stream_id(&request.stream)?;
        let head = self.store.borrow().head(&stream).map_err(storage_failure)?;
        Ok(HeadReply {
            version: head.version.get(),
            first_version: head.hidden.after(1).unwrap_or(Version::MAX).get(),
            time: rfc3339(head.time),
            deleted: head.deleted,
        })
    }

    fn verify_chain(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        verify_page(&self.store.borrow(), stream_id(&request.stream)?, request.next.as_deref())
    }

    fn read_commits(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        read_commits(&self.store.borrow(), &stream_id(&request.stream)?, request.next.as_deref())
    }

    fn truncate_stream(&self, request: &TruncateRequest) -> Result<String, Failure> {
        let stream = stream_id(&request.stream)?;
        let before = Version::new(request.before).unwrap_or(Version::EMPTY);
        let truncated = self.store.borrow_mut().truncate(&stream, before);
        let left = truncated.map_err(|error: TruncateError| Failure::from(&error))?;
        json(&TruncatedJson::new(&stream, left))
    }

    fn delete_stream(&self, request: &StreamRequest) -> Result<(), Failure> {
        let stream = stream_id(&request.stream)?;
        self.store.borrow_mut().delete(&stream).map_err(storage_failure)?;
        nudges::dismiss(&self.state);
        Ok(())
    }
}

fn stream_id(text: &str) -> Result<StreamId, Failure> {
    StreamId::new(text).map_err(|error: InvalidStreamId| Failure::from(error))
}

fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::new("internal", error.to_string()))
}

// Taken by value for `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn storage_failure(error: StorageError) -> Failure {
    Failure::from(&error)
}
