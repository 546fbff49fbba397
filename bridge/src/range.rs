//! The range of a read as a value.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sillok::store::{Direction, ReadRange, Version};

use crate::failure::Failure;

/// The range of a page: `{"from","to","limit","direction"}`, each part absent where it bounds nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeValue {
    /// Least version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// Greatest version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
    /// Most events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
    /// `"forward"` or `"backward"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Value>,
}

impl From<ReadRange> for RangeValue {
    fn from(range: ReadRange) -> Self {
        let backward = range.direction() == Direction::Backward;
        Self {
            from: (range.from() > Version::FIRST).then(|| range.from().get().into()),
            to: (range.to() < Version::MAX).then(|| range.to().get().into()),
            limit: Some(range.limit().into()),
            direction: backward.then(|| "backward".into()),
        }
    }
}

/// Reads a range, checking every part.
///
/// # Errors
/// `invalid_parameter` or `page_too_large`, naming the part that is wrong.
pub fn parse_range(value: &RangeValue) -> Result<ReadRange, Failure> {
    let direction = match value.direction.as_ref().map(Value::as_str) {
        None | Some(Some("forward")) => Direction::Forward,
        Some(Some("backward")) => Direction::Backward,
        Some(_) => return Err(invalid("direction", "must be \"forward\" or \"backward\"")),
    };
    let (from, to) = (number("from", value.from.as_ref())?, number("to", value.to.as_ref())?);
    let limit = number("limit", value.limit.as_ref())?;
    Ok(ReadRange::new(from, to, limit, direction)?)
}

fn number(field: &str, value: Option<&Value>) -> Result<Option<u64>, Failure> {
    value.map(|value| value.as_u64().ok_or_else(|| invalid(field, "must be a whole number"))).transpose()
}

fn invalid(field: &str, reason: &str) -> Failure {
    Failure::new("invalid_parameter", format!("`{field}` {reason}")).in_field(field)
}
