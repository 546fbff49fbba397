//! What is told about a consumer, as JSON.

use serde_json::{Value, json};
use sillok::handler::{DeadLetters, DocumentPage, Status};
use sillok::store::{Checkpoint, Position, RecordedTime};
use sillok_bridge::rfc3339;

use super::definition::Definition;

/// How a consumer is defined and how it does. The secret is not told.
pub(super) fn status(name: &str, definition: &Definition, status: &Status, ends: &[Position]) -> Value {
    let Definition { kind, url, binding, category, types, on_failure, attempts, .. } = definition;
    let error = status.error.as_ref();
    json!({
        "name": name,
        "kind": kind,
        "url": url,
        "binding": binding,
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

/// How many events there are that the consumer has not looked at.
fn lag(checkpoint: &Checkpoint, ends: &[Position]) -> u64 {
    let behind = ends
        .iter()
        .enumerate()
        .map(|(partition, end)| end.get().saturating_sub(checkpoint.position(partition).get()));
    behind.sum()
}

/// A page of dead letters.
pub(super) fn letters(page: &DeadLetters) -> String {
    let letters = page.letters.iter().map(|letter| {
        let (reason, attempts) = (letter.reason.as_str(), letter.attempts);
        let (error, time) = (Value::from(letter.error.as_str()), time(letter.time));
        let (id, event) = (letter.id, &letter.event.json);
        // The event is JSON already and stays as it is.
        format!(
            "{{\"id\":{id},\"reason\":\"{reason}\",\"error\":{error},\"attempts\":{attempts},\"time\":{time},\"event\":{event}}}"
        )
    });
    page_of("deadLetters", letters.collect(), &Value::from(page.next))
}

/// A page of documents.
pub(super) fn documents(page: &DocumentPage) -> String {
    let documents = page.documents.iter().map(|(key, document)| {
        format!("{{\"key\":{},\"document\":{}}}", Value::from(key.as_str()), document.as_str())
    });
    page_of("documents", documents.collect(), &Value::from(page.next.as_deref()))
}

fn page_of(name: &str, items: Vec<String>, next: &Value) -> String {
    format!("{{\"{name}\":[{}],\"next\":{next}}}", items.join(","))
}

fn time(time: RecordedTime) -> Value {
    Value::from(rfc3339(time))
}
