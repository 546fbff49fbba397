//! The stored form of a commit's events: one JSON array.
//!
//! `[{"id":…,"type":…,"data":…},…]`. An event whose schema version is not 1 has `"schemaVersion":…` after its type. An
//! event with metadata has `"metadata":…` after these, and an event with a note of
//! the store has `"saved":…` last. Data and metadata are exactly the text that was appended. Writers cannot write the
//! note.

use std::borrow::Cow;
use std::fmt::Write;

use super::event::{EventId, EventView, NewEvent, RecordedTime};
use super::json_reader::{decoded, objects};
use super::json_text::{JsonText, only_members, push_json_string};
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::StorageError;
use crate::store::version::Version;

/// The schema version of an event that is stored without one.
const FIRST_SCHEMA: u32 = 1;

pub(in crate::store) const NO_METADATA: &str = "{}";

/// The stored note of an event without a note, if its metadata look like an old note. Old notes lay in the metadata.
const NO_NOTE: &str = "false";

/// The beginning of metadata that were an old note: `{"saved":{}}` or `{"saved":{"dates":[…]}}`. Other metadata with
/// this beginning are stored with [`NO_NOTE`]. So only old notes are read as notes.
const NOTE_IN_METADATA: &str = "{\"saved\":{";

/// The members of a stored event, the required ones first.
const MEMBERS: [&str; 6] = ["id", "type", "data", "schemaVersion", "metadata", "saved"];

/// The most bytes that one event adds to its data and metadata, if its id is a UUID and its type is short.
const USUAL_FRAME_BYTES: usize = 96;

/// Returns the events as they are stored. An event without an id gets a fresh one.
pub(in crate::store) fn encode(events: &[NewEvent], fresh_id: &mut dyn FnMut() -> EventId) -> String {
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
        if event.schema_version() != FIRST_SCHEMA {
            // Writing to a String cannot fail.
            let _ = write!(text, ",\"schemaVersion\":{}", event.schema_version());
        }
        text.push_str(",\"data\":");
        text.push_str(event.data().as_str());
        if event.metadata().as_str() != NO_METADATA {
            text.push_str(",\"metadata\":");
            text.push_str(event.metadata().as_str());
        }
        if let Some(note) = stored_note(event) {
            text.extend([",\"saved\":", note]);
        }
        text.push('}');
    }
    text.push(']');
    text
}

/// The text that is stored as the event's note, if there is one.
fn stored_note(event: &NewEvent) -> Option<&str> {
    let looks_noted = event.metadata().as_str().starts_with(NOTE_IN_METADATA);
    event.saved().map(JsonText::as_str).or(looks_noted.then_some(NO_NOTE))
}

/// The dates of a note that lies in the metadata.
fn note_in(metadata: &str) -> Option<&str> {
    if !metadata.starts_with(NOTE_IN_METADATA) {
        return None;
    }
    let [saved] = only_members(metadata, ["saved"]).ok()?;
    let [dates] = only_members(saved?, ["dates"]).ok()?;
    Some(dates.filter(|dates| *dates != "null").unwrap_or("[]"))
}

/// An event as it is stored, borrowed from its commit's text.
#[derive(Debug)]
pub(in crate::store) struct StoredEvent<'a> {
    id: Cow<'a, str>,
    event_type: Cow<'a, str>,
    schema_version: u32,
    data: &'a str,
    metadata: Option<&'a str>,
    saved: Option<&'a str>,
}

impl<'a> StoredEvent<'a> {
    fn read([id, event_type, data, schema_version, metadata, saved]: [Option<&'a str>; 6]) -> Option<Self> {
        Some(Self {
            id: decoded(id?)?,
            event_type: decoded(event_type?)?,
            schema_version: schema_version.map_or(Some(FIRST_SCHEMA), |version| version.parse().ok())?,
            data: data?,
            metadata,
            saved,
        })
    }
}

impl StoredEvent<'_> {
    /// The event at this version, in a commit that was recorded at this time.
    pub(in crate::store) fn view(&self, version: Version, time: RecordedTime) -> EventView<'_> {
        let metadata = self.metadata.unwrap_or(NO_METADATA);
        let saved = match self.saved {
            Some(_) => self.note(),
            None => note_in(metadata),
        };
        EventView {
            version,
            id: &self.id,
            event_type: &self.event_type,
            schema_version: self.schema_version,
            time,
            data: self.data,
            metadata,
            saved,
            position: None,
        }
    }

    fn note(&self) -> Option<&str> {
        self.saved.filter(|note| *note != NO_NOTE)
    }

    /// Whether an append of `event` stores exactly this. If the writer gave no id, any id is equal.
    fn is(&self, event: &NewEvent) -> bool {
        event.id().is_none_or(|id| id.as_str() == self.id)
            && event.event_type().as_str() == self.event_type
            && event.schema_version() == self.schema_version
            && event.data().as_str() == self.data
            && event.metadata().as_str() == self.metadata.unwrap_or(NO_METADATA)
            && event.saved().map(JsonText::as_str) == self.note()
    }
}

/// The events of a commit, and the version of the first of them.
#[derive(Debug)]
pub(in crate::store) struct Decoded<'a> {
    pub(in crate::store) first_version: Version,
    pub(in crate::store) events: Vec<StoredEvent<'a>>,
}

/// Reads the events of a commit.
pub(in crate::store) fn decode<'a>(commit: &CommitView<'a>) -> Result<Decoded<'a>, StorageError> {
    let version = commit.version;
    let corrupt = |reason: &str| StorageError::corrupt(version.get(), reason);
    let events = objects(commit.events, MEMBERS, StoredEvent::read).map_err(|reason| corrupt(&reason))?;
    let before = version.before(events.len()).filter(|_| !events.is_empty());
    match before.and_then(|before| before.after(1)) {
        Some(first_version) => Ok(Decoded { first_version, events }),
        None => Err(corrupt("it has no events or too many")),
    }
}

impl Decoded<'_> {
    /// Whether an append of `events` stores exactly these.
    pub(in crate::store) fn are(&self, events: &[NewEvent]) -> bool {
        self.events.len() == events.len()
            && self.events.iter().zip(events).all(|(stored, event)| stored.is(event))
    }
}
