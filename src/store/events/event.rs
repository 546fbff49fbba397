//! Events before and after they are written.

use thiserror::Error;

use super::json_text::JsonText;
use crate::ErrorCode;
use crate::store::feeds::position::Position;
use crate::store::limits::{
    EVENT_ID_BYTES, EVENT_TYPE_BYTES, MAX_TIME_MILLIS, METADATA_BYTES, SCHEMA_VERSION,
};
use crate::store::names::name::{self, InvalidName};
use crate::store::names::stream_id::StreamId;
use crate::store::version::Version;

/// The name of what happened, in the past tense: `Deposited`. 1 to 200 bytes of UTF-8 without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventType(Box<str>);

/// The id of an event, which no other event has: a `UUIDv7`, unless the writer gave an id. 1 to 200 bytes of UTF-8
/// without control characters. The default is the nil UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventId(Box<str>);

impl EventType {
    /// Makes an event type from `text`.
    ///
    /// # Errors
    /// [`InvalidName`] if the text is empty, is longer than 200 bytes or contains a control character.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        name::check(text, EVENT_TYPE_BYTES)?;
        Ok(Self(text.into()))
    }

    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EventId {
    /// Makes an event id from `text`.
    ///
    /// # Errors
    /// [`InvalidName`] if the text is empty, is longer than 200 bytes or contains a control character.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        name::check(text, EVENT_ID_BYTES)?;
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for EventId {
    fn default() -> Self {
        Self("00000000-0000-0000-0000-000000000000".into())
    }
}

/// The time at which the store recorded an event: milliseconds since 1970-01-01T00:00:00Z. It never decreases within a
/// stream, even if the clock goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedTime(u64);

impl RecordedTime {
    /// A time in milliseconds since 1970. A time after the year 9999 becomes the end of that year.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis <= MAX_TIME_MILLIS { Self(millis) } else { Self(MAX_TIME_MILLIS) }
    }

    /// The time in milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time this many milliseconds earlier, but not before 1970.
    ///
    /// ```
    /// use sillok::store::RecordedTime;
    ///
    /// assert_eq!(RecordedTime::from_millis(1_500).earlier(500), RecordedTime::from_millis(1_000));
    /// ```
    #[must_use]
    pub const fn earlier(self, millis: u64) -> Self {
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// The time this many milliseconds later, but not after the year 9999.
    ///
    /// ```
    /// use sillok::store::RecordedTime;
    ///
    /// assert_eq!(RecordedTime::from_millis(1_000).later(500), RecordedTime::from_millis(1_500));
    /// ```
    #[must_use]
    pub const fn later(self, millis: u64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }
}

/// The reason why an event is not valid. It names the wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidEvent {
    /// The event's type is not valid.
    #[error("the event type {0}")]
    Type(InvalidName),
    /// The event's id is not valid.
    #[error("the event id {0}")]
    Id(InvalidName),
    /// The schema version of the data is 0, or is higher than its limit.
    #[error("the schema version must be a whole number from 1 to {SCHEMA_VERSION}")]
    SchemaVersion,
    /// The metadata is JSON but not an object.
    #[error("the metadata must be a JSON object")]
    MetadataNotObject,
    /// The metadata is larger than its limit.
    #[error("the metadata is {bytes} bytes long; the most is {METADATA_BYTES}")]
    MetadataTooLarge {
        /// The length of the metadata, in bytes of JSON text.
        bytes: usize,
    },
}

impl InvalidEvent {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Type(_) => ErrorCode::InvalidEventType,
            Self::Id(_) => ErrorCode::InvalidEventId,
            Self::SchemaVersion => ErrorCode::InvalidEvent,
            Self::MetadataNotObject => ErrorCode::InvalidMetadata,
            Self::MetadataTooLarge { .. } => ErrorCode::MetadataTooLarge,
        }
    }

    /// The field of the event that is wrong: `type`, `id`, `schemaVersion` or `metadata`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Type(_) => "type",
            Self::Id(_) => "id",
            Self::SchemaVersion => "schemaVersion",
            Self::MetadataNotObject | Self::MetadataTooLarge { .. } => "metadata",
        }
    }
}

/// An event before it is written.
///
/// ```
/// use sillok::store::{JsonText, NewEvent};
///
/// let event = NewEvent::new("Deposited", JsonText::parse(r#"{"amount":100}"#)?)?
///     .with_metadata(JsonText::parse(r#"{"correlationId":"c-1"}"#)?)?;
/// assert_eq!(event.event_type().as_str(), "Deposited");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    id: Option<EventId>,
    event_type: EventType,
    schema_version: u32,
    data: JsonText,
    metadata: JsonText,
    saved: Option<JsonText>,
}

impl NewEvent {
    /// An event of this type with this data, without an id and without metadata. The store sets the id.
    ///
    /// # Errors
    /// [`InvalidEvent::Type`].
    pub fn new(event_type: &str, data: JsonText) -> Result<Self, InvalidEvent> {
        let event_type = EventType::new(event_type).map_err(InvalidEvent::Type)?;
        let metadata = JsonText::empty_object();
        Ok(Self { id: None, event_type, schema_version: 1, data, metadata, saved: None })
    }

