//! What callers in Rust get: recorded events, states and outcomes in the types of a decider.

use serde::de::DeserializeOwned;

use super::behaviour::Fault;
use super::event::Event;
use crate::ErrorCode;
use crate::store::{EventId, EventView, JsonText, ReadRange, RecordedEvent, RecordedTime, StreamId, Version};

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<E> {
    /// The event, in its newest schema version.
    pub event: E,
    /// The place of the event in its stream.
    pub version: Version,
    /// The event's id.
    pub id: EventId,
    /// The time at which the store recorded it.
    pub time: RecordedTime,
    /// The metadata of the event, a JSON object.
    pub metadata: JsonText,
}

/// A page of typed events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage<E> {
    /// The version of the stream, independent of the range.
    pub version: Version,
    /// The first version that readers can see. It is `version` + 1 if they can see none.
    pub first_version: Version,
    /// The events.
    pub events: Vec<Recorded<E>>,
    /// The range of the next page. `None` on the last page.
    pub next: Option<ReadRange>,
}

/// A state and the version that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<S> {
    /// The state.
    pub state: S,
    /// The version of the stream that the state is of. It is 0 for a stream without events.
    pub version: Version,
}

/// The outcome of an accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<E> {
    /// The version of the first event. It is `version` + 1 if there are no events.
    pub first_version: Version,
    /// The version of the stream after the decision.
    pub version: Version,
    /// The time of the decision. It is the recorded time of the events.
    pub time: RecordedTime,
    /// The decided events. There are none if nothing had to happen, or if they were forgotten since.
    pub events: Vec<Recorded<E>>,
    /// Whether the outcome is the remembered one of an earlier command under the same id.
    pub replayed: bool,
}

impl<E: Event> Recorded<E> {
    /// Reads a stored event of a stream, after its data were converted to the newest schema version.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use sillok::handler::{Event, Recorded};
    /// use sillok::store::{EventView, RecordedTime, StreamId, Version};
    ///
    /// #[derive(Debug, PartialEq, Serialize, Deserialize)]
    /// #[serde(tag = "type", content = "data")]
    /// enum AccountEvent {
    ///     Deposited { cents: u64 },
    /// }
    /// impl Event for AccountEvent {}
    ///
    /// let stored = EventView {
    ///     version: Version::FIRST,
    ///     id: "e-1",
    ///     event_type: "Deposited",
    ///     schema_version: 1,
    ///     time: RecordedTime::from_millis(1_000),
    ///     data: r#"{"cents":100}"#,
    ///     metadata: "{}",
    ///     saved: None,
    ///     position: None,
    /// };
    /// let recorded = Recorded::<AccountEvent>::read(&stored, &StreamId::new("account-42")?)?;
    /// assert_eq!(recorded.event, AccountEvent::Deposited { cents: 100 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Fault`]: `unknown_event` if the enum has no variant for the event, `event_too_new`, or `decider_failed` if the data
    /// cannot be converted or read.
    pub fn read(stored: &EventView<'_>, stream: &StreamId) -> Result<Self, Fault> {
        let event = E::from_stored(stored, stream)?.ok_or_else(|| {
            let EventView { version, event_type, .. } = stored;
            let detail = format!(
                "version {version} of stream {stream} has the type {event_type}, for which the enum has no variant"
            );
            Fault::new(ErrorCode::UnknownEvent, detail)
        })?;
        let RecordedEvent { version, id, time, metadata, .. } = stored.to_recorded(stream);
        Ok(Self { event, version, id, time, metadata })
    }
}

impl<S: DeserializeOwned> Loaded<S> {
    /// Reads a state from its JSON.
    ///
    /// ```
    /// use sillok::handler::Loaded;
    /// use sillok::store::{JsonText, Version};
    ///
    /// let loaded = Loaded::<u64>::read(&JsonText::parse("70")?, Version::FIRST)?;
    /// assert_eq!((loaded.state, loaded.version), (70, Version::FIRST));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Fault`] with the code `decider_failed` if the state does not have this type.
    pub fn read(state: &JsonText, version: Version) -> Result<Self, Fault> {
        match serde_json::from_str(state.as_str()) {
            Ok(state) => Ok(Self { state, version }),
            Err(error) => {
                Err(Fault::new(ErrorCode::DeciderFailed, format!("the state cannot be read: {error}")))
            }
        }
    }
}
