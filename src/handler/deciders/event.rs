//! The events of an aggregate, as one enum.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::behaviour::Fault;
use super::tagged::tagged;
use crate::ErrorCode;
use crate::handler::projections::projection::Failed;
use crate::handler::read_event::{read_tagged, variants_of};
use crate::store::{EventView, InvalidEvent, JsonText, NewEvent, StreamId, json_string};

/// Converts the data of an event from one schema version to the next.
///
/// It is a pure function of the data. The data are JSON as it was stored.
pub type Upcast = fn(JsonText) -> Result<JsonText, Failed>;

/// For each event type whose data have changed: the conversions from version 1 to 2, from 2 to 3, and so on. The newest schema
/// version of a type is the number of its conversions + 1.
pub type Upcasts = &'static [(&'static str, &'static [Upcast])];

/// The events of an aggregate: an enum with a variant for each event type.
///
/// The attributes of serde say everything else, so the implementation is empty: the names of the variants are the event
/// types, also after `rename` and `rename_all`. A variant without fields, `Closed` or `Closed {}`, is read from `null` data
/// and from `{}`.
///
/// If the shape of a variant changes, its type keeps its name. Add a function to [`UPCASTS`](Self::UPCASTS) that converts
/// the old data:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{Event, Failed, Upcasts};
/// use sillok::store::JsonText;
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum AccountEvent {
///     Opened { owner: String },
///     Deposited { cents: u64 },
///     Closed,
/// }
///
/// impl Event for AccountEvent {
///     // Version 1 of `Deposited` had whole coins.
///     const UPCASTS: Upcasts = &[("Deposited", &[coins_to_cents])];
/// }
///
/// fn coins_to_cents(data: JsonText) -> Result<JsonText, Failed> {
///     #[derive(Deserialize)]
///     struct Version1 {
///         coins: u64,
///     }
///     let Version1 { coins } = serde_json::from_str(data.as_str())?;
///     Ok(JsonText::parse(&format!(r#"{{"cents":{}}}"#, coins * 100))?)
/// }
///
/// assert_eq!(AccountEvent::types(), ["Opened", "Deposited", "Closed"]);
/// let deposited = AccountEvent::Deposited { cents: 300 }.to_new()?;
/// assert_eq!((deposited.event_type().as_str(), deposited.schema_version()), ("Deposited", 2));
/// assert_eq!(deposited.data().as_str(), r#"{"cents":300}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Event: Serialize + DeserializeOwned {
    /// The conversions of older data. A [projection](crate::handler::Projection::UPCASTS) that reads the events uses them
    /// too.
    const UPCASTS: Upcasts = &[];

    /// The event types, in the order of the variants.
    #[must_use]
    fn types() -> &'static [&'static str] {
        variants_of::<Self>()
    }

    /// The newest schema version of an event type. It is 1 for a type without conversions.
    #[must_use]
    fn schema_version(event_type: &str) -> u32 {
        newest(Self::UPCASTS, event_type)
    }

    /// Makes an event that can be appended, with the newest schema version of its type.
    ///
    /// # Errors
    /// [`Fault`] with the code of an invalid event. The value has no form in JSON, or the enum lacks `#[serde(tag = "type",
    /// content = "data")]`.
    fn to_new(&self) -> Result<NewEvent, Fault> {
        let invalid = |reason| Fault::new(ErrorCode::InvalidEvent, format!("the event {reason}"));
        let (event_type, data) = tagged(self).map_err(|reason| invalid(reason).in_field("type"))?;
        let refused =
            |error: InvalidEvent| Fault::new(error.code(), error.to_string()).in_field(error.field());
        let event = NewEvent::new(&event_type, data).map_err(refused)?;
        event.with_schema_version(Self::schema_version(&event_type)).map_err(refused)
    }

    /// Reads a stored event of a stream, after its data were converted to the newest schema version. `None` if the enum has no
    /// variant for it.
    ///
    /// # Errors
    /// [`Fault`]: `event_too_new`, or `decider_failed` if the data cannot be converted or read.
    fn from_stored(event: &EventView<'_>, stream: &StreamId) -> Result<Option<Self>, Fault> {
        read_stored(event, stream.as_str())
    }
}

