//! Errors as problem documents (RFC 9457).

use serde::Serialize;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::store::{AppendError, InvalidStreamId, StreamId};
use sillok_bridge::Failure;
use worker::console_error;

use super::respond::price;
use crate::auth::{Refusal, Scope};
use crate::objects::{Receipt, RemoteError};

const CHALLENGE: &str = "WWW-Authenticate";

/// An error for the caller.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) failure: Failure,
    pub(super) headers: Vec<(&'static str, String)>,
    /// The status, if it is not the status of the code.
    status: Option<u16>,
    rejected: Option<Box<Rejected>>,
}

/// The refusal of a command by the rules of its aggregate.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rejected {
    /// The rejection: `{"code","data"}`.
    pub(super) rejection: Box<RawValue>,
    /// The version of the stream at the decision.
    pub(super) version: u64,
    /// Whether this is the remembered outcome.
    pub(super) replayed: bool,
}

/// A problem document. Its type is `about:blank`, so its title is the phrase of the status. Its `code` names the error.
#[derive(Serialize)]
pub(super) struct ProblemJson<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    failure: &'a Failure,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    rejected: Option<&'a Rejected>,
}

impl Problem {
    pub(super) fn not_found() -> Self {
        Failure::new(ErrorCode::NotFound, "there is nothing at this path").into()
    }

    /// The stream never existed.
    pub(super) fn stream_not_found(stream: &StreamId) -> Self {
        Failure::new(ErrorCode::StreamNotFound, format!("stream {stream} has no events")).into()
    }

    /// The stream was deleted. An append has the same error.
    pub(super) fn stream_deleted(stream: &StreamId) -> Self {
        let deleted = AppendError::StreamDeleted { stream: stream.clone() };
        Failure::from(deleted).into()
    }

    /// The same problem, with the price of finding it.
    pub(super) fn costing(mut self, receipt: Receipt) -> Self {
        self.headers.extend(price(receipt));
        self
    }

    /// The same problem, for another part of the request.
    pub(super) fn in_field(self, field: &str) -> Self {
        Self { failure: self.failure.in_field(field), ..self }
    }

    /// The same problem with one more header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The path does not have the method. `allow` lists its methods.
    pub(super) fn method_not_allowed(allow: &str) -> Self {
        let failure = Failure::new(
            ErrorCode::MethodNotAllowed,
            format!("this path does not take this method; it takes {allow}"),
        );
        Self::from(failure).with("Allow", allow)
    }

    /// The rules of the aggregate have refused the command.
    pub(super) fn rejected(rejected: Rejected) -> Self {
        let detail = "the rules of the aggregate have refused the command; `rejection` has the reason";
        let failure = Failure::new(ErrorCode::CommandRejected, detail);
        Self { rejected: Some(Box::new(rejected)), ..failure.into() }
    }

    /// The same problem as an error of the deployment: the code names a wrong event, but the caller has not written it.
    pub(super) fn of_the_deployment(self) -> Self {
        Self { status: Some(500), ..self }
    }

    /// The caller cannot correct this error. Its text goes to the operator's log.
    pub(super) fn internal(error: worker::Error) -> Self {
        console_error!("a request failed: {error}");
        broken().into()
    }

    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| status(self.failure.code.known()))
    }

    pub(super) fn document(&self) -> ProblemJson<'_> {
        let status = self.status();
        let (title, rejected) = (phrase(status), self.rejected.as_deref());
        ProblemJson { kind: "about:blank", title, status, failure: &self.failure, rejected }
    }
}

fn broken() -> Failure {
    Failure::new(
        ErrorCode::Internal,
        "the request could not be carried out; the cause is in the Worker's log",
    )
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { failure, headers: Vec::new(), status: None, rejected: None }
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
        Self::from(failure).with(CHALLENGE, &refusal.challenge())
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        let failure = match error {
            RemoteError::Refused(failure, receipt) => {
                let needs_admin = failure.code == ErrorCode::InsufficientScope;
                let problem = Self::from(failure).costing(*receipt);
                return if needs_admin {
                    problem.with(CHALLENGE, &Scope::Admin.challenge())
                } else {
                    problem
                };
            }
            RemoteError::Overloaded => Failure::new(
                ErrorCode::Overloaded,
                "there are more requests for this than can be taken; wait, then try again",
            ),
            RemoteError::Unavailable => Failure::new(
                ErrorCode::Unavailable,
                "no answer came; a change may have been made: read to find out",
            ),
            RemoteError::Broken => broken(),
        };
        failure.into()
    }
}

/// The status of a code. A code of another version has no status in this version.
fn status(code: Option<ErrorCode>) -> u16 {
    code.and_then(ErrorCode::status).unwrap_or(500)
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_status_has_its_own_phrase() {
        let of = |code: &ErrorCode| (status(Some(*code)), phrase(status(Some(*code))));
        let found: BTreeSet<_> = ErrorCode::ALL.iter().map(of).collect();
        let statuses: BTreeSet<_> = found.iter().map(|(status, _)| status).collect();
        let phrases: BTreeSet<_> = found.iter().map(|(_, phrase)| phrase).collect();
        assert_eq!((statuses.len(), phrases.len()), (14, 14), "{found:?}");
        assert_eq!(of(&ErrorCode::StreamFull), (507, "Insufficient Storage"));
        assert_eq!(status(None), 500);
    }
}
