//! The fields of small bodies.

use sillok::ErrorCode;
use sillok::store::{MalformedJson, json_value, members, only_members};
use sillok_bridge::Failure;

/// The JSON of the only field that a body may have. `None` if the body does not have it. `of` is what the body describes.
pub(super) fn only_field<'a>(body: &'a str, name: &str, of: &str) -> Result<Option<&'a str>, Failure> {
    let malformed =
        |error: MalformedJson| Failure::new(ErrorCode::MalformedJson, format!("the body {error}"));
    json_value(body).map_err(malformed)?;
    if let Err(Some(other)) = only_members(body, [name])
        && other != name
    {
        let reason = format!("is not a field of {of}; the only field is `{name}`");
        return Err(invalid_field(&other, &reason));
    }
    Ok(members(body, [name]).and_then(|[value]| value))
}

pub(super) fn invalid_field(name: &str, reason: &str) -> Failure {
    Failure::new(ErrorCode::InvalidParameter, format!("`{name}` {reason}")).in_field(name)
}