    /// The same event with the writer's id.
    ///
    /// # Errors
    /// [`InvalidEvent::Id`].
    pub fn with_id(mut self, id: &str) -> Result<Self, InvalidEvent> {
        self.id = Some(EventId::new(id).map_err(InvalidEvent::Id)?);
        Ok(self)
    }

    /// The same event, whose data have this schema version. The version is 1 unless it is set.
    ///
    /// The type of an event keeps its name when the shape of its data changes. The schema version says which shape the data
    /// have, so that the code can convert old data when it reads them.
    ///
    /// # Errors
    /// [`InvalidEvent::SchemaVersion`].
    pub fn with_schema_version(mut self, version: u32) -> Result<Self, InvalidEvent> {
        if version == 0 || version > SCHEMA_VERSION {
            return Err(InvalidEvent::SchemaVersion);
        }
        self.schema_version = version;
        Ok(self)
    }

    /// The same event with metadata: a JSON object of at most 16 KiB.
    ///
    /// # Errors
    /// [`InvalidEvent::MetadataNotObject`], [`InvalidEvent::MetadataTooLarge`].
    pub fn with_metadata(mut self, metadata: JsonText) -> Result<Self, InvalidEvent> {
        if !metadata.is_object() {
            return Err(InvalidEvent::MetadataNotObject);
        }
        let bytes = metadata.as_str().len();
        if bytes > METADATA_BYTES {
            return Err(InvalidEvent::MetadataTooLarge { bytes });
        }
        self.metadata = metadata;
        Ok(self)
    }

    /// The same event with a note of the store. The note says that the event's data are a whole saved object. Its JSON
    /// array names the places of the object's dates. The store writes the note beside data and metadata, so that no
    /// writer of these can write it. An event that is appended over HTTP, or by `append` in JavaScript, has no note.
    #[must_use]
    pub fn saved_with(self, dates: JsonText) -> Self {
        Self { saved: Some(dates), ..self }
    }

    /// The event's type.
    #[must_use]
    pub fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// The schema version of the event's data.
    #[must_use]
    pub fn schema_version(&self) -> u32 {
        self.schema_version
    }

    /// The writer's id of the event, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// The data of the event, as JSON text.
    #[must_use]
    pub fn data(&self) -> &JsonText {
        &self.data
    }

    /// The metadata of the event, a JSON object.
    #[must_use]
    pub fn metadata(&self) -> &JsonText {
        &self.metadata
    }

    /// The store's note about the event, if there is one: see [`saved_with`](Self::saved_with).
    #[must_use]
    pub fn saved(&self) -> Option<&JsonText> {
        self.saved.as_ref()
    }

    /// About how many bytes the stored event has.
    pub(in crate::store) fn size(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| id.as_str().len());
        let saved = self.saved.as_ref().map_or(0, |saved| saved.as_str().len());
        id + self.event_type.as_str().len() + self.data.as_str().len() + self.metadata.as_str().len() + saved
    }
}

/// An event after it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The stream that holds the event.
    pub stream: StreamId,
    /// The place of the event in its stream.
    pub version: Version,
    /// The event's id.
    pub id: EventId,
    /// The event's type.
    pub event_type: EventType,
    /// The schema version of the event's data.
    pub schema_version: u32,
    /// The time at which the store recorded it.
    pub time: RecordedTime,
    /// The data of the event, as the JSON text that was appended.
    pub data: JsonText,
    /// The metadata of the event, a JSON object.
    pub metadata: JsonText,
    /// The place of the event among all events of the log. `None` if the log stores only one stream.
    pub position: Option<Position>,
}

/// A recorded event in the store, borrowed for the time of one visit. A reader that only passes the event on copies
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventView<'a> {
    /// The place of the event in its stream.
    pub version: Version,
    /// The event's id.
    pub id: &'a str,
    /// The event's type.
    pub event_type: &'a str,
    /// The schema version of the event's data.
    pub schema_version: u32,
    /// The time at which the store recorded it.
    pub time: RecordedTime,
    /// The data of the event, as JSON text.
    pub data: &'a str,
    /// The metadata of the event, a JSON object as text.
    pub metadata: &'a str,
    /// The store's note about the event: see [`NewEvent::saved_with`].
    pub saved: Option<&'a str>,
    /// The place of the event among all events of the log. `None` if the log stores only one stream.
    pub position: Option<Position>,
}

impl RecordedEvent {
    /// The event, borrowed.
    #[must_use]
    pub fn view(&self) -> EventView<'_> {
        EventView {
            version: self.version,
            id: self.id.as_str(),
            event_type: self.event_type.as_str(),
            schema_version: self.schema_version,
            time: self.time,
            data: self.data.as_str(),
            metadata: self.metadata.as_str(),
            saved: None,
            position: self.position,
        }
    }
}

impl EventView<'_> {
    /// Copies the event into a value of its own.
    #[must_use]
    pub fn to_recorded(&self, stream: &StreamId) -> RecordedEvent {
        RecordedEvent {
            stream: stream.clone(),
            version: self.version,
            id: EventId(self.id.into()),
            event_type: EventType(self.event_type.into()),
            schema_version: self.schema_version,
            time: self.time,
            data: JsonText::trusted(self.data),
            metadata: JsonText::trusted(self.metadata),
            position: self.position,
        }
    }
}
