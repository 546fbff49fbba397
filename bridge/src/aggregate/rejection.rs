//! Rejections, read from JSON.

use sillok::ErrorCode;
use sillok::store::limits::REJECTION_BYTES;
use sillok::store::{JsonText, only_members, string_text};

use super::command::parse_json;
use crate::failure::Failure;

/// The members of a rejection.
const MEMBERS: [&str; 2] = ["code", "data"];

/// Reads a rejection, with which an operator answers a sent command: `{"code","data"}`, where data may be left out.
///
/// # Errors
/// `malformed_json`, or `invalid_parameter` with the name of the wrong field.
pub fn parse_rejection(text: &str) -> Result<JsonText, Failure> {
    let json = parse_json(text)?;
    let invalid = |field: &str, detail: &str| {
        Failure::new(ErrorCode::InvalidParameter, format!("`{field}` {detail}")).in_field(field)
    };
    let [code, _] = only_members(json.as_str(), MEMBERS).map_err(|other| match other {
        Some(other) => invalid(&other, "is not a field of a rejection; a rejection has `code` and `data`"),
        None => invalid("rejection", "must be a JSON object with `code` and `data`"),
    })?;
    if code.and_then(string_text).is_none_or(|code| code.is_empty()) {
        return Err(invalid("code", "must be the code of the rejection, a text that is not empty"));
    }
    let bytes = json.as_str().len();
    if bytes > REJECTION_BYTES {
        let detail =
            format!("is too long: the rejection has {bytes} bytes, and the most is {REJECTION_BYTES}");
        return Err(invalid("data", &detail));
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_is_checked() {
        for text in [r#"{"code":"closed"}"#, r#" {"data":{"cents":1e400},"code":"é"}"#] {
            assert_eq!(parse_rejection(text).unwrap().as_str(), text.trim());
        }
        let long = format!(r#"{{"code":"a","data":"{}"}}"#, "x".repeat(REJECTION_BYTES));
        for (text, code, field) in [
            ("", "malformed_json", None),
            ("{", "malformed_json", None),
            ("[]", "invalid_parameter", Some("rejection")),
            ("null", "invalid_parameter", Some("rejection")),
            ("{}", "invalid_parameter", Some("code")),
            (r#"{"code":""}"#, "invalid_parameter", Some("code")),
            (r#"{"code":7}"#, "invalid_parameter", Some("code")),
            (r#"{"code":"a","message":"b"}"#, "invalid_parameter", Some("message")),
            (&long, "invalid_parameter", Some("data")),
        ] {
            let failure = parse_rejection(text).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.field.as_deref()), (code, field), "{text:.40}");
        }
    }
}
