//! Answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};
use sillok::store::StreamId;
use sillok_bridge::{AppendedJson, PageJson, RangeValue};
use worker::{Method, Response, ResponseBuilder};

use super::precondition::entity_tag;
use super::problem::Problem;

/// What a path segment keeps as it is: RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An answer before it becomes a response.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    /// The body as JSON text, where there is one.
    body: String,
}

impl Answer {
    pub(super) fn health() -> Self {
        Self::json(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
    }

    pub(super) fn appended(appended: &AppendedJson) -> Self {
        Self::json(201, appended).at(appended.version)
    }

    pub(super) fn page(stream: &StreamId, page: &PageJson) -> Self {
        let next = page.next.as_ref().map(|range| events_url(stream, range));
        let (name, next) = (Value::from(stream.as_str()), Value::from(next));
        let PageJson { version, events, .. } = page;
        // Written by hand around the events, which are JSON already and stay as they are.
        let body = format!("{{\"stream\":{name},\"version\":{version},\"events\":{events},\"next\":{next}}}");
        Self { status: 200, headers: vec![json_type()], body }.at(page.version)
    }

    pub(super) fn head(version: u64) -> Self {
        Self { status: 200, headers: vec![json_type()], body: String::new() }.at(version)
    }

    pub(super) fn not_modified(version: u64) -> Self {
        Self { status: 304, headers: Vec::new(), body: String::new() }.at(version)
    }

    fn json<T: Serialize>(status: u16, value: &T) -> Self {
        let body = serde_json::to_string(value).unwrap_or_default();
        Self { status, headers: vec![json_type()], body }
    }

    /// The stream's version as the answer's entity tag.
    fn at(mut self, version: u64) -> Self {
        self.headers.push(("ETag", entity_tag(version)));
        self
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = serde_json::to_string(&problem.document()).unwrap_or_default();
        let mut headers = vec![("Content-Type", "application/problem+json".to_owned())];
        let status = problem.status();
        headers.extend(problem.headers);
        Self { status, headers, body }
    }
}

fn json_type() -> (&'static str, String) {
    ("Content-Type", "application/json".to_owned())
}

/// The answer as the runtime takes it. No answer is for any cache: another token sees other streams, and every
/// stream goes on.
pub(super) fn response(answer: Answer, method: &Method) -> worker::Result<Response> {
    let mut builder = ResponseBuilder::new()
        .with_status(answer.status)
        // A proxy that compresses would weaken the ETag, and `If-Match` takes a strong one.
        .with_header("Cache-Control", "no-store, no-transform")?
        .with_header("Vary", "Accept, Authorization")?
        .with_header("X-Content-Type-Options", "nosniff")?;
    for (name, value) in &answer.headers {
        builder = builder.with_header(name, value)?;
    }
    if *method == Method::Head || answer.body.is_empty() {
        return Ok(builder.empty());
    }
    Ok(builder.fixed(answer.body.into_bytes()))
}

/// Where a range of a stream's events is read, from the root of the server.
fn events_url(stream: &StreamId, range: &RangeValue) -> String {
    let name = utf8_percent_encode(stream.as_str(), SEGMENT);
    let mut url = format!("/v1/streams/{name}/events");
    let parts =
        [("from", &range.from), ("to", &range.to), ("limit", &range.limit), ("direction", &range.direction)];
    let mut separator = '?';
    for (name, value) in parts {
        let Some(value) = value else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        url.push(separator);
        url.push_str(name);
        url.push('=');
        url.push_str(&text);
        separator = '&';
    }
    url
}
