//! The range of a read as a value.

use sillok::ErrorCode;
use sillok::store::{Direction, EventType, InvalidEvent, InvalidName, ReadRange, Version};

use super::new_events::InvalidEvents;
use crate::failure::Failure;
use crate::js::Scalar;

/// The range of a page: `{"from","to","limit","direction","type","complete"}`. An absent part sets no bound.
#[derive(Debug, Clone, Default)]
pub struct RangeValue {
    /// The lowest version.
    pub from: Option<Scalar>,
    /// The highest version.
    pub to: Option<Scalar>,
    /// The largest number of events.
    pub limit: Option<Scalar>,
    /// `"forward"` or `"backward"`.
    pub direction: Option<Scalar>,
    /// The only event type to read.
    pub event_type: Option<Scalar>,
    /// `"true"` if Sillok must refuse the range when one of its events was truncated.
    pub complete: Option<Scalar>,
}

crate::message!(RangeValue {
    from: "from",
    to: "to",
    limit: "limit",
    direction: "direction",
    event_type: "type",
    complete: "complete",
});

impl From<ReadRange> for RangeValue {
    fn from(range: ReadRange) -> Self {
        let backward = range.direction() == Direction::Backward;
        Self {
            from: (range.from() > Version::FIRST).then(|| range.from().get().into()),
            to: (range.to() < Version::MAX).then(|| range.to().get().into()),
            limit: Some(range.limit().into()),
            direction: backward.then(|| "backward".into()),
            event_type: range.event_type().map(|event_type| event_type.as_str().into()),
            complete: range.is_complete().then(|| "true".into()),
        }
    }
}

/// Reads a range and checks every part.
///
/// # Errors
/// `invalid_parameter` or `page_too_large`, naming the part that is wrong.
pub fn parse_range(value: &RangeValue) -> Result<ReadRange, Failure> {
    let direction = match value.direction.as_ref().map(Scalar::as_str) {
        None | Some(Some("forward")) => Direction::Forward,
        Some(Some("backward")) => Direction::Backward,
        Some(_) => return Err(invalid("direction", "must be \"forward\" or \"backward\"")),
    };
    let (from, to) = (number("from", value.from.as_ref())?, number("to", value.to.as_ref())?);
    let limit = number("limit", value.limit.as_ref())?;
    let mut range = ReadRange::new(from, to, limit, direction)?;
    if let Some(complete) = &value.complete {
        if complete.as_str() != Some("true") {
            return Err(invalid("complete", "must be true, or left out"));
        }
        range = range.complete();
    }
    let event_type = value.event_type.as_ref().map(event_type).transpose()?;
    Ok(event_type.map_or(range.clone(), |event_type| range.of_type(event_type)))
}

pub(crate) fn event_type(value: &Scalar) -> Result<EventType, Failure> {
    let Some(name) = value.as_str() else {
        let detail = "`type` must be a string of 1 to 200 bytes";
        return Err(Failure::new(ErrorCode::InvalidEventType, detail).in_field("type"));
    };
    let refused = |reason: InvalidName| {
        Failure::from(InvalidEvents::Refused { event: None, reason: InvalidEvent::Type(reason) })
    };
    EventType::new(name).map_err(refused)
}

pub(crate) fn number(field: &str, value: Option<&Scalar>) -> Result<Option<u64>, Failure> {
    value.map(|value| value.as_u64().ok_or_else(|| invalid(field, "must be a whole number"))).transpose()
}

pub(crate) fn invalid(field: &str, reason: &str) -> Failure {
    Failure::new(ErrorCode::InvalidParameter, format!("`{field}` {reason}")).in_field(field)
}
