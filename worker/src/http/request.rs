//! The method, the headers and the body of a request.

use futures_util::StreamExt;
use js_sys::Uint8Array;
use sillok::ErrorCode;
use sillok::store::IdempotencyKey;
use sillok_bridge::Failure;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{ByteStream, web_sys};

use super::accept::{Media, preferred};
use super::header_failure;
use super::problem::Problem;
use crate::aggregate::EventsFormat;

/// The largest body, in bytes. A commit is smaller, but JSON may contain white space and escapes. The bound protects the memory
/// that all requests share.
const BODY_BYTES: usize = 2 * 1024 * 1024;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    /// Any other method. No path takes it.
    Other,
}

impl Method {
    fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// A request. The parts that every path needs are read from JavaScript only once, because each call to JavaScript costs more
/// than the work on the part.
pub(crate) struct Request {
    raw: web_sys::Request,
    headers: web_sys::Headers,
    pub(super) method: Method,
    /// The URL without the parameter `ticket`.
    url: String,
    ticket: Option<String>,
}

impl From<web_sys::Request> for Request {
    fn from(raw: web_sys::Request) -> Self {
        let (url, ticket) = without_ticket(raw.url());
        Self { headers: raw.headers(), method: Method::of(&raw.method()), url, ticket, raw }
    }
}

impl Request {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The parameter `ticket`: it proves the caller's rights, and is no parameter of any path.
    pub(super) fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    /// The URL's path, percent-encoded.
    pub(super) fn path(&self) -> &str {
        let (_, rest) = self.url.split_once("://").unwrap_or_default();
        let path = rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/");
        path.split(['?', '#']).next().unwrap_or_default()
    }

    /// Reads the whole body.
    async fn body(&self) -> worker::Result<Vec<u8>> {
        let body = JsFuture::from(self.raw.array_buffer()?).await?;
        Ok(Uint8Array::new(&body).to_vec())
    }

    /// The body, chunk by chunk.
    fn chunks(&self) -> worker::Result<ByteStream> {
        worker::Request::from(Clone::clone(&self.raw)).stream()
    }
}

/// Takes the parameter `ticket` out of a URL. A ticket has no character that is percent-encoded.
fn without_ticket(url: String) -> (String, Option<String>) {
    let Some((before, query)) = url.split_once('?') else { return (url, None) };
    let (mut ticket, mut rest) = (None, Vec::new());
    for pair in query.split('&') {
        match pair.strip_prefix("ticket=") {
            Some(value) if ticket.is_none() => ticket = Some(value.to_owned()),
            _ => rest.push(pair),
        }
    }
    if ticket.is_none() {
        return (url, None);
    }
    let url = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
    (url, ticket)
}

/// The value of a header. Repeated headers are joined by commas.
pub(super) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.get(name).ok().flatten()
}

/// Refuses an append with headers that append does not support. To ignore them would be worse.
pub(super) fn check_append_headers(request: &Request) -> Result<(), Failure> {
    wanted(request, &[Media::Json])?;
    check_encoding(request)
}

fn check_encoding(request: &Request) -> Result<(), Failure> {
    match header(request, "Content-Encoding") {
        Some(encoding) if !encoding.trim().eq_ignore_ascii_case("identity") => {
            refuse(request, "Content-Encoding", "is not supported; send the body without an encoding")
        }
        _ => Ok(()),
    }
}

/// Refuses conditions for truncations and deletions, because these are never conditional.
pub(super) fn check_forget_headers(request: &Request) -> Result<(), Failure> {
    wanted(request, &[Media::Json])?;
    check_encoding(request)?;
    for name in ["If-Match", "If-None-Match", "Idempotency-Key"] {
        refuse(request, name, "is not supported here; you can repeat the request without it")?;
    }
    Ok(())
}

/// The idempotency key of an append.
pub(super) fn idempotency_key(request: &Request) -> Result<Option<String>, Failure> {
    header(request, IDEMPOTENCY_KEY).map(checked_key).transpose()
}

/// The trace of the request (W3C Trace Context). A header of another form is ignored, as that standard asks.
pub(super) fn traceparent(request: &Request) -> Option<String> {
    header(request, "traceparent").filter(|trace| is_traceparent(trace))
}

fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-').map(|part| {
        let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex { part.len() } else { 0 }
    });
    let lengths = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
    lengths == [Some(2), Some(32), Some(16), Some(2), None]
}

/// Returns the key unchanged if it is valid.
pub(super) fn checked_key(text: String) -> Result<String, Failure> {
    let key = IdempotencyKey::new(&text);
    key.map(|_| text).map_err(|error| Failure::from(error).in_field(IDEMPOTENCY_KEY))
}

