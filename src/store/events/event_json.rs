//! The JSON of events, the same in every interface. Data and metadata stay the same text.

use std::fmt::Write;

use super::event::EventView;
use super::json_text::{json_string, push_json_string};
use crate::store::feeds::checkpoint::Checkpoint;
use crate::store::feeds::feed::FeedEventView;

/// Appends an event as JSON: `{"stream","version","id","type","time","data","metadata"}`, and `schemaVersion` after the type if it
/// is not 1. If the event has a position, `position` and `checkpoint` follow. `stream` is the id of the stream as a JSON string.
/// `time` is the recorded time as text, such as `2026-11-23T01:02:03.456Z`.
///
/// ```
/// use sillok::store::{EventView, RecordedTime, Version, push_event_json};
///
/// let opened = EventView {
///     version: Version::FIRST,
///     id: "e-1",
///     event_type: "Opened",
///     schema_version: 1,
///     time: RecordedTime::from_millis(0),
///     data: "null",
///     metadata: "{}",
///     saved: None,
///     position: None,
/// };
/// let mut json = String::new();
/// push_event_json(&mut json, "\"account-42\"", &opened, "1970-01-01T00:00:00.000Z");
/// assert!(json.starts_with(r#"{"stream":"account-42","version":1,"id":"e-1","type":"Opened","time":"1970"#));
/// ```
pub fn push_event_json(out: &mut String, stream: &str, event: &EventView<'_>, time: &str) {
    let EventView { version, id, event_type, schema_version, data, metadata, position, .. } = *event;
    // Writing to a String cannot fail.
    let _ = write!(out, "{{\"stream\":{stream},\"version\":{version},\"id\":");
    push_json_string(out, id);
    out.push_str(",\"type\":");
    push_json_string(out, event_type);
    if schema_version != 1 {
        let _ = write!(out, ",\"schemaVersion\":{schema_version}");
    }
    out.extend([",\"time\":\"", time, "\",\"data\":", data, ",\"metadata\":", metadata]);
    if let Some(position) = position {
        // Such a store has one partition, so the position is also the checkpoint.
        let _ = write!(out, ",\"position\":{position},\"checkpoint\":\"{position}\"");
    }
    out.push('}');
}

/// Appends an event of a feed as JSON: as [`push_event_json`] does, with `position` and `checkpoint`. `checkpoint` is the place of
/// the feed after the event.
pub fn push_feed_event_json(
    out: &mut String,
    found: &FeedEventView<'_>,
    checkpoint: &Checkpoint,
    time: &str,
) {
    push_event_json(out, &json_string(found.stream), &found.event, time);
    out.pop();
    out.push_str(",\"position\":");
    out.push_str(&found.position.get().to_string());
    out.push_str(",\"checkpoint\":\"");
    out.push_str(&checkpoint.to_string());
    out.push_str("\"}");
}
