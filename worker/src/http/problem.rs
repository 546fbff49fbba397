//! Errors as problem documents (RFC 9457).

use serde::Serialize;
use sillok::store::{AppendError, InvalidStreamId, StreamId};
use sillok_bridge::Failure;
use worker::console_error;

use super::respond::price;
use crate::auth::Refusal;
use crate::objects::{Receipt, RemoteError};

/// An error on its way to the caller.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) failure: Failure,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// A problem document. Its type is `about:blank`, with which the title is the status's own phrase; what the
/// problem is, is said by `code`.
#[derive(Serialize)]
pub(super) struct ProblemJson<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    failure: &'a Failure,
}

impl Problem {
    pub(super) fn not_found() -> Self {
        Failure::new("not_found", "there is nothing at this path").into()
    }

    /// There never was such a stream.
    pub(super) fn stream_not_found(stream: &StreamId) -> Self {
        Failure::new("stream_not_found", format!("stream {stream} has no events")).into()
    }

    /// The stream was deleted, as an append to it would be told.
    pub(super) fn stream_deleted(stream: &StreamId) -> Self {
        let deleted = AppendError::StreamDeleted { stream: stream.clone() };
        Failure::from(deleted).into()
    }

    /// The same problem, found at this cost.
    pub(super) fn costing(mut self, receipt: Receipt) -> Self {
        self.headers.extend(price(receipt));
        self
    }

    /// The same problem, of another part of the request.
    pub(super) fn in_field(self, field: &str) -> Self {
        Self { failure: self.failure.in_field(field), ..self }
    }

    /// The same problem with one header more.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// `allow` are the methods that the path takes.
    pub(super) fn method_not_allowed(allow: &str) -> Self {
        let failure = Failure::new("method_not_allowed", format!("this path takes {allow}"));
        Self { failure, headers: vec![("Allow", allow.to_owned())] }
    }

    /// What went wrong is for the operator's log: the caller cannot mend it.
    pub(super) fn internal(error: worker::Error) -> Self {
        console_error!("a request failed: {error}");
        broken().into()
    }

    pub(super) fn status(&self) -> u16 {
        status(&self.failure.code)
    }

    pub(super) fn document(&self) -> ProblemJson<'_> {
        let status = self.status();
        ProblemJson { kind: "about:blank", title: phrase(status), status, failure: &self.failure }
    }
}

fn broken() -> Failure {
    Failure::new("internal", "the request could not be carried out; the cause is in the Worker's log")
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { failure, headers: Vec::new() }
    }
}

impl From<InvalidStreamId> for Problem {
    fn from(error: InvalidStreamId) -> Self {
        Failure::from(error).into()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let failure = Failure::new(refusal.code(), refusal.to_string());
        Self { failure, headers: vec![("WWW-Authenticate", refusal.challenge())] }
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        let failure = match error {
            RemoteError::Refused(failure, receipt) => return Self::from(failure).costing(*receipt),
            RemoteError::Overloaded => Failure::new(
                "overloaded",
                "there are more requests for this than can be taken; wait before another",
            ),
            RemoteError::Unavailable => Failure::new(
                "unavailable",
                "no answer came; a change may have been made all the same, which is told by reading",
            ),
            RemoteError::Broken => broken(),
        };
        failure.into()
    }
}

/// The status of each code. The one place where codes meet HTTP.
fn status(code: &str) -> u16 {
    match code {
        "invalid_category"
        | "invalid_checkpoint"
        | "invalid_consumer"
        | "invalid_consumer_name"
        | "invalid_document_key"
        | "invalid_event"
        | "invalid_event_id"
        | "invalid_event_type"
        | "invalid_expected_version"
        | "invalid_idempotency_key"
        | "invalid_metadata"
        | "invalid_parameter"
        | "invalid_policy"
        | "invalid_stream_id"
        | "malformed_json"
        | "no_events"
        | "page_too_large"
        | "unsupported_header" => 400,
        "auth_not_configured" | "invalid_token" | "missing_token" => 401,
        "host_not_allowed" | "insufficient_scope" | "origin_not_allowed" | "stream_not_allowed" => 403,
        "consumer_not_found"
        | "dead_letter_not_found"
        | "document_not_found"
        | "not_found"
        | "stream_not_found" => 404,
        "method_not_allowed" => 405,
        "not_acceptable" => 406,
        "consumer_after_fixed"
        | "consumer_defined_in_code"
        | "consumer_kind_fixed"
        | "not_a_projection"
        | "version_exhausted" => 409,
        "stream_deleted" | "stream_truncated" => 410,
        "wrong_expected_version" => 412,
        "body_too_large" | "commit_too_large" | "metadata_too_large" | "too_many_events" => 413,
        "idempotency_key_reused" => 422,
        "overloaded" | "projection_behind" | "storage_busy" | "unavailable" => 503,
        "stream_full" => 507,
        // `storage_failed`, `storage_read_only`, `stored_data_corrupt`, `internal`: the caller did nothing wrong.
        _ => 500,
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_own_phrase() {
        // A stream is full only beyond what a test can store; an object's storage is never busy.
        for (code, expected, name) in [
            ("stream_full", 507, "Insufficient Storage"),
            ("stream_deleted", 410, "Gone"),
            ("idempotency_key_reused", 422, "Unprocessable Content"),
            ("storage_busy", 503, "Service Unavailable"),
            ("internal", 500, "Internal Server Error"),
        ] {
            assert_eq!((status(code), phrase(status(code))), (expected, name), "{code}");
        }
    }
}
