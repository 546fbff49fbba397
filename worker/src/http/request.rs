//! What a request carries besides its path.

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

/// Largest body. It is more than a commit may hold, because JSON can be written with white space and escapes; it
/// is bounded so that a request cannot use up the memory that all requests share.
const BODY_BYTES: usize = 2 * 1024 * 1024;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// What is to be done with what the URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    /// Whatever else there is, which nothing here takes.
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

/// A request. What everyone asks of it is asked of JavaScript once: each step there costs more than what is done with it.
pub(crate) struct Request {
    raw: web_sys::Request,
    headers: web_sys::Headers,
    pub(super) method: Method,
    url: String,
}

impl From<web_sys::Request> for Request {
    fn from(raw: web_sys::Request) -> Self {
        Self { headers: raw.headers(), method: Method::of(&raw.method()), url: raw.url(), raw }
    }
}

impl Request {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The URL's path, percent-encoded.
    pub(super) fn path(&self) -> &str {
        let (_, rest) = self.url.split_once("://").unwrap_or_default();
        let path = rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/");
        path.split(['?', '#']).next().unwrap_or_default()
    }

    /// The whole body.
    async fn body(&self) -> worker::Result<Vec<u8>> {
        let body = JsFuture::from(self.raw.array_buffer()?).await?;
        Ok(Uint8Array::new(&body).to_vec())
    }

    /// The body as it comes.
    fn chunks(&self) -> worker::Result<ByteStream> {
        worker::Request::from(Clone::clone(&self.raw)).stream()
    }
}

/// A header's value. Repeated headers come joined by commas.
pub(super) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.get(name).ok().flatten()
}

/// Refuses an append whose headers ask for what is not done. To pass over them would be worse.
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

/// Refuses what would make a request to forget conditional: it is not.
pub(super) fn check_forget_headers(request: &Request) -> Result<(), Failure> {
    wanted(request, &[Media::Json])?;
    check_encoding(request)?;
    for name in ["If-Match", "If-None-Match", "Idempotency-Key"] {
        refuse(request, name, "is not supported here; you can repeat the request without it")?;
    }
    Ok(())
}

/// The key under which an append is sent.
pub(super) fn idempotency_key(request: &Request) -> Result<Option<String>, Failure> {
    header(request, IDEMPOTENCY_KEY).map(checked_key).transpose()
}

/// A key that is one, as it stands.
pub(super) fn checked_key(text: String) -> Result<String, Failure> {
    let key = IdempotencyKey::new(&text);
    key.map(|_| text).map_err(|error| Failure::from(error).in_field(IDEMPOTENCY_KEY))
}

/// Refuses a read whose headers ask for what is not done, and tells which of the offers the answer is to be.
pub(super) fn check_read_headers(request: &Request, offers: &[Media]) -> Result<Media, Failure> {
    let media = wanted(request, offers)?;
    refuse(request, "If-Match", "is not supported by a read; use If-None-Match")?;
    Ok(media)
}

/// Refuses a condition where there is no version to compare it with.
pub(super) fn check_live_headers(request: &Request) -> Result<(), Failure> {
    for name in ["If-Match", "If-None-Match"] {
        refuse(request, name, "is not supported here, because there is no version to compare")?;
    }
    Ok(())
}

/// Refuses a read of what has no version, and is JSON, whose headers ask for what is not done.
pub(super) fn check_json_headers(request: &Request) -> Result<(), Failure> {
    check_live_headers(request)?;
    check_read_headers(request, &[Media::Json]).map(|_| ())
}

/// Whether the connection is to become a WebSocket.
pub(super) fn is_upgrade(request: &Request) -> bool {
    header(request, "Upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Refuses a verification or an export with a condition: that its version is known already does not prove anything.
pub(super) fn check_proof_headers(request: &Request, offer: Media) -> Result<(), Failure> {
    wanted(request, &[offer])?;
    for name in ["If-Match", "If-None-Match"] {
        refuse(request, name, "is not supported by a verification or an export")?;
    }
    Ok(())
}

/// Which of the forms that are offered the caller wants.
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

/// The names that lines of JSON go by.
const NDJSON: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
/// What some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// How the body holds its events. Whatever does not call itself NDJSON is read as JSON.
pub(super) fn events_format(request: &Request) -> EventsFormat {
    let content_type = header(request, "Content-Type").unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let is_ndjson = NDJSON.iter().any(|name| media.eq_ignore_ascii_case(name));
    if is_ndjson { EventsFormat::Ndjson } else { EventsFormat::Json }
}

/// Reads the body into a bounded memory, without the byte order mark that it may begin with.
pub(super) async fn body_text(request: &Request) -> Result<String, Problem> {
    let announced = header(request, "Content-Length").and_then(|length| length.parse::<usize>().ok());
    let mut bytes = match announced {
        Some(length) if length > BODY_BYTES => return Err(too_large().into()),
        // It is no longer than was announced. At once it comes several times as fast as by chunks.
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
