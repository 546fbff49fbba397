//! The wasm-bindgen bindings behind the npm package `sillok`: the core's store over memory, with JavaScript
//! values going in and out through the bridge. Only `js/ts/engine.ts` calls this.
//!
//! Everything that is handed in is checked here or in the bridge, so no argument can make the engine panic.
//! What is refused is thrown as a plain object with the fields of [`Failure`].

use std::cell::RefCell;

use sillok::store::limits::PAGE_EVENTS;
use sillok::store::{
    Append, AppendError, Appended, EventStore, ExpectedVersion, MemoryLog, NewEvent, StorageError, StreamId,
};
use sillok_bridge::{
    AggregateId, AppendedJson, Failure, expected_version_from_js, find_saved, fresh_id, now, parse_events,
    parse_range, range_from_js, read_page, saved_event, strings_from_js, to_js,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// An event store that lives in memory.
///
/// The store is borrowed for pure code only: whatever calls JavaScript (the clock, random numbers) is called
/// before. So when JavaScript throws through Rust, as random numbers do in a Worker's global scope, no borrow is
/// left behind and the store goes on working.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct MemoryStore {
    store: RefCell<EventStore<MemoryLog>>,
}

#[wasm_bindgen]
impl MemoryStore {
    /// A store without events.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the event, or the array of events, of a JSON text. `expected` is a number, one of the words of
    /// `ExpectedVersion`, or undefined for `any`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn append(&self, stream: &JsValue, events: &str, expected: &JsValue) -> Result<JsValue, JsValue> {
        self.try_append(stream, events, expected).map_err(|failure| to_js(&failure))
    }

    /// One page of a stream. `range` is `{from?, to?, limit?, direction?}`; its limit may be larger than a page.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = readPage)]
    pub fn read_page(&self, stream: &JsValue, range: &JsValue) -> Result<JsValue, JsValue> {
        self.try_read_page(stream, range).map_err(|failure| to_js(&failure))
    }

    /// Saves a tutorial's event, given as JSON. `dates` says where the event holds a Date: an array of arrays
    /// of keys.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn save(&self, event: &str, dates: &JsValue) -> Result<(), JsValue> {
        self.try_save(event, dates).map_err(|failure| to_js(&failure))
    }

    /// The tutorial's events of an aggregate, as the JSON of an array of `{event, dates}`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn find(&self, id: &JsValue) -> Result<String, JsValue> {
        self.try_find(id).map_err(|failure| to_js(&failure))
    }
}

impl MemoryStore {
    fn try_append(&self, stream: &JsValue, events: &str, expected: &JsValue) -> Result<JsValue, Failure> {
        let stream = sillok_bridge::stream_id_from_js(stream)?;
        let expected = expected_version_from_js(expected)?;
        let events = parse_events(events).map_err(|error| Failure::from(&error))?;
        let appended = self.write(&stream, expected, events)?;
        Ok(to_js(&AppendedJson::from(&appended)))
    }

    fn try_read_page(&self, stream: &JsValue, range: &JsValue) -> Result<JsValue, Failure> {
        let stream = sillok_bridge::stream_id_from_js(stream)?;
        let mut range = range_from_js(range);
        if let Some(limit) = range.limit.as_ref().and_then(serde_json::Value::as_u64) {
            // The limit is the whole read's; a page takes as much of it as a page may.
            range.limit = Some(limit.min(u64::try_from(PAGE_EVENTS).unwrap_or(u64::MAX)).into());
        }
        let range = parse_range(&range)?;
        let store = self.store.try_borrow().map_err(|_| in_use())?;
        let page = read_page(&store, &stream, &range).map_err(|error| Failure::from(&error))?;
        Ok(to_js(&page))
    }

    fn try_save(&self, event: &str, dates: &JsValue) -> Result<(), Failure> {
        let (stream, event) = saved_event(event, strings_from_js(dates))?;
        self.write(&stream, ExpectedVersion::Any, vec![event])?;
        Ok(())
    }

    fn try_find(&self, id: &JsValue) -> Result<String, Failure> {
        let id = AggregateId::from_js(id)?;
        let store = self.store.try_borrow().map_err(|_| in_use())?;
        find_saved(&store, &id)
    }

    fn write(
        &self,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Failure> {
        let now = now();
        let append = Append { stream: stream.clone(), expected, events, key: None };
        let ids: Vec<_> = append.events.iter().map(|_| fresh_id()).collect();
        let mut ids = ids.into_iter();
        let mut next_id = || ids.next().unwrap_or_default();
        let mut store = self.store.try_borrow_mut().map_err(|_| in_use())?;
        store.append(append, now, &mut next_id).map_err(|error: AppendError| Failure::from(&error))
    }
}

fn in_use() -> Failure {
    let reason = "the store was called while it was at work".to_owned();
    Failure::from(&StorageError::Failed { reason })
}
