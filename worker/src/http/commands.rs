//! `/v1/streams/{stream}/commands`: commands to the aggregate of a stream.

use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok_bridge::{ExecutedJson, Failure, expected_version_json};

use super::precondition::EntityTag;
use super::problem::{Problem, Rejected};
use super::request::Request;
use super::respond::Answer;
use super::{Object, precondition, query, request};
use crate::aggregate::{ExecuteRequest, Origin};
use crate::objects::{Receipt, RemoteError};

/// Executes a command, or decides it without writing anything.
pub(super) async fn execute(request: &Request, object: &Object) -> Result<Answer, Problem> {
    let [dry_run] = query::texts(request.url(), ["dry-run"])?;
    let dry_run = query::flag("dry-run", dry_run.as_deref())?;
    request::check_append_headers(request)?;
    let expected = precondition::of_write(request)?;
    let id = request::idempotency_key(request)?;
    let traceparent = request::traceparent(request);
    let command = request::body_text(request).await?;
    let message = ExecuteRequest {
        stream: object.stream.clone(),
        command,
        expected_version: expected_version_json(expected),
        id,
        origin: Origin::Client,
        cause: None,
        event_starts: None,
        dry_run,
        admin: object.admin,
        traceparent,
        prepared: None,
    };
    let (executed, receipt) = object.remote.execute(&message).await.map_err(undecided)?;
    answer(&executed, receipt)
}

fn answer(executed: &ExecutedJson, receipt: Receipt) -> Result<Answer, Problem> {
    let ExecutedJson { version, replayed, .. } = *executed;
    let Some(rejection) = &executed.rejection else {
        return Ok(Answer::text(executed.to_json()).at(EntityTag::of_version(version)).costing(receipt));
    };
    let malformed = |error: serde_json::Error| Failure::new(ErrorCode::StoredDataCorrupt, error.to_string());
    let rejection = RawValue::from_string(rejection.clone()).map_err(malformed)?;
    Err(Problem::rejected(Rejected { rejection, version, replayed }).costing(receipt))
}

/// The problem of a command without an outcome. A wrong event comes from the code of the aggregate, and not from the caller.
fn undecided(error: RemoteError) -> Problem {
    let problem = Problem::from(error);
    match problem.failure.code.known() {
        Some(
            ErrorCode::InvalidEvent
            | ErrorCode::InvalidEventType
            | ErrorCode::InvalidEventId
            | ErrorCode::InvalidMetadata
            | ErrorCode::TooManyEvents
            | ErrorCode::CommitTooLarge,
        ) => problem.of_the_deployment(),
        _ => problem,
    }
}
