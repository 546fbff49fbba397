//! Recorded events in the types of the Worker's own code.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::handler::{Event, Recorded};
use sillok::store::{EventView, RecordedTime, StreamId};
use sillok_bridge::Failure;

use super::version_of;
use crate::http::times;

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
        let view = EventView {
            version: version_of(self.version),
            id: &self.id,
            event_type: &self.event_type,
            schema_version: self.schema_version,
            time: time_of(&self.time),
            data: self.data.get(),
            metadata: self.metadata.get(),
            saved: None,
            position: None,
        };
        Ok(Recorded::read(&view, stream)?)
    }
}

/// A time that an object has written.
pub(super) fn time_of(text: &str) -> RecordedTime {
    RecordedTime::from_millis(times::millis(text).unwrap_or_default())
}

fn corrupt(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::StoredDataCorrupt, format!("an event cannot be read: {error}"))
}
