//! How the events of a commit are stored: one JSON array.
//!
//! `[{"id":…,"type":…,"data":…},…]`, with `"metadata":…` last where an event has any. Data and metadata
//! are the very text that was appended.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::commit::CommitView;
use super::event::{EventId, EventView, NewEvent, RecordedTime};
use super::json_text::push_json_string;
use super::log::StorageError;
use super::version::Version;

pub(super) const NO_METADATA: &str = "{}";

/// The most that one event adds to its data and metadata, where its id is a UUID and its type is short.
const USUAL_FRAME_BYTES: usize = 96;

/// Writes the events as they are stored, each with the id it has or else a fresh one.
pub(super) fn encode(events: &[NewEvent], fresh_id: &mut dyn FnMut() -> EventId) -> String {
    let sizes = events.iter().map(|event| USUAL_FRAME_BYTES + event.size());
    let mut text = String::with_capacity(sizes.sum());
    text.push('[');
    for (place, event) in events.iter().enumerate() {
        text.push_str(if place == 0 { "{\"id\":" } else { ",{\"id\":" });
        match event.id() {
            Some(id) => push_json_string(&mut text, id.as_str()),
            None => push_json_string(&mut text, fresh_id().as_str()),
        }
        text.push_str(",\"type\":");
        push_json_string(&mut text, event.event_type().as_str());
        text.push_str(",\"data\":");
        text.push_str(event.data().as_str());
        if event.metadata().as_str() != NO_METADATA {
            text.push_str(",\"metadata\":");
            text.push_str(event.metadata().as_str());
        }
        text.push('}');
    }
    text.push(']');
    text
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
        let metadata = self.metadata.map_or(NO_METADATA, RawValue::get);
        EventView {
            version,
            id: &self.id,
            event_type: &self.event_type,
            time,
            data: self.data.get(),
            metadata,
        }
    }

    /// Whether this is what an append of `event` stores. An id that the writer left to the store is any id.
    fn is(&self, event: &NewEvent) -> bool {
        event.id().is_none_or(|id| id.as_str() == self.id)
            && event.event_type().as_str() == self.event_type
            && event.data().as_str() == self.data.get()
            && event.metadata().as_str() == self.metadata.map_or(NO_METADATA, RawValue::get)
    }
}

/// The events of a commit, and the version of the first of them.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) first_version: Version,
    pub(super) events: Vec<StoredEvent<'a>>,
}

/// Reads the events of a commit.
pub(super) fn decode<'a>(commit: &CommitView<'a>) -> Result<Decoded<'a>, StorageError> {
    let version = commit.version;
    let events: Vec<StoredEvent<'a>> = serde_json::from_str(commit.events)
        .map_err(|error| StorageError::corrupt(version.get(), error.to_string()))?;
    let before = version.before(events.len()).filter(|_| !events.is_empty());
    match before.and_then(|before| before.after(1)) {
        Some(first_version) => Ok(Decoded { first_version, events }),
        None => Err(StorageError::corrupt(version.get(), "it has no events or too many")),
    }
}

impl Decoded<'_> {
    /// Whether these are what an append of `events` stores.
    pub(super) fn are(&self, events: &[NewEvent]) -> bool {
        self.events.len() == events.len()
            && self.events.iter().zip(events).all(|(stored, event)| stored.is(event))
    }
}
