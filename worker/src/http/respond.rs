//! Answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Serialize;
use sillok::store::{StreamId, json_string};
use sillok_bridge::{AppendedJson, PageJson, RangeValue, Scalar};
use worker::{Response, ResponseBuilder, WebSocket};

use super::accept::Media;
use super::commits::Commits;
use super::lines::Lines;
use super::live::Live;
use super::precondition::EntityTag;
use super::problem::Problem;
use super::request::Method;
use super::sse;
use crate::aggregate::{HeadReply, SnapshotsMessage};
use crate::objects::Receipt;

/// The characters that are not percent-encoded in a part of a URL: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An answer before it becomes a response.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    Empty,
    /// JSON.
    Text(String),
    Lines(Box<Lines>),
    Commits(Box<Commits>),
    Live(Box<Live>),
    Socket(WebSocket),
}

impl Answer {
    pub(super) fn health() -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self::text(format!("{{\"status\":\"ok\",\"version\":\"{version}\"}}"))
    }

    pub(super) fn appended(appended: &AppendedJson) -> Self {
        Self::json(201, appended).at(EntityTag::of_version(appended.version))
    }

    pub(super) fn page(stream: &StreamId, page: &PageJson) -> Self {
        let next = page.next.as_ref().map(|range| range_url(stream, range));
        let (name, next) = (json_string(stream.as_str()), json_or_null(next.as_deref()));
        let PageJson { version, events, .. } = page;
        // The events are already JSON, so they stay unchanged. The rest is written around them.
        let body = format!("{{\"stream\":{name},\"version\":{version},\"events\":{events},\"next\":{next}}}");
        Self::text(body).at(page.into())
    }

    pub(super) fn lines(lines: Lines) -> Self {
        let tag = lines.entity_tag();
        let headers = vec![content_type(Media::Ndjson)];
        let answer = Self { status: 200, headers, body: Body::Lines(Box::new(lines)) };
        match tag {
            Some(tag) => answer.at(tag),
            None => answer,
        }
    }

    pub(super) fn live(live: Live) -> Self {
        let headers = vec![content_type(Media::EventStream)];
        Self { status: 200, headers, body: Body::Live(Box::new(live)) }
    }

    pub(super) fn socket(socket: WebSocket) -> Self {
        Self { status: 101, headers: Vec::new(), body: Body::Socket(socket) }
    }

    pub(super) fn commits(commits: Commits) -> Self {
        let tag = commits.entity_tag();
        let headers = vec![content_type(Media::Ndjson)];
        Self { status: 200, headers, body: Body::Commits(Box::new(commits)) }.at(tag)
    }

    /// `GET /v1/streams/{stream}`
    pub(super) fn stream(stream: &StreamId, head: &HeadReply) -> Self {
        let HeadReply { version, first_version, deleted, .. } = head;
        let time = json_or_null((*version > 0).then_some(&*head.time));
        let name = json_string(stream.as_str());
        let snapshots =
            head.snapshots.as_ref().map_or_else(String::new, |SnapshotsMessage { version, error }| {
                let error = json_or_null(error.as_deref());
                format!(",\"snapshots\":{{\"version\":{version},\"error\":{error}}}")
            });
        Self::text(format!(
            "{{\"stream\":{name},\"version\":{version},\"firstVersion\":{first_version},\"time\":{time},\"deleted\":{deleted}{snapshots}}}"
        ))
    }

    /// An answer with JSON that the object has written.
    pub(super) fn text(body: String) -> Self {
        Self { status: 200, headers: vec![content_type(Media::Json)], body: Body::Text(body) }
    }

    pub(super) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Body::Empty }
    }

    /// The answer to a `HEAD` request. Its body would be of this type.
    pub(super) fn head(media: Media) -> Self {
        Self { status: 200, headers: vec![content_type(media)], body: Body::Empty }
    }

    /// The same answer with this type. Use it for `HEAD`, whose body is not sent.
    pub(super) fn of(mut self, media: Media) -> Self {
        if let Some(named) = self.headers.iter_mut().find(|(name, _)| *name == "Content-Type") {
            *named = content_type(media);
        }
        self
    }

    pub(super) fn not_modified(tag: EntityTag) -> Self {
        Self { status: 304, headers: Vec::new(), body: Body::Empty }.at(tag)
    }

    pub(super) fn json<T: Serialize>(status: u16, value: &T) -> Self {
        let body = serde_json::to_string(value).unwrap_or_default();
        Self { status, headers: vec![content_type(Media::Json)], body: Body::Text(body) }
    }

    /// The same answer with one more header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same answer, to a request that has made something.
    pub(super) fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    /// The same answer with its price.
    pub(super) fn costing(mut self, receipt: Receipt) -> Self {
        self.headers.extend(price(receipt));
        self
    }

    /// The same answer with the stream's entity tag.
    pub(super) fn at(mut self, tag: EntityTag) -> Self {
        self.headers.push(("ETag", tag.to_string()));
        self
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = serde_json::to_string(&problem.document()).unwrap_or_default();
        let mut headers = vec![("Content-Type", "application/problem+json".to_owned())];
        let status = problem.status();
        headers.extend(problem.headers);
        Self { status, headers, body: Body::Text(body) }
    }
}

