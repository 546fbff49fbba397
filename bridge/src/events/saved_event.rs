//! The tutorial's events: any objects with an `aggregateId`, stored whole.
//!
//! The event is appended to the stream that its `aggregateId` names. Its data is the whole object. The store's note about the
//! event marks it as saved, and lists the places where the object had a `Date`, because JSON has no dates. So a found event
//! equals the saved one. The note lies beside data and metadata: an appended event never has one.

use sillok::ErrorCode;
use sillok::store::{
    EventStore, EventView, JsonText, NewEvent, ReadRange, StreamId, StreamLog, json_string, members,
    string_text,
};
use wasm_bindgen::JsValue;

use super::event_json::write_event;
use super::new_events::InvalidEvents;
use crate::failure::Failure;
use crate::js::{name_from_js, number_text};

/// The type of a saved event that has no valid type of its own.
const UNNAMED_TYPE: &str = "EventSaved";

/// An `aggregateId`: a text or a number. The number 1 and the text "1" have the same stream, but they are different ids in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AggregateId {
    /// A text.
    Text(String),
    /// A number as JavaScript writes it. Two numbers are equal if their texts are equal.
    Number(String),
}

impl AggregateId {
    /// Reads an id from its JSON, as `JSON.stringify` writes it.
    ///
    /// # Errors
    /// `invalid_stream_id`, naming the field `aggregateId`, if the value is neither a text nor a number.
    pub fn from_json(json: &str) -> Result<Self, Failure> {
        match json.as_bytes().first() {
            Some(b'"') => match string_text(json) {
                Some(text) => Ok(Self::Text(text.into_owned())),
                None => Err(invalid_id("must be well-formed Unicode, without lone surrogates")),
            },
            // JavaScript's two zeros are equal.
            Some(_) if json == "-0" => Ok(Self::Number("0".to_owned())),
            Some(b'-' | b'0'..=b'9') => Ok(Self::Number(json.to_owned())),
            _ => Err(invalid_id("must be a string or a number")),
        }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// `invalid_stream_id`, naming the field `aggregateId`, if the value is neither a text nor a finite number.
    pub fn from_js(value: &JsValue) -> Result<Self, Failure> {
        if let Some(text) = number_text(value) {
            return Ok(Self::Number(text));
        }
        if !value.is_string() {
            return Err(invalid_id("must be a string or a number"));
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
    Failure::new(ErrorCode::InvalidStreamId, format!("the aggregateId {reason}")).in_field("aggregateId")
}

/// Two fields of a tutorial's event, before they are checked: its `aggregateId` and its `type`.
fn known_fields(json: &str) -> [Option<&str>; 2] {
    members(json, ["aggregateId", "type"]).unwrap_or_default()
}

/// Converts a tutorial's event to the event to append, and finds its stream.
///
/// `json` is the whole event. `dates` is the JSON of an array: for each `Date` in the event, it has the keys that lead to it.
/// Both are stored as the same text, because a key may be any JavaScript text, also one that is not well-formed Unicode. The
/// event's type is its field `type`, if that is a valid type.
///
/// # Errors
/// `invalid_event` if the event is not an object; `invalid_stream_id` if its `aggregateId` does not name a stream;
/// `malformed_json` if one of the texts is not JSON.
pub fn saved_event(json: &str, dates: &str) -> Result<(StreamId, NewEvent), Failure> {
    let parsed = |text| JsonText::parse(text).map_err(|error| Failure::from(InvalidEvents::Malformed(error)));
    let (data, dates) = (parsed(json)?, parsed(dates)?);
    if !data.is_object() {
        return Err(Failure::from(InvalidEvents::NotAnObject { event: None }));
    }
    let [aggregate_id, event_type] = known_fields(json);
    let stream = AggregateId::from_json(aggregate_id.unwrap_or("null"))?.stream()?;
    let event_type = event_type.and_then(string_text);
    let event_type = event_type.as_deref().unwrap_or(UNNAMED_TYPE);
    let event = NewEvent::new(event_type, data.clone())
        .or_else(|_| NewEvent::new(UNNAMED_TYPE, data))
        .map_err(|reason| Failure::from(InvalidEvents::Refused { event: None, reason }))?;
    Ok((stream, event.saved_with(dates)))
}

/// Finds the tutorial's events of an aggregate, oldest first, as a JSON array of `{"event","dates"}`.
///
/// An appended event is in the array as it was recorded, with the member `aggregateId` added.
///
/// # Errors
/// `invalid_stream_id`, or an error of the store.
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
    let owner = event.saved.and_then(|_| owner_in(event.data, stream));
    let appended_to = || AggregateId::Text(stream.as_str().to_owned());
    if owner.clone().unwrap_or_else(appended_to) != *id {
        return;
    }
    if out.len() > 1 {
        out.push(',');
    }
    out.push_str("{\"event\":");
    match event.saved {
        Some(dates) if owner.is_some() => out.extend([event.data, ",\"dates\":", dates]),
        _ => {
            write_appended(out, stream, event);
            out.push_str(",\"dates\":[]");
        }
    }
    out.push('}');
}

/// The aggregate that a saved event names, if that aggregate has this stream.
fn owner_in(data: &str, stream: &StreamId) -> Option<AggregateId> {
    let [aggregate_id, _] = known_fields(data);
    let owner = AggregateId::from_json(aggregate_id?).ok()?;
    owner.stream().is_ok_and(|named| named == *stream).then_some(owner)
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
