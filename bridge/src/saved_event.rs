//! The tutorial's events: any object with an `aggregateId`, kept whole.
//!
//! Such an event is appended to the stream that its `aggregateId` names, with the whole object as data. Its
//! metadata says so, and at which places the object held a `Date`, for which JSON has no form, so that what is
//! found again equals what was saved.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sillok::store::{EventStore, EventView, JsonText, NewEvent, ReadRange, StreamId, StreamLog, json_string};
use wasm_bindgen::JsValue;

use crate::event_json::write_event;
use crate::failure::Failure;
use crate::js_value::{name_from_js, number_text};
use crate::new_events::InvalidEvents;

/// The type of a saved event that names none itself.
const UNNAMED_TYPE: &str = "EventSaved";

/// An `aggregateId`: a text or a number. The number 1 and the text "1" share a stream and are told apart in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AggregateId {
    /// A text.
    Text(String),
    /// A number, as JavaScript writes it: two numbers are the same when their texts are.
    Number(String),
}

impl AggregateId {
    /// Reads an id from its JSON, as `JSON.stringify` writes it.
    ///
    /// # Errors
    /// `invalid_stream_id`, naming the field `aggregateId`, for any other value than a text or a number.
    pub fn from_json(json: &str) -> Result<Self, Failure> {
        match json.as_bytes().first() {
            Some(b'"') => match serde_json::from_str(json) {
                Ok(text) => Ok(Self::Text(text)),
                Err(_) => Err(invalid_id("must be well-formed Unicode, without lone surrogates")),
            },
            // To JavaScript the two zeros are equal.
            Some(_) if json == "-0" => Ok(Self::Number("0".to_owned())),
            Some(b'-' | b'0'..=b'9') => Ok(Self::Number(json.to_owned())),
            _ => Err(invalid_id("must be a text or a number")),
        }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// `invalid_stream_id`, naming the field `aggregateId`, for any other value than a text or a finite number.
    pub fn from_js(value: &JsValue) -> Result<Self, Failure> {
        if let Some(text) = number_text(value) {
            return Ok(Self::Number(text));
        }
        if !value.is_string() {
            return Err(invalid_id("must be a text or a number"));
        }
        name_from_js(value).map(Self::Text).map_err(|reason| invalid_id(&reason))
    }

    /// The stream of this aggregate.
    ///
    /// # Errors
    /// `invalid_stream_id`, naming the field `aggregateId`.
    pub fn stream(&self) -> Result<StreamId, Failure> {
        let (Self::Text(text) | Self::Number(text)) = self;
        StreamId::new(text).map_err(|error| Failure::from(error).in_field("aggregateId"))
    }
}

fn invalid_id(reason: &str) -> Failure {
    Failure::new("invalid_stream_id", format!("the aggregateId {reason}")).in_field("aggregateId")
}

/// What a saved event's metadata says.
#[derive(Debug, Serialize, Deserialize)]
struct SavedMetadata {
    saved: SavedAs,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct SavedAs {
    /// Where the event holds a `Date`: the keys that lead to each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dates: Vec<Vec<String>>,
}

/// The two fields that a tutorial's event is known by, not looked into yet.
#[derive(Debug, Default)]
struct Known<'a> {
    aggregate_id: Option<&'a RawValue>,
    event_type: Option<&'a RawValue>,
}

impl Known<'_> {
    fn owner(&self) -> Result<AggregateId, Failure> {
        AggregateId::from_json(self.aggregate_id.map_or("null", RawValue::get))
    }
}

