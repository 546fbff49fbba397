//! The cause of an append.

use super::event::{EventId, InvalidEvent, NewEvent};
use super::json_text::{JsonText, json_string, members};

const CORRELATION: &str = "correlationId";
const CAUSATION: &str = "causationId";

/// The event that caused an append. The appended events continue its correlation id and name it as their cause, in the
/// metadata `correlationId` and `causationId`.
///
/// ```
/// use sillok::store::{Cause, EventId};
///
/// let first = Cause::new(EventId::new("e-1")?, "{}");
/// assert_eq!(first.correlation_id(), "e-1");
/// let later = Cause::new(EventId::new("e-2")?, r#"{"correlationId":"e-1"}"#);
/// assert_eq!(later.correlation_id(), "e-1");
/// # Ok::<(), sillok::store::InvalidName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    event: EventId,
    correlation: Box<str>,
}

impl Cause {
    /// A cause from an event's id and metadata. An event without a correlation id begins a correlation under its own
    /// id.
    #[must_use]
    pub fn new(event: EventId, metadata: &str) -> Self {
        let given = members(metadata, [CORRELATION]).and_then(|[correlation]| correlation);
        let correlation = given.and_then(|text| serde_json::from_str::<String>(text).ok());
        let correlation = correlation.map_or_else(|| event.as_str().into(), String::into_boxed_str);
        Self { event, correlation }
    }

    /// A cause from an event within a correlation.
    #[must_use]
    pub fn within(event: EventId, correlation: &str) -> Self {
        Self { event, correlation: correlation.into() }
    }

    /// The event.
    #[must_use]
    pub fn event_id(&self) -> &EventId {
        &self.event
    }

    /// The id that all events of the conversation share.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        &self.correlation
    }

    /// The event, with this as its cause. Ids that the writer has set stay.
    ///
    /// # Errors
    /// [`InvalidEvent::MetadataTooLarge`] if the metadata has no room for the ids.
    pub(in crate::store) fn of(&self, event: &NewEvent) -> Result<NewEvent, InvalidEvent> {
        let text = event.metadata().as_str();
        let given = members(text, [CORRELATION, CAUSATION]).unwrap_or_default();
        let ids = [(CORRELATION, self.correlation_id()), (CAUSATION, self.event.as_str())];
        let missing = ids.iter().zip(given).filter(|(_, given)| given.is_none());
        let added: Vec<String> =
            missing.map(|((name, id), _)| format!("\"{name}\":{}", json_string(id))).collect();
        let open = text.strip_suffix('}').unwrap_or(text).trim_end();
        let separator = if open == "{" || added.is_empty() { "" } else { "," };
        // The writer's part of the metadata stays as it was written.
        let metadata = [open, separator, &added.join(","), "}"].concat();
        event.clone().with_metadata(JsonText::trusted(&metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used)] // a test may panic
    fn metadata_carry_on_the_cause() {
        let cause = Cause::new(EventId::new("e\"2").unwrap(), r#"{"correlationId":"c","other":1}"#);
        for (given, metadata) in [
            ("{}", r#"{"correlationId":"c","causationId":"e\"2"}"#),
            ("{ }", r#"{"correlationId":"c","causationId":"e\"2"}"#),
            (r#"{"\ud83d":1}"#, r#"{"\ud83d":1,"correlationId":"c","causationId":"e\"2"}"#),
            (r#"{"a":1e400, "b":{} }"#, r#"{"a":1e400, "b":{},"correlationId":"c","causationId":"e\"2"}"#),
            (r#"{"a":{}}"#, r#"{"a":{},"correlationId":"c","causationId":"e\"2"}"#),
            (r#"{"correlationId":"own"}"#, r#"{"correlationId":"own","causationId":"e\"2"}"#),
            (r#"{"causationId":7,"correlationId":null}"#, r#"{"causationId":7,"correlationId":null}"#),
            (
                r#"{"\ud800":1,"causation\u0049d":2}"#,
                r#"{"\ud800":1,"causation\u0049d":2,"correlationId":"c"}"#,
            ),
        ] {
            let event = NewEvent::new("Moved", JsonText::null()).unwrap();
            let event = event.with_metadata(JsonText::parse(given).unwrap()).unwrap();
            assert_eq!(cause.of(&event).unwrap().metadata().as_str(), metadata);
        }
    }

    #[test]
    #[allow(clippy::unwrap_used)] // a test may panic
    fn a_correlation_id_is_what_javascript_reads() {
        for (metadata, correlation) in [
            ("{}", "e-1"),
            (r#"{"correlationId":7}"#, "e-1"),
            (r#"{"correlationId":"\ud800"}"#, "e-1"),
            (r#"{"correlationId":"\ud83d"}"#, "e-1"),
            (r#"{"correlationId":"a","correlationId":"b"}"#, "b"),
            (r#"{"\ud800":1,"correlation\u0049d":"c"}"#, "c"),
        ] {
            let cause = Cause::new(EventId::new("e-1").unwrap(), metadata);
            assert_eq!(cause.correlation_id(), correlation, "{metadata}");
        }
    }
}
