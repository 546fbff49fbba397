//! The engine: the core's machines over one connection. It lives in a thread of its own, because the machines share their memory
//! without locks. Every call of a [`Sqlite`](crate::Sqlite) is a job of this thread.

use sillok::handler::FeedEvent;
use sillok::store::sqlite::StreamsTable;
use sillok::store::{
    Append, Appended, Checkpoint, EventId, EventStore, FeedEventView, FeedLog, FeedRange, Position,
    RecordedTime, StorageError, StreamLog, push_feed_event_json, visit_feed,
};
use uuid::Uuid;

use crate::aggregates::Aggregates;
use crate::consumers::Consumers;
use crate::driver::FileSql;
use crate::error::SqliteError;
use crate::feed::Feed;
use crate::options::Clock;
use crate::pending::Pending;
use crate::place::Place;

/// The core's log of many streams in one file.
pub(crate) type Log = StreamsTable<FileSql>;

/// The machines of one store.
pub(crate) struct Engine {
    pub(crate) sql: FileSql,
    pub(crate) store: EventStore<Log>,
    pub(crate) aggregates: Aggregates,
    pub(crate) consumers: Consumers,
    pub(crate) pending: Pending,
    clock: Clock,
    /// `None` in memory.
    place: Option<Place>,
    /// Whether the file was gone at the last check.
    is_away: bool,
}

impl Engine {
    pub(crate) fn new(sql: FileSql, place: Option<Place>, clock: Clock) -> Self {
        Self {
            store: EventStore::new(StreamsTable::new(sql.clone())),
            sql,
            aggregates: Aggregates::default(),
            consumers: Consumers::default(),
            pending: Pending::default(),
            clock,
            place,
            is_away: false,
        }
    }

    /// Does a job, and returns its answer only if the files are still the opened ones. It checks after the job, because events
    /// in a removed file are lost. Once the files are gone, it also checks before each job.
    pub(crate) fn in_place<T>(
        &mut self,
        job: impl FnOnce(&mut Self) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        if self.is_away {
            self.check_place()?;
        }
        let answer = job(self);
        self.check_place()?;
        answer
    }

    fn check_place(&mut self) -> Result<(), StorageError> {
        let checked = self.place.as_ref().map_or(Ok(()), Place::check);
        self.is_away = checked.is_err();
        checked
    }

    /// The time by the clock of the store.
    pub(crate) fn now(&self) -> RecordedTime {
        (self.clock)()
    }

    pub(crate) fn append(&mut self, append: Append) -> Result<Appended, SqliteError> {
        let now = self.now();
        Ok(self.store.append(append, now, &mut fresh_id)?)
    }

    /// Reads a page of the feed.
    pub(crate) fn feed(&self, range: &FeedRange) -> Result<Feed, StorageError> {
        let mut events = Vec::new();
        let end = self
            .store
            .log()
            .reading(|log| visit_feed(log, range, &mut |found| events.extend(feed_event(&found))))?;
        Ok(Feed { events, after: end.checkpoint, more: end.more })
    }

    pub(crate) fn end(&self) -> Result<Position, StorageError> {
        self.store.log().end()
    }
}

/// Makes the id of an event, a new `UUIDv7`.
pub(crate) fn fresh_id() -> EventId {
    EventId::new(&Uuid::now_v7().hyphenated().to_string()).unwrap_or_default()
}

/// A random number, by which the times of repeated attempts differ.
pub(crate) fn random() -> u64 {
    Uuid::new_v4().as_u64_pair().1
}

/// Converts an event of the feed. Stored events were checked when they were written.
fn feed_event(found: &FeedEventView<'_>) -> Option<FeedEvent> {
    let mut json = String::new();
    let checkpoint = Checkpoint::start(1).at(0, found.position);
    push_feed_event_json(&mut json, found, &checkpoint, &rfc3339(found.event.time));
    FeedEvent::of(found, json)
}

/// The time as text, in the form that events have: `2026-11-23T01:02:03.456Z`.
fn rfc3339(time: RecordedTime) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let time = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
