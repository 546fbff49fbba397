//! The object that keeps one stream.

mod object_sql;
mod rpc;

use std::cell::RefCell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sillok::store::sqlite::StreamTable;
use sillok::store::{Append, AppendError, EventStore, InvalidStreamId, StorageError, StreamId};
use sillok_bridge::{
    AppendedJson, Failure, PageJson, fresh_id, now, parse_events, parse_expected_version, parse_ndjson,
    parse_range, read_page,
};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use object_sql::ObjectSql;
pub(crate) use rpc::{AppendRequest, EventsFormat, HeadReply, HeadRequest, ReadRequest, Remote, RemoteError};
use rpc::{Reply, from_js, to_js};

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
}

impl DurableObject for AggregateObject {
    fn new(state: State, _: Env) -> Self {
        let sql = ObjectSql::new(&state.storage());
        Self { store: RefCell::new(EventStore::new(StreamTable::new(sql))) }
    }

    async fn fetch(&self, _: Request) -> worker::Result<Response> {
        Response::error("this object is spoken to by RPC", 501)
    }
}

/// The methods that other Workers and objects call. Each takes and returns a plain object; a refusal travels
/// as the value `{"failure": …}`, and only a broken caller or a broken runtime makes a method throw.
#[wasm_bindgen]
impl AggregateObject {
    /// Appends events: `{stream, expectedVersion, events, format}` gives `{ok: {stream, firstVersion, …}}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn append(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(request, |request| self.append_events(request))
    }

    /// Reads one page: `{stream, range}` gives `{ok: {version, events, next}}`, the events as JSON text.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn read(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(request, |request| self.read_events(&request))
    }

    /// Tells where the stream ends: `{stream}` gives `{ok: {version}}`.
    ///
    /// # Errors
    /// A `TypeError` when the request has another shape.
    pub fn head(&self, request: JsValue) -> Result<JsValue, JsValue> {
        turn(request, |request| self.read_head(&request))
    }
}

impl AggregateObject {
    fn append_events(&self, request: AppendRequest) -> Result<AppendedJson, Failure> {
        let stream = stream_id(&request.stream)?;
        let expected = parse_expected_version(&request.expected_version)?;
        let events = match request.format {
            EventsFormat::Json => parse_events(&request.events),
            EventsFormat::Ndjson => parse_ndjson(&request.events),
        };
        let events = events.map_err(|error| Failure::from(&error))?;
        drop(request.events);
        let append = Append { stream, expected, events, key: None };
        // The gate is this turn itself: nothing is awaited while the store is borrowed.
        let appended = self.store.borrow_mut().append(append, now(), &mut fresh_id);
        appended
            .map(|appended| AppendedJson::from(&appended))
            .map_err(|error: AppendError| Failure::from(&error))
    }

    fn read_events(&self, request: &ReadRequest) -> Result<PageJson, Failure> {
        let stream = stream_id(&request.stream)?;
        let range = parse_range(&request.range)?;
        read_page(&self.store.borrow(), &stream, &range).map_err(|error| Failure::from(&error))
    }

    fn read_head(&self, request: &HeadRequest) -> Result<HeadReply, Failure> {
        let stream = stream_id(&request.stream)?;
        let head = self.store.borrow().head(&stream).map_err(|error: StorageError| Failure::from(&error))?;
        Ok(HeadReply { version: head.version.get() })
    }
}

fn stream_id(text: &str) -> Result<StreamId, Failure> {
    StreamId::new(text).map_err(|error: InvalidStreamId| Failure::from(error))
}

/// One call: its request from JavaScript, its reply to JavaScript.
fn turn<Q: DeserializeOwned, A: Serialize>(
    request: JsValue,
    act: impl FnOnce(Q) -> Result<A, Failure>,
) -> Result<JsValue, JsValue> {
    let reply = match act(from_js(request)?) {
        Ok(answer) => Reply::Ok(answer),
        Err(failure) => Reply::Failure(failure),
    };
    Ok(to_js(&reply)?)
}
