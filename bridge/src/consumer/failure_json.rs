//! Failed attempts as JSON, for the operator.

use sillok::gateway::{FailedAttempt, PendingFailure};
use sillok::handler::{AfterFailure, FailedEvent, FailureReport};
use sillok::store::{PendingKind, RecordedTime, StreamId, json_string};

use crate::clock::rfc3339;

/// A failed attempt at an event:
/// `{"stream","version","position","attempt","error","stack","next","retryAt","isRebuild"}`. Members without a value are missing.
#[must_use]
pub fn failure_json(FailureReport { event, attempt, error, stack, next }: &FailureReport) -> String {
    let FailedEvent { stream, version, position, in_rebuild } = event;
    let retry_at = if let AfterFailure::Retry(at) = next { Some(*at) } else { None };
    let stack =
        stack.as_deref().map_or_else(String::new, |stack| format!(",\"stack\":{}", json_string(stack)));
    let rebuild = if *in_rebuild { ",\"isRebuild\":true" } else { "" };
    let members = format!("\"version\":{version},\"position\":{position}{rebuild}{stack}");
    json(stream, *attempt, error, (next.as_str(), retry_at), &members)
}

/// A failed attempt at a timer or a sent command: `{"stream","attempt","error","next","retryAt","key","isSent","code"}`.
#[must_use]
pub fn pending_failure_json(stream: &StreamId, failure: &PendingFailure) -> String {
    let PendingFailure { key, attempt, failure: FailedAttempt { code, detail }, retry_at } = failure;
    let is_sent = key.kind() == PendingKind::Sent;
    let next = if retry_at.is_some() { "retry" } else { "park" };
    let members =
        format!("\"key\":{},\"isSent\":{is_sent},\"code\":\"{}\"", json_string(key.as_str()), code.as_str());
    json(stream, *attempt, detail, (next, *retry_at), &members)
}

fn json(
    stream: &StreamId,
    attempt: u32,
    error: &str,
    (next, retry_at): (&str, Option<RecordedTime>),
    members: &str,
) -> String {
    let retry_at = retry_at.map_or_else(String::new, |at| format!(",\"retryAt\":\"{}\"", rfc3339(at)));
    let (stream, error) = (json_string(stream.as_str()), json_string(error));
    format!(
        "{{\"stream\":{stream},\"attempt\":{attempt},\"error\":{error},\"next\":\"{next}\"{retry_at},{members}}}"
    )
}

#[cfg(test)]
mod tests {
    use sillok::ErrorCode;
    use sillok::store::{PendingKey, Position, Version};

    use super::*;

    #[test]
    fn failed_attempts_as_json() {
        let stream = StreamId::new("account-1").unwrap();
        let (version, position) = (Version::new(3).unwrap(), Position::new(9).unwrap());
        let event = FailedEvent { stream: stream.clone(), version, position, in_rebuild: false };
        let (error, next) = ("\"no\"".to_owned(), AfterFailure::DeadLetter);
        let mut report = FailureReport { event, attempt: 8, error, stack: None, next };
        assert_eq!(
            failure_json(&report),
            r#"{"stream":"account-1","attempt":8,"error":"\"no\"","next":"dead-letter","version":3,"position":9}"#
        );
        report.event.in_rebuild = true;
        report.stack = Some("at\nf".to_owned());
        report.next = AfterFailure::Retry(RecordedTime::from_millis(1));
        assert_eq!(
            failure_json(&report),
            r#"{"stream":"account-1","attempt":8,"error":"\"no\"","next":"retry","retryAt":"1970-01-01T00:00:00.001Z","version":3,"position":9,"isRebuild":true,"stack":"at\nf"}"#
        );
        let failure = FailedAttempt { code: ErrorCode::DeciderFailed, detail: "no".to_owned() };
        let key = PendingKey::timer("lapse").unwrap();
        let pending = PendingFailure { key, attempt: 16, failure, retry_at: None };
        assert_eq!(
            pending_failure_json(&stream, &pending),
            r#"{"stream":"account-1","attempt":16,"error":"no","next":"park","key":"lapse","isSent":false,"code":"decider_failed"}"#
        );
    }
}