/// Takes a tutorial's event as the event to append, and the stream to append it to.
///
/// `json` is the whole event; `dates` holds, for each `Date` in it, the keys that lead there. The event's type
/// is its field `type` where that can be one.
///
/// # Errors
/// `invalid_event` when the event is not an object; `invalid_stream_id` when its `aggregateId` cannot be a
/// stream's; `metadata_too_large` when it holds too many dates.
pub fn saved_event(json: &str, dates: Vec<Vec<String>>) -> Result<(StreamId, NewEvent), Failure> {
    let data = JsonText::parse(json).map_err(|error| Failure::from(InvalidEvents::Malformed(error)))?;
    if !data.is_object() {
        return Err(Failure::from(InvalidEvents::NotAnObject { event: None }));
    }
    let known = known_fields(json).unwrap_or_default();
    let stream = known.owner()?.stream()?;
    let event_type: Option<String> =
        known.event_type.and_then(|event_type| serde_json::from_str(event_type.get()).ok());
    let event_type = event_type.as_deref().unwrap_or(UNNAMED_TYPE);
    let refused = |reason| Failure::from(InvalidEvents::Refused { event: None, reason });
    let event = NewEvent::new(event_type, data.clone())
        .or_else(|_| NewEvent::new(UNNAMED_TYPE, data))
        .map_err(refused)?;
    let metadata = JsonText::from_value(&SavedMetadata { saved: SavedAs { dates } })
        .map_err(|error| Failure::from(InvalidEvents::Malformed(error)))?;
    Ok((stream, event.with_metadata(metadata).map_err(refused)?))
}

fn known_fields(json: &str) -> Option<Known<'_>> {
    serde_json::from_str(json).ok()
}

impl<'de> Deserialize<'de> for Known<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KnownVisitor)
    }
}

struct KnownVisitor;

impl<'de> Visitor<'de> for KnownVisitor {
    type Value = Known<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut known = Known::default();
        while let Some(key) = map.next_key::<Key>()? {
            let value: &RawValue = map.next_value()?;
            match key {
                Key::AggregateId => known.aggregate_id = Some(value),
                Key::Type => known.event_type = Some(value),
                Key::Other => {}
            }
        }
        Ok(known)
    }
}

/// A field's name, read as bytes: a name may be any JavaScript text, also one that is not well-formed Unicode.
enum Key {
    AggregateId,
    Type,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field's name")
    }

    fn visit_bytes<E: de::Error>(self, name: &[u8]) -> Result<Key, E> {
        Ok(match name {
            b"aggregateId" => Key::AggregateId,
            b"type" => Key::Type,
            _ => Key::Other,
        })
    }
}

/// The tutorial's events of an aggregate, oldest first, as a JSON array of `{"event","dates"}`.
///
/// An event that was appended rather than saved stands there as it was recorded, with the `aggregateId` added.
///
/// # Errors
/// `invalid_stream_id`, or what the store says.
pub fn find_saved<L: StreamLog>(store: &EventStore<L>, id: &AggregateId) -> Result<String, Failure> {
    let stream = id.stream()?;
    let mut found = String::from("[");
    let mut range = Some(ReadRange::all());
    while let Some(page) = range {
        let end = store.visit(&stream, &page, &mut |event| write_found(&mut found, id, &stream, &event));
        range = end?.next;
    }
    found.push(']');
    Ok(found)
}

fn write_found(out: &mut String, id: &AggregateId, stream: &StreamId, event: &EventView<'_>) {
    let saved = serde_json::from_str::<SavedMetadata>(event.metadata).ok();
    let owner = saved.as_ref().and_then(|_| known_fields(event.data)?.owner().ok());
    let appended_to = || AggregateId::Text(stream.as_str().to_owned());
    if owner.clone().unwrap_or_else(appended_to) != *id {
        return;
    }
    if out.len() > 1 {
        out.push(',');
    }
    out.push_str("{\"event\":");
    let SavedAs { dates } = saved.map(|saved| saved.saved).unwrap_or_default();
    if owner.is_some() {
        out.push_str(event.data);
    } else {
        write_appended(out, stream, event);
    }
    let dates = serde_json::to_string(&dates).unwrap_or_else(|_| "[]".to_owned());
    out.push_str(",\"dates\":");
    out.push_str(&dates);
    out.push('}');
}

fn write_appended(out: &mut String, stream: &StreamId, event: &EventView<'_>) {
    let stream = json_string(stream.as_str());
    out.push_str("{\"aggregateId\":");
    out.push_str(&stream);
    out.push(',');
    let mut recorded = String::new();
    write_event(&mut recorded, &stream, event);
    out.push_str(recorded.strip_prefix('{').unwrap_or_default());
}
