//! How the events of a commit are stored: one JSON array in one text column.
//!
//! `[{"id":…,"type":…,"data":…},…]`, with `"metadata":…` last where an event has any. Data and metadata
//! are the very text that was appended.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::event::{CommittedEvent, EventView, RecordedTime};
use super::super::log::StorageError;
use super::super::version::Version;

const NO_METADATA: &str = "{}";

/// Writes the events as they are stored.
pub(super) fn encode(events: &[CommittedEvent]) -> String {
    let sizes = events.iter().map(|event| 48 + event.data.as_str().len() + event.metadata.as_str().len());
    let mut text = String::with_capacity(2 + sizes.sum::<usize>());
    text.push('[');
    for (place, event) in events.iter().enumerate() {
        text.push_str(if place == 0 { "{\"id\":" } else { ",{\"id\":" });
        push_string(&mut text, event.id.as_str());
        text.push_str(",\"type\":");
        push_string(&mut text, event.event_type.as_str());
        text.push_str(",\"data\":");
        text.push_str(event.data.as_str());
        if event.metadata.as_str() != NO_METADATA {
            text.push_str(",\"metadata\":");
            text.push_str(event.metadata.as_str());
        }
        text.push('}');
    }
    text.push(']');
    text
}

/// Appends `value` as a JSON string.
fn push_string(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

/// An event as it is stored, borrowed from its commit's text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredEvent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

impl StoredEvent<'_> {
    pub(super) fn view(&self, version: Version, time: RecordedTime) -> EventView<'_> {
        EventView {
            version,
            id: &self.id,
            event_type: &self.event_type,
            time,
            data: self.data.get(),
            metadata: self.metadata.map_or(NO_METADATA, RawValue::get),
        }
    }
}

/// Reads the events of the commit that ends at `version`.
pub(super) fn decode(text: &str, version: u64) -> Result<Vec<StoredEvent<'_>>, StorageError> {
    serde_json::from_str(text).map_err(|error| StorageError::Corrupt { version, reason: error.to_string() })
}
