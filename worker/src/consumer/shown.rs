//! The JSON that callers get about a consumer.

use std::borrow::Cow;

use serde::Serialize;
use sillok::handler::{ConsumerName, DeadLetters, DocumentPage, Kind, LastError, OnFailure, Running, Status};
use sillok::store::{Checkpoint, json_string};
use sillok_bridge::{Scalar, documents_json, letters_json, now, status_members};

use super::address::without_secrets;
use super::definition::{Definition, KindText, OnFailureText};
use crate::http::encoded;

/// The part of a definition that the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// For callers that may read: without the query and the user of a webhook's URL, which may contain a secret.
    Part,
    /// For callers that may change the definition.
    Whole,
    /// The whole definition and the secret that signs messages. Only the answer to the defining request has it.
    WithSecret,
}

impl Shown {
    pub(super) fn of(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Part }
    }
}

/// The definition of a consumer, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefinedJson<'a> {
    name: &'a str,
    #[serde(with = "KindText")]
    kind: Kind,
    url: Option<Cow<'a, str>>,
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
}

/// How a consumer is defined and how it does, as JSON.
pub(super) fn status(
    name: &ConsumerName,
    definition: &Definition,
    status: &Status,
    end: &Checkpoint,
    shown: Shown,
) -> String {
    let url = definition.url.as_deref().map(|url| match shown {
        Shown::Part => Cow::Owned(without_secrets(url)),
        _ => Cow::Borrowed(url),
    });
    let defined = DefinedJson {
        name: name.as_str(),
        kind: definition.kind,
        url,
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
    };
    let defined = serde_json::to_string(&defined).unwrap_or_default();
    let secret = definition.secret.as_deref().filter(|_| shown == Shown::WithSecret);
    let secret = secret.map(|secret| format!(",\"secret\":{}", json_string(secret))).unwrap_or_default();
    // The members of the status follow the members of the definition, in one object.
    let defined = defined.strip_suffix('}').unwrap_or_default();
    format!("{defined},{}{secret}}}", status_members(status, end))
}

/// The status of a consumer that cannot begin, and the reason.
pub(super) fn not_begun(checkpoint: Checkpoint, message: String) -> Status {
    Status {
        running: Running::Stopped,
        checkpoint,
        rebuild: None,
        failures: 0,
        retry_at: None,
        error: Some(LastError { message, time: now(), event: None }),
        dead_letters: 0,
        retrying: false,
    }
}

/// A page of at most `limit` dead letters.
pub(super) fn letters(name: &ConsumerName, limit: usize, page: &DeadLetters) -> String {
    let next = page.next.map(|after| {
        let name = encoded(name.as_str());
        json_string(&format!("/v1/consumers/{name}/dead-letters?limit={limit}&after={after}"))
    });
    letters_json("deadLetters", page, next)
}

/// A page of at most `limit` documents whose keys begin with `prefix`.
pub(super) fn documents(name: &ConsumerName, prefix: &str, limit: usize, page: &DocumentPage) -> String {
    let next = page.next.as_deref().map(|after| {
        let (name, prefix, after) = (encoded(name.as_str()), encoded(prefix), encoded(after));
        json_string(&format!("/v1/projections/{name}/documents?prefix={prefix}&limit={limit}&after={after}"))
    });
    documents_json("documents", page, next)
}
