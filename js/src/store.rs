//! The store for JavaScript.

use std::cell::{Cell, RefCell};

use js_sys::Array;
use sillok::handler::ConsumerMemory;
use sillok::store::limits::PAGE_EVENTS;
use sillok::store::sqlite::StreamsTable;
use sillok::store::{Append, Appended, EventId, EventStore, MemoryLog, Position, RecordedTime, StorageError};
use sillok_bridge::{
    AggregateId, AppendedJson, DirectoryPageJson, Failure, FeedPageJson, HeadJson, Message, PageJson,
    ProofPage, Scalar, TruncatedJson, directory_from_js, expected_version_from_js, feed_from_js, find_saved,
    fresh_id, idempotency_key_from_js, now, parse_directory, parse_events, parse_feed, parse_range,
    range_from_js, read_commits, read_feed, read_page, saved_event, stream_id_from_js, version_from_js,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::database::{Database, FileSql};
use crate::log::Log;
use crate::proof::StreamProof;
use crate::thrown::thrown;

/// An event store, in memory or in a SQLite file.
///
/// While the store is borrowed, only the `catch` functions call JavaScript: the file's statements. The clock and the random
/// numbers are read before. Random numbers throw in a Worker's global scope, for example. Such an exception passes through
/// Rust, but leaves no borrow behind, so the store still works.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Store {
    store: RefCell<EventStore<Log>>,
    file: Option<FileSql>,
    /// The state of consumers, if there is no file.
    consumers: ConsumerMemory,
    /// The time by the store's own clock. `None` for the clock of the platform.
    time: Cell<Option<RecordedTime>>,
}

#[wasm_bindgen]
impl Store {
    /// Opens a store in this database, or in memory if there is none.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(database: Option<Database>) -> Self {
        let file = database.map(FileSql::new);
        let log = match file.clone() {
            Some(sql) => Log::File(StreamsTable::new(sql)),
            None => Log::Memory(MemoryLog::new()),
        };
        let (store, consumers, time) =
            (RefCell::new(EventStore::new(log)), ConsumerMemory::default(), Cell::default());
        Self { store, file, consumers, time }
    }

    /// Sets the store's own clock to a time, in milliseconds since 1970.
    #[wasm_bindgen(js_name = setTime)]
    pub fn set_time(&self, millis: f64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // JavaScript has checked it
        self.time.set(Some(RecordedTime::from_millis(millis as u64)));
    }

    /// Appends the event, or the array of events, of a JSON text. `expected` is a number, one of the words of
    /// `ExpectedVersion`, or undefined for `any`. `key` is a text or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn append(
        &self,
        stream: &JsValue,
        events: &str,
        expected: &JsValue,
        key: &JsValue,
    ) -> Result<JsValue, JsValue> {
        answer(self.try_append(stream, events, expected, key))
    }

    /// Appends to several streams, to each of them or to none. `appends` is an array of `[stream, events, expected, key]`, each as
    /// for `append`.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = appendAll)]
    pub fn append_all(&self, appends: &Array) -> Result<JsValue, JsValue> {
        answer(self.try_append_all(appends))
    }

    /// The head of a stream.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn head(&self, stream: &JsValue) -> Result<JsValue, JsValue> {
        answer(self.try_head(stream))
    }

    /// Reads one page of a stream. `range` is `{from?, to?, limit?, direction?, type?}`. Its limit may be larger than a page.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = readPage)]
    pub fn read_page(&self, stream: &JsValue, range: &JsValue) -> Result<JsValue, JsValue> {
        answer(self.try_read_page(stream, range))
    }

    /// Reads one page of the feed. `wanted` is `{after?, category?, types?, limit?}`. Its limit may be larger than a page.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = readFeed)]
    pub fn read_feed(&self, wanted: &JsValue) -> Result<JsValue, JsValue> {
        answer(self.try_read_feed(wanted))
    }

    /// The position of the last event that was ever written.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn end(&self) -> Result<JsValue, JsValue> {
        answer(self.reading(|store| store.end().map(Position::get)))
    }

    /// Reads one page of the directory. `wanted` is `{prefix?, category?, after?, limit?}`. Its limit may be larger than a
    /// page.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn streams(&self, wanted: &JsValue) -> Result<JsValue, JsValue> {
        answer(self.try_streams(wanted))
    }

    /// Verifies the next page of a stream, and returns whether there is more.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = verifyPage)]
    pub fn verify_page(&self, proof: &mut StreamProof) -> Result<bool, JsValue> {
        let verified = self.reading(|store| store.verify_page(&mut proof.verifier));
        verified.map_err(thrown)
    }

    /// Reads one page of a stream's commits as lines, `{version, text, next?}`. `next` is undefined for the first page, or the
    /// `next` of the previous page.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = readCommits)]
    pub fn read_commits(&self, stream: &JsValue, next: Option<String>) -> Result<JsValue, JsValue> {
        answer(self.try_read_commits(stream, next.as_deref()))
    }

    /// Forgets the events of a stream before a version.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn truncate(&self, stream: &JsValue, before: &JsValue) -> Result<JsValue, JsValue> {
        answer(self.try_truncate(stream, before))
    }

    /// Deletes a stream. This cannot be undone.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn delete(&self, stream: &JsValue) -> Result<(), JsValue> {
        self.try_delete(stream).map_err(thrown)
    }

    /// Removes the next page of forgotten events, and returns whether there may be more.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = removeForgotten)]
    pub fn remove_forgotten(&self, stream: &JsValue) -> Result<bool, JsValue> {
        self.try_remove_forgotten(stream).map_err(thrown)
    }

    /// Saves a tutorial's event, given as JSON. `dates` has the places of its Dates: the JSON of an array of arrays of keys.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn save(&self, event: &str, dates: &str) -> Result<(), JsValue> {
        self.try_save(event, dates).map_err(thrown)
    }

    /// Finds the tutorial's events of an aggregate: the JSON of an array of `{event, dates}`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn find(&self, id: &JsValue) -> Result<String, JsValue> {
        self.try_find(id).map_err(thrown)
    }
}

