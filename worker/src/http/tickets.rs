//! `POST /v1/tickets`: a ticket for a path, for a caller that cannot send its token in a header.

use std::borrow::Cow;

use sillok::store::{json_string, string_text};
use sillok_bridge::{Failure, now, rfc3339};

use super::fields::{invalid_field, only_field};
use super::problem::Problem;
use super::query;
use super::request::{self, Request};
use super::respond::Answer;
use crate::auth::{Policy, Principal, Scope};

/// The longest path, in bytes: each name in a path has at most 200 bytes, and each byte is encoded by three.
const PATH_BYTES: usize = 2048;

pub(super) async fn issue(
    request: &Request,
    policy: &Policy,
    principal: &Principal,
) -> Result<Answer, Problem> {
    principal.require(Scope::Read)?;
    query::none(request.url())?;
    request::check_forget_headers(request)?;
    let path = wanted_path(&request::body_text(request).await?)?;
    let ticket = policy.ticket(principal, &path, now());
    let (path, text, until) = (json_string(&path), ticket.text, rfc3339(ticket.until));
    let body = format!("{{\"ticket\":\"{text}\",\"path\":{path},\"expires\":\"{until}\"}}");
    Ok(Answer::text(body).created())
}

/// Reads the path from `{"path": "/v1/…"}`.
fn wanted_path(body: &str) -> Result<String, Failure> {
    let path = only_field(body, "path", "a ticket")?.and_then(string_text);
    let is_path =
        |path: &str| path.len() <= PATH_BYTES && path.starts_with("/v1/") && !path.contains(['?', '#']);
    path.filter(|path| is_path(path)).map(Cow::into_owned).ok_or_else(|| {
        invalid_field("path", "must be the path of a read, such as \"/v1/events\", without a query")
    })
}

#[cfg(test)]
mod tests {
    use sillok::ErrorCode;

    use super::*;

    #[test]
    fn the_path_of_a_ticket() {
        assert_eq!(wanted_path(r#"{"path":"/v1/events"}"#), Ok("/v1/events".to_owned()));
        for (body, code, field) in [
            ("", ErrorCode::MalformedJson, None),
            ("[]", ErrorCode::InvalidParameter, Some("path")),
            ("{}", ErrorCode::InvalidParameter, Some("path")),
            (r#"{"path":3}"#, ErrorCode::InvalidParameter, Some("path")),
            (r#"{"path":""}"#, ErrorCode::InvalidParameter, Some("path")),
            (r#"{"path":"/v2/events"}"#, ErrorCode::InvalidParameter, Some("path")),
            (r#"{"path":"https://a/v1/events"}"#, ErrorCode::InvalidParameter, Some("path")),
            (r#"{"path":"/v1/events?limit=1"}"#, ErrorCode::InvalidParameter, Some("path")),
            (r#"{"path":"/v1/events","paths":[]}"#, ErrorCode::InvalidParameter, Some("paths")),
        ] {
            let failure = wanted_path(body).unwrap_err();
            assert_eq!((failure.code.known(), failure.field.as_deref()), (Some(code), field), "{body}");
        }
        let long = format!(r#"{{"path":"/v1/{}"}}"#, "a".repeat(PATH_BYTES));
        assert_eq!(wanted_path(&long).unwrap_err().field.as_deref(), Some("path"));
    }
}
