//! New events, read from JSON.

use std::borrow::Cow;

use sillok::ErrorCode;
use sillok::store::{
    InvalidEvent, JsonText, MalformedJson, NewEvent, items, json_value, only_members, string_text,
};
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
    if !text.trim_start().starts_with('[') {
        let event = json_value(text).map_err(InvalidEvents::Malformed)?;
        return Ok(vec![parse_event(event, None)?]);
    }
    let events = items(text).map_err(InvalidEvents::Malformed)?;
    events.into_iter().enumerate().map(|(place, event)| parse_event(event, Some(place))).collect()
}

/// Reads one event a line, and skips empty lines.
///
/// # Errors
/// [`InvalidEvents`] names the first field that is wrong. A place in malformed JSON counts from the start of the whole text.
pub fn parse_ndjson(text: &str) -> Result<Vec<NewEvent>, InvalidEvents> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let events = lines.enumerate().map(|(place, (line_before, line))| {
        let event = json_value(line)
            .map_err(|error| InvalidEvents::Malformed(MalformedJson { line: line_before + 1, ..error }))?;
        parse_event(event, Some(place))
    });
    events.collect()
}

/// The fields of an event.
const FIELDS: [&str; 5] = ["type", "data", "metadata", "id", "schemaVersion"];

fn parse_event(json: &str, event: Option<usize>) -> Result<NewEvent, InvalidEvents> {
    let [event_type, data, metadata, id, version] =
        only_members(json, FIELDS).map_err(|other| match other {
            Some(name) => InvalidEvents::UnexpectedField { event, name },
            None => InvalidEvents::NotAnObject { event },
        })?;
    let refused = |reason| InvalidEvents::Refused { event, reason };
    let event_type = event_type.ok_or(InvalidEvents::NoType { event })?;
    let event_type = text(event_type, event, "type")?;
    let parsed = |json| JsonText::parse(json).map_err(InvalidEvents::Malformed);
    let data = data.map_or_else(|| Ok(JsonText::null()), parsed)?;
    let mut new_event = NewEvent::new(&event_type, data).map_err(refused)?;
    if let Some(metadata) = metadata {
        new_event = new_event.with_metadata(parsed(metadata)?).map_err(refused)?;
    }
    if let Some(version) = version {
        // A text that is no number of this type is no schema version either.
        let version = version.parse().unwrap_or_default();
        new_event = new_event.with_schema_version(version).map_err(refused)?;
    }
    if let Some(id) = id {
        new_event = new_event.with_id(&text(id, event, "id")?).map_err(refused)?;
    }
    Ok(new_event)
}

fn text<'a>(json: &'a str, event: Option<usize>, name: &'static str) -> Result<Cow<'a, str>, InvalidEvents> {
    string_text(json).ok_or(InvalidEvents::NotText { event, name })
}
