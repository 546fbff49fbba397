//! The cause of an append.

use super::event::{EventId, InvalidEvent, NewEvent};
use super::json_reader::string_text;
use super::json_text::{JsonText, json_string, members};

const CORRELATION: &str = "correlationId";
const CAUSATION: &str = "causationId";
const TRACE: &str = "traceparent";

/// The event or the command that caused an append. The appended events continue its correlation id and its trace, and
/// name it as their cause: in the metadata `correlationId`, `causationId` and `traceparent` (W3C Trace Context).
///
/// ```
/// use sillok::store::{Cause, EventId};
///
/// let first = Cause::new(EventId::new("e-1")?, "{}");
/// assert_eq!(first.correlation_id(), Some("e-1"));
/// let later = Cause::new(EventId::new("e-2")?, r#"{"correlationId":"e-1"}"#);
/// assert_eq!((later.causation_id(), later.correlation_id()), (Some("e-2"), Some("e-1")));
/// # Ok::<(), sillok::store::InvalidName>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    causation: Option<Box<str>>,
    correlation: Option<Box<str>>,
    trace: Option<Box<str>>,
}

impl Cause {
    /// A cause from an event's id and metadata. An event without a correlation id begins a correlation under its own
    /// id.
    #[must_use]
    pub fn new(event: EventId, metadata: &str) -> Self {
        Self::of(Some(event.as_str()), metadata)
    }

    /// A cause from an event within a correlation.
    #[must_use]
    pub fn within(event: EventId, correlation: &str) -> Self {
        Self { causation: Some(event.as_str().into()), correlation: Some(correlation.into()), trace: None }
    }

    /// A cause from a command's id and metadata. A command without a correlation id begins a correlation under its own
    /// id. A command without an id causes nothing that has a name: its events only continue its metadata.
    #[must_use]
    pub fn of_command(id: Option<&str>, metadata: &str) -> Self {
        Self::of(id, metadata)
    }

    fn of(id: Option<&str>, metadata: &str) -> Self {
        let [correlation, trace] = members(metadata, [CORRELATION, TRACE]).unwrap_or_default().map(text);
        let causation: Option<Box<str>> = id.map(Box::from);
        Self { correlation: correlation.or_else(|| causation.clone()), causation, trace }
    }

    /// The same cause, within a trace.
    #[must_use]
    pub fn traced(self, traceparent: &str) -> Self {
        Self { trace: Some(traceparent.into()), ..self }
    }

    /// The same cause. If it has no correlation id, it begins a correlation under this id.
    #[must_use]
    pub(crate) fn correlated(self, id: impl FnOnce() -> EventId) -> Self {
        Self { correlation: self.correlation.or_else(|| Some(id().as_str().into())), ..self }
    }

    /// The same cause, without the id of the event or of the command. Its correlation and its trace continue.
    #[must_use]
    pub(crate) fn without_causation(&self) -> Self {
        Self { causation: None, ..self.clone() }
    }

    /// The id of the event or of the command.
    #[must_use]
    pub fn causation_id(&self) -> Option<&str> {
        self.causation.as_deref()
    }

    /// The id that all events of the conversation share.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation.as_deref()
    }

    /// The trace, as in the header `traceparent` of W3C Trace Context.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// The event, with this as its cause. Members that the writer has set stay.
    ///
    /// # Errors
    /// [`InvalidEvent::MetadataTooLarge`] if the metadata has no room for the ids.
    pub(crate) fn caused(&self, event: &NewEvent) -> Result<NewEvent, InvalidEvent> {
        match self.added_to(event.metadata().as_str()) {
            Some(metadata) => event.clone().with_metadata(metadata),
            None => Ok(event.clone()),
        }
    }

    /// Metadata with this cause. Members that the writer has set stay. `None` if nothing is missing.
    pub(crate) fn added_to(&self, written: &str) -> Option<JsonText> {
        let given = members(written, [CORRELATION, CAUSATION, TRACE]).unwrap_or_default();
        let named = [
            (CORRELATION, self.correlation_id()),
            (CAUSATION, self.causation_id()),
            (TRACE, self.traceparent()),
        ];
        let missing = named.iter().zip(given).filter(|(_, given)| given.is_none());
        let missing = missing.filter_map(|((name, value), _)| Some((name, (*value)?)));
        let added: Vec<String> =
            missing.map(|(name, value)| format!("\"{name}\":{}", json_string(value))).collect();
        if added.is_empty() {
            return None;
        }
        let open = written.strip_suffix('}').unwrap_or(written).trim_end();
        let separator = if open == "{" { "" } else { "," };
        // The writer's part of the metadata stays as it was written.
        Some(JsonText::trusted(&[open, separator, &added.join(","), "}"].concat()))
    }
}

/// The text of a member, if it is a string of Unicode text.
fn text(member: Option<&str>) -> Option<Box<str>> {
    Some(string_text(member?)?.into())
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
            assert_eq!(cause.caused(&event).unwrap().metadata().as_str(), metadata);
        }
    }

    #[test]
    #[allow(clippy::unwrap_used)] // a test may panic
    fn a_trace_and_a_command_go_on_in_the_metadata() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let given = format!(r#"{{"traceparent":"{trace}"}}"#);
        let event = NewEvent::new("Moved", JsonText::null()).unwrap();
        let with = |cause: &Cause| cause.caused(&event).unwrap().metadata().as_str().to_owned();
        let named = Cause::of_command(Some("c-1"), &given);
        assert_eq!(
            with(&named),
            format!(r#"{{"correlationId":"c-1","causationId":"c-1","traceparent":"{trace}"}}"#)
        );
        assert_eq!(with(&Cause::of_command(None, &given)), given);
        assert_eq!(with(&Cause::of_command(None, "{}")), "{}");
        let within = Cause::within(EventId::new("e").unwrap(), "c").traced(trace);
        let read = Cause::new(
            EventId::new("e").unwrap(),
            &format!(r#"{{"correlationId":"c","traceparent":"{trace}"}}"#),
        );
        assert_eq!(within, read);
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
            assert_eq!(cause.correlation_id(), Some(correlation), "{metadata}");
        }
    }
}