/// Refuses a read with headers that reads do not support. Returns the form of the answer.
pub(super) fn check_read_headers(request: &Request, offers: &[Media]) -> Result<Media, Failure> {
    let media = wanted(request, offers)?;
    refuse(request, "If-Match", "is not supported by a read; use If-None-Match")?;
    Ok(media)
}

/// Refuses a condition for a live response, because there is no version to compare with.
pub(super) fn check_live_headers(request: &Request) -> Result<(), Failure> {
    for name in ["If-Match", "If-None-Match"] {
        refuse(request, name, "is not supported here, because there is no version to compare")?;
    }
    Ok(())
}

/// Refuses unsupported headers for a read that returns JSON and has no version.
pub(super) fn check_json_headers(request: &Request) -> Result<(), Failure> {
    check_live_headers(request)?;
    check_read_headers(request, &[Media::Json]).map(|_| ())
}

/// Whether the request asks for a WebSocket.
pub(super) fn is_upgrade(request: &Request) -> bool {
    header(request, "Upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Refuses a verification or an export with a condition. A known version proves nothing.
pub(super) fn check_proof_headers(request: &Request, offer: Media) -> Result<(), Failure> {
    wanted(request, &[offer])?;
    for name in ["If-Match", "If-None-Match"] {
        refuse(request, name, "is not supported by a verification or an export")?;
    }
    Ok(())
}

/// The form that the caller wants among the offers.
fn wanted(request: &Request, offers: &[Media]) -> Result<Media, Failure> {
    let accept = header(request, "Accept").unwrap_or_default();
    preferred(&accept, offers).ok_or_else(|| {
        let names: Vec<&str> = offers.iter().map(|offer| offer.name()).collect();
        let detail = format!("`Accept` excludes every form of the answer; include {}", names.join(" or "));
        header_failure(ErrorCode::NotAcceptable, "Accept", detail)
    })
}

fn refuse(request: &Request, name: &str, reason: &str) -> Result<(), Failure> {
    match header(request, name) {
        None => Ok(()),
        Some(_) => {
            Err(header_failure(ErrorCode::UnsupportedHeader, name, format!("the header {name} {reason}")))
        }
    }
}

/// The media types of lines of JSON.
const NDJSON: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
/// The bytes that some programs write before a text in UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The format of the events in the body. Every type that is not a type of NDJSON is read as JSON.
pub(super) fn events_format(request: &Request) -> EventsFormat {
    let content_type = header(request, "Content-Type").unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let is_ndjson = NDJSON.iter().any(|name| media.eq_ignore_ascii_case(name));
    if is_ndjson { EventsFormat::Ndjson } else { EventsFormat::Json }
}

/// Reads the body into bounded memory, without a byte order mark at its beginning.
pub(super) async fn body_text(request: &Request) -> Result<String, Problem> {
    let announced = header(request, "Content-Length").and_then(|length| length.parse::<usize>().ok());
    let mut bytes = match announced {
        Some(length) if length > BODY_BYTES => return Err(too_large().into()),
        // The body is not longer than its announced length. Reading it at once is several times as fast as chunk by chunk.
        Some(_) => request.body().await.map_err(Problem::internal)?,
        None if request.raw.body().is_none() => Vec::new(),
        None => bounded(request.chunks().map_err(Problem::internal)?).await?,
    };
    if bytes.starts_with(&BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(ErrorCode::MalformedJson, "the body is not UTF-8").into())
}

async fn bounded(mut chunks: ByteStream) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(Problem::internal)?;
        if bytes.len() + chunk.len() > BODY_BYTES {
            return Err(too_large().into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large() -> Failure {
    Failure::new(ErrorCode::BodyTooLarge, format!("the body is too large; the most is {BODY_BYTES} bytes"))
}

#[cfg(test)]
mod tests {
    use super::without_ticket;

    #[test]
    fn a_ticket_is_no_part_of_the_url() {
        let taken = |url: &str| without_ticket(format!("https://a/v1/events{url}"));
        let expected = |url: &str, ticket: Option<&str>| {
            (format!("https://a/v1/events{url}"), ticket.map(str::to_owned))
        };
        assert_eq!(taken(""), expected("", None));
        assert_eq!(taken("?limit=1"), expected("?limit=1", None));
        assert_eq!(taken("?ticket=a.b"), expected("", Some("a.b")));
        assert_eq!(taken("?from=2&ticket=a.b&type=x"), expected("?from=2&type=x", Some("a.b")));
        // A second one stays, and is refused as an unknown parameter.
        assert_eq!(taken("?ticket=a&ticket=b"), expected("?ticket=b", Some("a")));
    }
}