impl Store {
    fn try_append(
        &self,
        stream: &JsValue,
        events: &str,
        expected: &JsValue,
        key: &JsValue,
    ) -> Result<AppendedJson, Failure> {
        let appended = self.write(append_of(stream, events, expected, key)?)?;
        Ok(AppendedJson::from(&appended))
    }

    fn try_append_all(&self, appends: &Array) -> Result<Vec<AppendedJson>, Failure> {
        let (now, mut given, mut count) = (self.now(), Vec::new(), 0);
        for (place, parts) in appends.iter().enumerate() {
            let parts = Array::from(&parts);
            let events = parts.get(1).as_string().unwrap_or_default();
            let append = append_of(&parts.get(0), &events, &parts.get(2), &parts.get(3));
            let append = append.map_err(|failure| failure.of_append(place))?;
            count += append.events.len();
            given.push(append);
        }
        let mut ids = fresh_ids(count, now);
        let appended = self.writing(|store| store.append_all(given, now, &mut ids))?;
        Ok(appended.iter().map(AppendedJson::from).collect())
    }

    fn try_head(&self, stream: &JsValue) -> Result<HeadJson, Failure> {
        let stream = stream_id_from_js(stream)?;
        let head = self.reading(|store| store.head(&stream))?;
        Ok(HeadJson::new(&stream, &head))
    }

    fn try_read_page(&self, stream: &JsValue, range: &JsValue) -> Result<PageJson, Failure> {
        let stream = stream_id_from_js(stream)?;
        let mut range = range_from_js(range);
        range.limit = range.limit.map(of_a_page);
        let range = parse_range(&range)?;
        self.reading(|store| read_page(store, &stream, &range))
    }

    fn try_read_feed(&self, wanted: &JsValue) -> Result<FeedPageJson, Failure> {
        let mut wanted = feed_from_js(wanted);
        wanted.limit = wanted.limit.map(of_a_page);
        // A store of the package has one partition. The option is called `types`.
        let (checkpoint, range) =
            parse_feed(&wanted, 0, 1).map_err(|failure| match failure.field.as_deref() {
                Some("type") => failure.in_field("types"),
                _ => failure,
            })?;
        self.reading(|store| read_feed(store.log(), &range, &checkpoint, 0, None))
    }

