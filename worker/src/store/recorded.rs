//! Recorded events in the types of the Worker's own code.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::handler::Event;
use sillok::store::{
    EventId, EventView, InvalidName, JsonText, MalformedJson, RecordedTime, StreamId, Version,
};
use sillok_bridge::Failure;

use super::version_of;
use crate::http::times;

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<E> {
    /// The event, in its newest schema version.
    pub event: E,
    /// The place of the event in its stream.
    pub version: Version,
    /// The event's id.
    pub id: EventId,
    /// The time at which the store recorded it.
    pub time: RecordedTime,
    /// The metadata of the event, a JSON object.
    pub metadata: JsonText,
}

/// An event as the objects return it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    version: u64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    event_type: Cow<'a, str>,
    #[serde(default = "first")]
    schema_version: u32,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

fn first() -> u32 {
    1
}

/// Reads the events of a JSON array.
pub(super) fn recorded<E: Event>(json: &str, stream: &StreamId) -> Result<Vec<Recorded<E>>, Failure> {
    let events: Vec<Stored<'_>> = serde_json::from_str(json).map_err(corrupt)?;
    events.iter().map(|event| event.read(stream)).collect()
}

impl Stored<'_> {
    fn read<E: Event>(&self, stream: &StreamId) -> Result<Recorded<E>, Failure> {
        let (version, time) = (version_of(self.version), time_of(&self.time));
        let view = EventView {
            version,
            id: &self.id,
            event_type: &self.event_type,
            schema_version: self.schema_version,
            time,
            data: self.data.get(),
            metadata: self.metadata.get(),
            saved: None,
        };
        let event = E::from_stored(&view, stream)?.ok_or_else(|| {
            let detail = format!(
                "version {version} of stream {stream} has the type {}, for which the enum has no variant",
                self.event_type
            );
            Failure::new(ErrorCode::UnknownEvent, detail)
        })?;
        let id = EventId::new(&self.id).map_err(|error: InvalidName| corrupt(error))?;
        let metadata = JsonText::parse(self.metadata.get()).map_err(|error: MalformedJson| corrupt(error))?;
        Ok(Recorded { event, version, id, time, metadata })
    }
}

/// A time that an object has written.
pub(super) fn time_of(text: &str) -> RecordedTime {
    RecordedTime::from_millis(times::millis(text).unwrap_or_default())
}

fn corrupt(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::StoredDataCorrupt, format!("an event cannot be read: {error}"))
}
