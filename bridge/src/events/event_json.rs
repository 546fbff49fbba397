//! Events as JSON. Data and metadata stay the same text.

use sillok::store::{
    EventStore, EventView, ReadError, ReadRange, StreamId, StreamLog, json_string, push_event_json,
};

use super::range::RangeValue;
use crate::clock::rfc3339;

/// A page of events, written as JSON.
#[derive(Debug)]
pub struct PageJson {
    /// The version of the whole stream, independent of the range.
    pub version: u64,
    /// The first version that readers can see. It is `version` + 1 if they can see none.
    pub first_version: u64,
    /// A JSON array of events, as text.
    pub events: String,
    /// The range of the next page. `None` on the last page.
    pub next: Option<RangeValue>,
}

crate::message!(PageJson {
    version: "version",
    first_version: "firstVersion",
    events: "events",
    next: "next"
});

/// Reads one page of a stream as JSON.
///
/// # Errors
/// [`ReadError`].
pub fn read_page<L: StreamLog>(
    store: &EventStore<L>,
    stream: &StreamId,
    range: &ReadRange,
) -> Result<PageJson, ReadError> {
    let (events, end) = write_events(stream, |visit| store.visit(stream, range, visit))?;
    Ok(PageJson {
        version: end.version.get(),
        first_version: end.first_version.get(),
        events,
        next: end.next.map(RangeValue::from),
    })
}

/// Writes the events of a stream that `visited` passes on, as a JSON array. Also returns the result of `visited`.
pub(crate) fn write_events<T, E>(
    stream: &StreamId,
    visited: impl FnOnce(&mut dyn FnMut(EventView<'_>)) -> Result<T, E>,
) -> Result<(String, T), E> {
    let name = json_string(stream.as_str());
    let mut events = String::from("[");
    let result = visited(&mut |event| {
        if events.len() > 1 {
            events.push(',');
        }
        write_event(&mut events, &name, &event);
    })?;
    events.push(']');
    Ok((events, result))
}

/// Appends one event to `out`. `stream` is the stream's id as a JSON string.
pub(crate) fn write_event(out: &mut String, stream: &str, event: &EventView<'_>) {
    push_event_json(out, stream, event, &rfc3339(event.time));
}