    fn try_streams(&self, wanted: &JsValue) -> Result<DirectoryPageJson, Failure> {
        let mut wanted = directory_from_js(wanted);
        wanted.limit = wanted.limit.map(of_a_page);
        let range = parse_directory(&wanted)?;
        let page = self.reading(|store| store.streams(&range))?;
        Ok(DirectoryPageJson::from(page))
    }

    fn try_read_commits(&self, stream: &JsValue, next: Option<&str>) -> Result<ProofPage, Failure> {
        let stream = stream_id_from_js(stream)?;
        self.reading(|store| read_commits(store, &stream, next))
    }

    fn try_truncate(&self, stream: &JsValue, before: &JsValue) -> Result<TruncatedJson, Failure> {
        let stream = stream_id_from_js(stream)?;
        let before = version_from_js(before, "before")?;
        let truncated = self.writing(|store| store.truncate(&stream, before))?;
        Ok(TruncatedJson::new(&stream, truncated))
    }

    fn try_delete(&self, stream: &JsValue) -> Result<(), Failure> {
        let stream = stream_id_from_js(stream)?;
        self.writing(|store| store.delete(&stream))
    }

    fn try_remove_forgotten(&self, stream: &JsValue) -> Result<bool, Failure> {
        let stream = stream_id_from_js(stream)?;
        self.writing(|store| store.remove_forgotten(&stream))
    }

    fn try_save(&self, event: &str, dates: &str) -> Result<(), Failure> {
        let (stream, event) = saved_event(event, dates)?;
        self.write(Append::to(stream, vec![event]))?;
        Ok(())
    }

    fn try_find(&self, id: &JsValue) -> Result<String, Failure> {
        let id = AggregateId::from_js(id)?;
        self.reading(|store| find_saved(store, &id))
    }

    pub(crate) fn file(&self) -> Option<&FileSql> {
        self.file.as_ref()
    }

    /// The time by the clock of the store.
    pub(crate) fn now(&self) -> RecordedTime {
        self.time.get().unwrap_or_else(now)
    }

    pub(crate) fn consumers(&self) -> &ConsumerMemory {
        &self.consumers
    }

    pub(crate) fn write(&self, append: Append) -> Result<Appended, Failure> {
        let now = self.now();
        let mut ids = fresh_ids(append.events.len(), now);
        self.writing(|store| store.append(append, now, &mut ids))
    }

    pub(crate) fn writing<T, E>(
        &self,
        work: impl FnOnce(&mut EventStore<Log>) -> Result<T, E>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let mut store = self.store.try_borrow_mut().map_err(|_| in_use())?;
        Ok(work(&mut store)?)
    }

    pub(crate) fn reading<T, E>(
        &self,
        work: impl FnOnce(&EventStore<Log>) -> Result<T, E>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let store = self.store.try_borrow().map_err(|_| in_use())?;
        // This is the only call of `work`, so the wasm has one copy of it for each kind of work.
        let begun = match &self.file {
            Some(file) if file.begin_to_read()? => Some(file),
            _ => None,
        };
        let found = work(&store);
        let ended = begun.map_or(Ok(()), FileSql::end_to_read);
        let found = found?;
        Ok(ended.map(|()| found)?)
    }
}

/// Makes this number of ids, before the store is borrowed.
fn fresh_ids(count: usize, now: RecordedTime) -> impl FnMut() -> EventId {
    let mut ids = (0..count).map(|_| fresh_id(now)).collect::<Vec<_>>().into_iter();
    move || ids.next().unwrap_or_default()
}

fn append_of(stream: &JsValue, events: &str, expected: &JsValue, key: &JsValue) -> Result<Append, Failure> {
    let stream = stream_id_from_js(stream)?;
    let expected = expected_version_from_js(expected)?;
    let key = idempotency_key_from_js(key)?;
    Ok(Append { stream, expected, events: parse_events(events)?, key, cause: None })
}

pub(crate) fn answer<T: Message>(outcome: Result<T, Failure>) -> Result<JsValue, JsValue> {
    outcome.map(|answer| answer.to_js()).map_err(thrown)
}

/// The limit is for the whole read. A page takes as much of it as a page may.
fn of_a_page(limit: Scalar) -> Scalar {
    limit.as_u64().map_or(limit, |limit| limit.min(PAGE_EVENTS as u64).into())
}

pub(crate) fn in_use() -> Failure {
    Failure::from(StorageError::failed("the store was called while another call was running"))
}
