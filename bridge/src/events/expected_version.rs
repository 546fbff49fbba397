//! The expected version as a value: a whole number or one of three words.

use sillok::ErrorCode;
use sillok::store::{ExpectedVersion, Version};

use crate::failure::Failure;
use crate::js::Scalar;

/// The expected version as JSON.
#[must_use]
pub fn expected_version_json(expected: ExpectedVersion) -> Scalar {
    match expected {
        ExpectedVersion::Exactly(version) => Scalar::from(version.get()),
        word => Scalar::from(word.to_string()),
    }
}

/// Reads an expected version: a whole number, `"any"`, `"no-stream"` or `"stream-exists"`.
///
/// # Errors
/// `invalid_expected_version`, naming the field `expectedVersion`.
pub fn parse_expected_version(value: &Scalar) -> Result<ExpectedVersion, Failure> {
    let number = value.as_u64().and_then(Version::new).map(ExpectedVersion::Exactly);
    let word = match value.as_str() {
        Some("any") => Some(ExpectedVersion::Any),
        Some("no-stream") => Some(ExpectedVersion::NoStream),
        Some("stream-exists") => Some(ExpectedVersion::StreamExists),
        _ => None,
    };
    number.or(word).ok_or_else(|| {
        let allowed = "a version (a whole number), \"any\", \"no-stream\" or \"stream-exists\"";
        Failure::new(ErrorCode::InvalidExpectedVersion, format!("the expected version must be {allowed}"))
            .in_field("expectedVersion")
    })
}