/// The price of a request, as headers. The rows of the stream's table have a header of their own, if there are any.
pub(super) fn price(receipt: Receipt) -> Vec<(&'static str, String)> {
    let mut price = vec![
        ("Sillok-Rows-Written", receipt.rows_written.to_string()),
        ("Sillok-Rows-Read", receipt.rows_read.to_string()),
    ];
    if receipt.schema_rows_written > 0 {
        price.push(("Sillok-Schema-Rows-Written", receipt.schema_rows_written.to_string()));
    }
    price
}

fn content_type(media: Media) -> (&'static str, String) {
    ("Content-Type", media.name().to_owned())
}

/// Converts the answer for the runtime. No cache may store an answer: other tokens see other streams, and every stream can
/// grow.
pub(super) fn response(answer: Answer, method: Method) -> worker::Result<Response> {
    let mut builder = ResponseBuilder::new()
        .with_status(answer.status)
        // A proxy that compresses would make the ETag weak, and `If-Match` needs a strong one.
        .with_header("Cache-Control", "no-store, no-transform")?
        .with_header("Vary", "Accept, Authorization")?
        .with_header("X-Content-Type-Options", "nosniff")?;
    for (name, value) in &answer.headers {
        builder = builder.with_header(name, value)?;
    }
    match answer.body {
        Body::Text(body) if method != Method::Head => Ok(builder.fixed(body.into_bytes())),
        Body::Lines(lines) if method != Method::Head => builder.from_stream(lines.body()),
        Body::Commits(commits) if method != Method::Head => builder.from_stream(commits.body()),
        Body::Live(live) if method != Method::Head => builder.from_stream(sse::body(*live)),
        Body::Socket(socket) => Ok(builder.with_websocket(socket).empty()),
        _ => Ok(builder.empty()),
    }
}

/// A text as JSON, or `null` if there is no text.
pub(super) fn json_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), json_string)
}

/// The path of a stream, from the root of the server.
pub(crate) fn stream_path(stream: &str) -> String {
    format!("/v1/streams/{}", encoded(stream))
}

/// A text as a part of a URL.
pub(crate) fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, UNRESERVED)
}

/// The path of a range of a stream's events, from the root of the server.
fn range_url(stream: &StreamId, range: &RangeValue) -> String {
    let parts = [
        ("from", range.from.as_ref()),
        ("to", range.to.as_ref()),
        ("limit", range.limit.as_ref()),
        ("direction", range.direction.as_ref()),
        ("type", range.event_type.as_ref()),
        ("complete", range.complete.as_ref()),
    ];
    url(stream_path(stream.as_str()) + "/events", parts)
}

/// A path with the parameters that have a value.
pub(super) fn url<'a>(
    path: String,
    parts: impl IntoIterator<Item = (&'static str, Option<&'a Scalar>)>,
) -> String {
    let (mut url, mut separator) = (path, '?');
    for (name, value) in parts {
        let Some(value) = value else { continue };
        url.push(separator);
        url.push_str(name);
        url.push('=');
        url.extend(encoded(&value.to_string()));
        separator = '&';
    }
    url
}
