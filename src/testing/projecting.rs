//! Projections under test: events go in, documents come out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::gateway::Alarm;
use crate::handler::{
    Consumer, ConsumerMemory, ConsumerName, Failed, FeedEvent, FeedPage, Kind, Next, OnFailure, Policy,
    Projection, Read, Settings, Window, apply,
};
use crate::store::sqlite::{Row, Sql, Value};
use crate::store::{Category, EventId, NewEvent, Position, RecordedTime, StorageError, StreamId, Version};

/// Applies a projection to events, and returns its documents by their keys. Each event has the stream to which it is
/// appended. The projection skips events that it does not follow.
///
/// For an example, see [`Projection`].
///
/// # Errors
/// The first failure of the projection.
pub fn projected<P: Projection>(
    events: &[(&str, NewEvent)],
) -> Result<BTreeMap<String, P::Document>, Failed> {
    let feed = followed(events, P::CATEGORY, P::TYPES)?;
    let policy = Policy { on_failure: OnFailure::Stop, attempts: 1, ..Policy::DEFAULT };
    let (name, kind, window) = (ConsumerName::new("projected")?, Kind::Projection, Window::Streams(1));
    let settings = Settings { name, kind, partitions: 1, policy, window, after: None, version: 1 };
    let mut consumer: Consumer<NoSql, NoAlarm> =
        Consumer::open_in_memory(&ConsumerMemory::default(), NoAlarm, settings)?;
    let now = RecordedTime::default();
    loop {
        match consumer.next(now)? {
            Next::Read(read) => consumer.take_page(page_of(read, &feed), now)?,
            Next::Project => consumer.project(now, 0, &mut apply::<P, NoSql>)?,
            Next::Stopped => {
                return Err(consumer.status()?.error.map_or_else(String::new, |error| error.message).into());
            }
            Next::Tidied | Next::Deliver(_) => {}
            Next::Wait { .. } | Next::Idle | Next::Paused => break,
        }
    }
    let (mut documents, mut after) = (BTreeMap::new(), Some(String::new()));
    while let Some(last) = after {
        let page = consumer.documents("", &last, usize::MAX)?;
        for (key, document) in page.documents {
            documents.insert(key, serde_json::from_str(document.as_str())?);
        }
        after = page.next;
    }
    Ok(documents)
}

/// The events that a consumer of this category and these types follows, as the feed returns them. Each event has the stream to
/// which it is appended. Use it to test a consumer of your own.
///
/// # Errors
/// A name that is not valid.
pub fn followed(
    events: &[(&str, NewEvent)],
    category: Option<&str>,
    types: &[&str],
) -> Result<Vec<FeedEvent>, Failed> {
    let category = category.map(Category::new).transpose()?;
    let mut versions = BTreeMap::new();
    let mut feed = Vec::new();
    for (place, (stream, event)) in (1..).zip(events) {
        let version = versions.entry(*stream).or_insert(0);
        *version += 1;
        let event = fed(place, stream, *version, event)?;
        let followed = category.as_ref().is_none_or(|category| category.holds(stream));
        if followed && (types.is_empty() || types.contains(&event.event_type.as_str())) {
            feed.push(event);
        }
    }
    Ok(feed)
}

fn fed(place: u64, stream: &str, version: u64, event: &NewEvent) -> Result<FeedEvent, Failed> {
    let fresh = || EventId::new(&format!("event-{place}"));
    let id = event.id().cloned().map_or_else(fresh, Ok)?;
    let (event_type, data, metadata) = (event.event_type(), event.data().as_str(), event.metadata().as_str());
    let [stream_json, id_json, type_json] =
        [stream, id.as_str(), event_type.as_str()].map(serde_json::Value::from);
    let schema = match event.schema_version() {
        1 => String::new(),
        version => format!("\"schemaVersion\":{version},"),
    };
    let json = format!(
        "{{\"stream\":{stream_json},\"version\":{version},\"id\":{id_json},\"type\":{type_json},{schema}\
         \"time\":\"1970-01-01T00:00:00.000Z\",\"data\":{data},\"metadata\":{metadata},\"position\":{place}}}"
    );
    Ok(FeedEvent {
        position: Position::new(place).unwrap_or_default(),
        stream: StreamId::new(stream)?,
        version: Version::new(version).unwrap_or_default(),
        id,
        event_type: event_type.clone(),
        json,
    })
}

/// One page with all events after its begin.
fn page_of(read: Read, feed: &[FeedEvent]) -> FeedPage {
    let events: Vec<FeedEvent> = feed.iter().filter(|event| event.position > read.after).cloned().collect();
    let after = events.last().map_or(read.after, |event| event.position);
    FeedPage { read, events, after, more: false }
}

/// An alarm that never rings. A failed event is not attempted again.
#[derive(Debug)]
struct NoAlarm;

impl Alarm for NoAlarm {
    fn set(&self, _: RecordedTime) -> Result<(), StorageError> {
        Ok(())
    }
}

/// A database that does not exist: the memory needs none.
#[derive(Debug)]
enum NoSql {}

impl Sql for NoSql {
    fn execute(&self, _: &'static str, _: &[Value<'_>]) -> Result<(), StorageError> {
        match *self {}
    }

    fn query(
        &self,
        _: &'static str,
        _: &[Value<'_>],
        _: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        match *self {}
    }

    fn transaction(&self, _: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        match *self {}
    }

    fn size(&self) -> u64 {
        match *self {}
    }
}