/// The conversions of an event type.
fn of_type(upcasts: Upcasts, event_type: &str) -> &'static [Upcast] {
    upcasts.iter().find(|(name, _)| *name == event_type).map_or(&[], |(_, upcasts)| upcasts)
}

/// The newest schema version of an event type.
pub(crate) fn newest(upcasts: Upcasts, event_type: &str) -> u32 {
    u32::try_from(of_type(upcasts, event_type).len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// Converts data of a schema version to the newest one. `None` if they are of the newest already.
pub(crate) fn upcast(
    upcasts: Upcasts,
    event_type: &str,
    schema_version: u32,
    data: &str,
) -> Result<Option<JsonText>, Failed> {
    let known = usize::try_from(schema_version.saturating_sub(1)).unwrap_or(usize::MAX);
    let missing = of_type(upcasts, event_type).get(known..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(None);
    }
    missing.iter().try_fold(JsonText::trusted(data), |data, upcast| upcast(data)).map(Some)
}

/// Whether the enum has a variant of this type. If serde does not name the variants, it may have.
pub(super) fn declares<E: Event>(event_type: &str) -> bool {
    let types = E::types();
    types.is_empty() || types.contains(&event_type)
}

/// A stored event: its place and its data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) stream: &'a str,
    pub(crate) version: u64,
    pub(crate) event_type: &'a str,
    pub(crate) schema_version: u32,
    pub(crate) data: &'a str,
}

impl Stored<'_> {
    /// The data in the newest schema version. `None` if they are of this version already, or if the enum has no variant for
    /// the event.
    pub(crate) fn newest_data<E: Event>(&self) -> Result<Option<JsonText>, Fault> {
        let Self { event_type, schema_version, data, .. } = *self;
        let newest = E::schema_version(event_type);
        if schema_version > newest {
            if !declares::<E>(event_type) {
                return Ok(None);
            }
            let reason = format!("has schema version {schema_version}; this code knows {newest} at most");
            return Err(self.fault(ErrorCode::EventTooNew, &reason));
        }
        upcast(E::UPCASTS, event_type, schema_version, data)
            .map_err(|error| self.failed(&format!("cannot be converted: {}", error.message())))
    }

    fn failed(&self, reason: &str) -> Fault {
        self.fault(ErrorCode::DeciderFailed, reason)
    }

    fn fault(&self, code: ErrorCode, reason: &str) -> Fault {
        let Self { stream, version, event_type, .. } = self;
        Fault::new(code, format!("version {version} of stream {stream}, {event_type} {reason}"))
    }
}

/// Reads a stored event, and converts older data. `None` if the enum has no variant for it.
pub(super) fn read_stored<E: Event>(event: &EventView<'_>, stream: &str) -> Result<Option<E>, Fault> {
    let EventView { version, event_type, schema_version, data, .. } = *event;
    if schema_version > E::schema_version(event_type) && !declares::<E>(event_type) {
        return Ok(None);
    }
    let stored = Stored { stream, version: version.get(), event_type, schema_version, data };
    let newest = stored.newest_data::<E>()?;
    match read_tagged(&with_type(event_type, newest.as_ref().map_or(data, JsonText::as_str))) {
        Ok(read) => Ok(Some(read)),
        Err(_) if !declares::<E>(event_type) => Ok(None),
        Err(error) => Err(stored.failed(&format!("cannot be read: {error}"))),
    }
}

/// Reads a new event back, as a replay will read it.
pub(crate) fn read_back<E: Event>(event: &NewEvent) -> Result<E, Fault> {
    let event_type = event.event_type().as_str();
    read_tagged(&with_type(event_type, event.data().as_str())).map_err(|error| {
        let detail =
            format!("the event {event_type} cannot be read again after it is written as JSON: {error}");
        Fault::new(ErrorCode::InvalidEvent, detail).in_field("data")
    })
}

fn with_type(event_type: &str, data: &str) -> String {
    ["{\"type\":", &json_string(event_type), ",\"data\":", data, "}"].concat()
}
