//! What is told about a consumer, as JSON.

use serde_json::{Value, json};
use sillok::handler::{DeadLetters, DocumentPage, LastError, Running, Status};
use sillok::store::{Checkpoint, Position, RecordedTime};
use sillok_bridge::{now, rfc3339};

use super::definition::{ConsumerKind, Definition};
use crate::gateway::encoded;

/// How a consumer is defined and how it does. The secret is not told.
pub(super) fn status(name: &str, definition: &Definition, status: &Status, ends: &[Position]) -> Value {
    let Definition { kind, url, binding, concurrency, category, types, on_failure, attempts, .. } =
        definition;
    let error = status.error.as_ref();
    json!({
        "name": name,
        "kind": kind,
        "url": url,
        "binding": binding,
        "concurrency": (*kind == ConsumerKind::Webhook).then(|| concurrency.unwrap_or(1)),
        "after": definition.after,
        "category": category,
        "types": types,
        "onFailure": on_failure,
        "attempts": attempts,
        "firstDelay": definition.first_delay,
        "longestDelay": definition.longest_delay,
        "status": status.running.as_str(),
        "checkpoint": status.checkpoint.to_string(),
        "lag": lag(&status.checkpoint, ends),
        "rebuild": status.rebuild.as_ref().map(|checkpoint| {
            json!({ "checkpoint": checkpoint.to_string(), "lag": lag(checkpoint, ends) })
        }),
        "failures": status.failures,
        "retryAt": status.retry_at.map(rfc3339),
        "lastError": error.map(|error| json!({ "message": error.message, "time": rfc3339(error.time) })),
        "deadLetters": status.dead_letters,
        "retrying": status.retrying,
    })
}

/// How a consumer does that cannot begin, and why.
pub(super) fn not_begun(checkpoint: Checkpoint, message: String) -> Status {
    Status {
        running: Running::Stopped,
        checkpoint,
        rebuild: None,
        failures: 0,
        retry_at: None,
        error: Some(LastError { message, time: now() }),
        dead_letters: 0,
        retrying: false,
    }
}

/// How many events there are that the consumer has not looked at.
fn lag(checkpoint: &Checkpoint, ends: &[Position]) -> u64 {
    let behind = ends
        .iter()
        .enumerate()
        .map(|(partition, end)| end.get().saturating_sub(checkpoint.position(partition).get()));
    behind.sum()
}

/// A page of at most `limit` dead letters.
pub(super) fn letters(name: &str, limit: usize, page: &DeadLetters) -> String {
    let letters = page.letters.iter().map(|letter| {
        let (reason, attempts) = (letter.reason.as_str(), letter.attempts);
        let (error, time) = (Value::from(letter.error.as_str()), time(letter.time));
        let (id, event) = (letter.id, &letter.event.json);
        // The event is JSON already and stays as it is.
        format!(
            "{{\"id\":{id},\"reason\":\"{reason}\",\"error\":{error},\"attempts\":{attempts},\"time\":{time},\"event\":{event}}}"
        )
    });
    let next = page
        .next
        .map(|after| format!("/v1/consumers/{}/dead-letters?limit={limit}&after={after}", encoded(name)));
    page_of("deadLetters", letters.collect(), next)
}

/// A page of at most `limit` documents whose keys begin with `prefix`.
pub(super) fn documents(name: &str, prefix: &str, limit: usize, page: &DocumentPage) -> String {
    let documents = page.documents.iter().map(|(key, document)| {
        format!("{{\"key\":{},\"document\":{}}}", Value::from(key.as_str()), document.as_str())
    });
    let next = page.next.as_deref().map(|after| {
        let (name, prefix, after) = (encoded(name), encoded(prefix), encoded(after));
        format!("/v1/projections/{name}/documents?prefix={prefix}&limit={limit}&after={after}")
    });
    page_of("documents", documents.collect(), next)
}

fn page_of(name: &str, items: Vec<String>, next: Option<String>) -> String {
    let next = Value::from(next);
    format!("{{\"{name}\":[{}],\"next\":{next}}}", items.join(","))
}

fn time(time: RecordedTime) -> Value {
    Value::from(rfc3339(time))
}
