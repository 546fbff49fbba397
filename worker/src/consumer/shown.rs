//! What is told about a consumer, as JSON.

use serde::Serialize;
use sillok::handler::{DeadLetters, DocumentPage, Kind, LastError, OnFailure, Running, Status};
use sillok::store::{Checkpoint, json_string};
use sillok_bridge::{Scalar, now, rfc3339};

use super::definition::{Definition, KindText, OnFailureText};
use crate::gateway::{encoded, json_or_null};

/// How a consumer is defined and how it does.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusJson<'a> {
    name: &'a str,
    #[serde(with = "KindText")]
    kind: Kind,
    url: Option<&'a str>,
    binding: Option<&'a str>,
    concurrency: Option<usize>,
    after: Option<&'a str>,
    category: Option<&'a Scalar>,
    types: &'a [Scalar],
    #[serde(with = "OnFailureText")]
    on_failure: OnFailure,
    attempts: u32,
    first_delay: u64,
    longest_delay: u64,
    timeout: Option<u64>,
    status: &'static str,
    checkpoint: String,
    lag: u64,
    rebuild: Option<RebuildJson>,
    failures: u32,
    retry_at: Option<String>,
    last_error: Option<ErrorJson<'a>>,
    dead_letters: u64,
    retrying: bool,
    /// Told to whoever may define consumers, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Serialize)]
struct RebuildJson {
    checkpoint: String,
    lag: u64,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    message: &'a str,
    time: String,
}

/// How a consumer is defined and how it does, as JSON. The secret is told only where it is handed in.
pub(super) fn status(
    name: &str,
    definition: &Definition,
    status: &Status,
    end: &Checkpoint,
    secret: Option<&str>,
) -> String {
    let shown = StatusJson {
        name,
        kind: definition.kind,
        url: definition.url.as_deref(),
        binding: definition.binding.as_deref(),
        concurrency: (definition.kind == Kind::Webhook).then(|| definition.concurrency.unwrap_or(1)),
        after: definition.after.as_deref(),
        category: definition.category.as_ref(),
        types: &definition.types,
        on_failure: definition.on_failure,
        attempts: definition.attempts,
        first_delay: definition.first_delay,
        longest_delay: definition.longest_delay,
        timeout: (definition.kind != Kind::Projection).then(|| definition.timeout()),
        status: status.running.as_str(),
        checkpoint: status.checkpoint.to_string(),
        lag: status.checkpoint.lag(end),
        rebuild: status
            .rebuild
            .as_ref()
            .map(|checkpoint| RebuildJson { checkpoint: checkpoint.to_string(), lag: checkpoint.lag(end) }),
        failures: status.failures,
        retry_at: status.retry_at.map(rfc3339),
        last_error: status
            .error
            .as_ref()
            .map(|error| ErrorJson { message: &error.message, time: rfc3339(error.time) }),
        dead_letters: status.dead_letters,
        retrying: status.retrying,
        secret,
    };
    serde_json::to_string(&shown).unwrap_or_default()
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

/// A page of at most `limit` dead letters.
pub(super) fn letters(name: &str, limit: usize, page: &DeadLetters) -> String {
    let letters = page.letters.iter().map(|letter| {
        let (reason, attempts) = (letter.reason.as_str(), letter.attempts);
        let (error, time) = (json_string(&letter.error), rfc3339(letter.time));
        let (id, event) = (letter.id, &letter.event.json);
        // The event is JSON already and stays as it is.
        format!(
            "{{\"id\":{id},\"reason\":\"{reason}\",\"error\":{error},\"attempts\":{attempts},\"time\":\"{time}\",\"event\":{event}}}"
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
        format!("{{\"key\":{},\"document\":{}}}", json_string(key), document.as_str())
    });
    let next = page.next.as_deref().map(|after| {
        let (name, prefix, after) = (encoded(name), encoded(prefix), encoded(after));
        format!("/v1/projections/{name}/documents?prefix={prefix}&limit={limit}&after={after}")
    });
    page_of("documents", documents.collect(), next)
}

fn page_of(name: &str, items: Vec<String>, next: Option<String>) -> String {
    let next = json_or_null(next.as_deref());
    format!("{{\"{name}\":[{}],\"next\":{next}}}", items.join(","))
}
