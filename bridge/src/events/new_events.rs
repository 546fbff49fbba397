//! New events, read from JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::store::{InvalidEvent, JsonText, MalformedJson, NewEvent};
use thiserror::Error;

/// The reason why a text is refused as events. `event` is the index of the event in the array, counted from 0. It is `None` for
/// a single event that was sent without an array.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidEvents {
    /// The text is not JSON.
    #[error("the text {0}")]
    Malformed(MalformedJson),
    /// An event is not a JSON object.
    #[error("an event must be a JSON object")]
    NotAnObject {
        /// The index of the event.
        event: Option<usize>,
    },
    /// The event has no `type`.
    #[error("an event needs a `type`")]
    NoType {
        /// The index of the event.
        event: Option<usize>,
    },
    /// The event has an unknown field, or one field twice.
    #[error(
        "`{name}` is not a field of an event, or is there twice; an event has `type`, `data`, `metadata`, `id` and `schemaVersion`, each at most once"
    )]
    UnexpectedField {
        /// The index of the event.
        event: Option<usize>,
        /// The unknown or repeated field.
        name: String,
    },
    /// A `type` or an `id` is not a JSON string.
    #[error("`{name}` must be a string of Unicode text")]
    NotText {
        /// The index of the event.
        event: Option<usize>,
        /// The wrong field.
        name: &'static str,
    },
    /// The core refuses the event.
    #[error("{reason}")]
    Refused {
        /// The index of the event.
        event: Option<usize>,
        /// The reason of the core.
        reason: InvalidEvent,
    },
}

impl InvalidEvents {
    /// The stable code of this error, the same in JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::MalformedJson,
            Self::Refused { reason, .. } => reason.code(),
            Self::NotText { name: "type", .. } => ErrorCode::InvalidEventType,
            Self::NotText { .. } => ErrorCode::InvalidEventId,
            _ => ErrorCode::InvalidEvent,
        }
    }

    /// The wrong field: `type`, or `events[2].type` if several events were sent. It is `event` if the single value is not an
    /// event.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        let (event, name) = match self {
            Self::Malformed(_) => return None,
            Self::NotAnObject { event } => (event, None),
            Self::NoType { event } => (event, Some("type")),
            Self::UnexpectedField { event, name } => (event, Some(name.as_str())),
            Self::NotText { event, name } => (event, Some(*name)),
            Self::Refused { event, reason } => (event, Some(reason.field())),
        };
        match (event, name) {
            (None, name) => Some(name.unwrap_or("event").to_owned()),
            (Some(place), None) => Some(format!("events[{place}]")),
            (Some(place), Some(name)) => Some(format!("events[{place}].{name}")),
        }
    }
}

/// Reads one event or an array of events.
///
/// # Errors
/// [`InvalidEvents`] names the first field that is wrong.
pub fn parse_events(text: &str) -> Result<Vec<NewEvent>, InvalidEvents> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    if !raw.get().starts_with('[') {
        return Ok(vec![parse_event(raw, None)?]);
    }
    let events: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|error| malformed(&error))?;
    events.into_iter().enumerate().map(|(place, event)| parse_event(event, Some(place))).collect()
}

/// Reads one event a line, and skips empty lines.
///
/// # Errors
/// [`InvalidEvents`] names the first field that is wrong. A place in malformed JSON counts from the start of the whole text.
pub fn parse_ndjson(text: &str) -> Result<Vec<NewEvent>, InvalidEvents> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let events = lines.enumerate().map(|(place, (line_before, line))| {
        let raw = serde_json::from_str(line).map_err(|error: serde_json::Error| {
            InvalidEvents::Malformed(MalformedJson { line: line_before + 1, column: error.column() })
        })?;
        parse_event(raw, Some(place))
    });
    events.collect()
}

fn malformed(error: &serde_json::Error) -> InvalidEvents {
    InvalidEvents::Malformed(MalformedJson::from(error))
}

fn parse_event(raw: &RawValue, event: Option<usize>) -> Result<NewEvent, InvalidEvents> {
    if !raw.get().starts_with('{') {
        return Err(InvalidEvents::NotAnObject { event });
    }
    let fields: Fields<'_> = serde_json::from_str(raw.get()).map_err(|error| malformed(&error))?;
    if let Some(name) = fields.unexpected {
        return Err(InvalidEvents::UnexpectedField { event, name });
    }
    let refused = |reason| InvalidEvents::Refused { event, reason };
    let event_type = fields.event_type.ok_or(InvalidEvents::NoType { event })?;
    let event_type = text(event_type, event, "type")?;
    let data = fields.data.map_or_else(JsonText::null, JsonText::from);
    let mut new_event = NewEvent::new(&event_type, data).map_err(refused)?;
    if let Some(metadata) = fields.metadata {
        new_event = new_event.with_metadata(metadata.into()).map_err(refused)?;
    }
    if let Some(version) = fields.schema_version {
        // A text that is no number of this type is no schema version either.
        let version = version.get().parse().unwrap_or_default();
        new_event = new_event.with_schema_version(version).map_err(refused)?;
    }
    if let Some(id) = fields.id {
        new_event = new_event.with_id(&text(id, event, "id")?).map_err(refused)?;
    }
    Ok(new_event)
}

fn text<'a>(
    raw: &'a RawValue,
    event: Option<usize>,
    name: &'static str,
) -> Result<Cow<'a, str>, InvalidEvents> {
    match serde_json::from_str::<Text<'_>>(raw.get()) {
        Ok(Text(text)) => Ok(text),
        Err(_) => Err(InvalidEvents::NotText { event, name }),
    }
}

/// A JSON string. It is borrowed if it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of an event, before they are checked.
#[derive(Default)]
struct Fields<'a> {
    event_type: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    schema_version: Option<&'a RawValue>,
    unexpected: Option<String>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(Text(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            let field = match name.as_ref() {
                "type" => &mut fields.event_type,
                "id" => &mut fields.id,
                "data" => &mut fields.data,
                "metadata" => &mut fields.metadata,
                "schemaVersion" => &mut fields.schema_version,
                _ => {
                    fields.unexpected.get_or_insert_with(|| name.into_owned());
                    continue;
                }
            };
            if field.replace(value).is_some() {
                fields.unexpected.get_or_insert_with(|| name.into_owned());
            }
        }
        Ok(fields)
    }
}
