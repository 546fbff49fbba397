//! A page of events in their newest schema versions.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::deciders::behaviour::Fault;
use super::deciders::event::{Event, Stored};
use super::read_event::with_data;
use crate::ErrorCode;

/// Shows each event of a category in the newest schema version of its type. `page` is a JSON array of events in their form on
/// the wire. Everything but the data and the schema version of an older event stays the same text. Events of other categories,
/// and of types without a variant, stay as they are.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{Event, Upcasts, newest_events};
/// use sillok::store::JsonText;
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum Counted {
///     Counted(u32),
/// }
///
/// impl Event for Counted {
///     // Version 1 was a text.
///     const UPCASTS: Upcasts = &[("Counted", &[|data| Ok(JsonText::parse(data.as_str().trim_matches('"'))?)])];
/// }
///
/// let page = r#"[{"stream":"tally-1","version":1,"type":"Counted","data":"7","metadata":{"n":1e400}}]"#;
/// assert_eq!(
///     newest_events::<Counted>("tally", page)?,
///     r#"[{"stream":"tally-1","version":1,"type":"Counted","schemaVersion":2,"data":7,"metadata":{"n":1e400}}]"#
/// );
/// assert_eq!(newest_events::<Counted>("other", page)?, page);
/// # Ok::<(), sillok::handler::Fault>(())
/// ```
///
/// # Errors
/// [`Fault`] that names the stream, the version and the type: `event_too_new`, or `decider_failed` if the data cannot be
/// converted.
pub fn newest_events<E: Event>(category: &str, page: &str) -> Result<String, Fault> {
    let unreadable = |error: serde_json::Error| Fault::new(ErrorCode::StoredDataCorrupt, error.to_string());
    let events: Vec<&RawValue> = serde_json::from_str(page).map_err(unreadable)?;
    let mut shown = Vec::with_capacity(events.len());
    for event in events {
        let json = event.get();
        let OnWire { stream, version, event_type, schema_version, data } =
            serde_json::from_str(json).map_err(unreadable)?;
        let (stream, event_type, data) = (&*stream, &*event_type, data.get());
        let is_of_category = stream.split('-').next() == Some(category);
        let stored = Stored { stream, version, event_type, schema_version, data };
        let newest = if is_of_category { stored.newest_data::<E>()? } else { None };
        shown.push(match newest {
            Some(data) => Cow::Owned(with_data(json, &data, E::schema_version(event_type))),
            None => Cow::Borrowed(json),
        });
    }
    Ok(format!("[{}]", shown.join(",")))
}

/// The parts of an event that its conversion needs.
#[derive(Deserialize)]
struct OnWire<'a> {
    #[serde(borrow)]
    stream: Cow<'a, str>,
    version: u64,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    #[serde(default = "first", rename = "schemaVersion")]
    schema_version: u32,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The schema version of an event that does not name one.
const fn first() -> u32 {
    1
}
