//! What a request carries besides its path.

use futures_util::StreamExt;
use sillok::store::IdempotencyKey;
use sillok_bridge::Failure;
use worker::Request;

use super::accept::{Media, preferred};
use super::header_failure;
use super::problem::Problem;
use crate::aggregate::EventsFormat;

/// Largest body. It is more than a commit may hold, because JSON can be written with white space and escapes; it
/// is bounded so that a request cannot use up the memory that all requests share.
const BODY_BYTES: usize = 2 * 1024 * 1024;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A header's value. Repeated headers come joined by commas.
pub(super) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// Refuses an append whose headers ask for what is not done. To pass over them would be worse.
pub(super) fn check_append_headers(request: &Request) -> Result<(), Failure> {
    wanted(request, &[Media::Json])?;
    check_encoding(request)
}

fn check_encoding(request: &Request) -> Result<(), Failure> {
    match header(request, "Content-Encoding") {
        Some(encoding) if !encoding.trim().eq_ignore_ascii_case("identity") => {
            refuse(request, "Content-Encoding", "is not supported: send the body as it is")
        }
        _ => Ok(()),
    }
}

/// Refuses what would make a request to forget conditional: it is not.
pub(super) fn check_forget_headers(request: &Request) -> Result<(), Failure> {
    wanted(request, &[Media::Json])?;
    check_encoding(request)?;
    for name in ["If-Match", "If-None-Match", "Idempotency-Key"] {
        refuse(request, name, "is not supported here; to repeat the request does no harm")?;
    }
    Ok(())
}

/// The key under which an append is sent.
pub(super) fn idempotency_key(request: &Request) -> Result<Option<String>, Failure> {
    header(request, IDEMPOTENCY_KEY).map(checked_key).transpose()
}

/// A key that is one, as it stands.
pub(super) fn checked_key(text: String) -> Result<String, Failure> {
    IdempotencyKey::new(&text).map_err(|error| Failure::from(error).in_field(IDEMPOTENCY_KEY))?;
    // The runtime puts this in the place of bytes that are not UTF-8, so that keys which differ would be the same.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let detail = "the idempotency key is not UTF-8";
        return Err(header_failure("invalid_idempotency_key", IDEMPOTENCY_KEY, detail));
    }
    Ok(text)
}

/// Refuses a read whose headers ask for what is not done, and tells which of the offers the answer is to be.
pub(super) fn check_read_headers(request: &Request, offers: &[Media]) -> Result<Media, Failure> {
    let media = wanted(request, offers)?;
    refuse(request, "If-Match", "is not supported by a read; a read takes If-None-Match")?;
    Ok(media)
}

/// Refuses a condition of who follows a stream: there is no version to compare.
pub(super) fn check_live_headers(request: &Request) -> Result<(), Failure> {
    for name in ["If-Match", "If-None-Match"] {
        refuse(request, name, "is not supported where a stream is followed")?;
    }
    Ok(())
}

/// Whether the connection is to become a WebSocket.
pub(super) fn is_upgrade(request: &Request) -> bool {
    header(request, "Upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Refuses a verification or an export with a condition: that its version is known already does not prove anything.
pub(super) fn check_proof_headers(request: &Request, offer: Media) -> Result<(), Failure> {
    wanted(request, &[offer])?;
    for name in ["If-Match", "If-None-Match"] {
        refuse(request, name, "is not supported where a history is to be proved")?;
    }
    Ok(())
}

/// Which of the forms that are offered the caller wants.
fn wanted(request: &Request, offers: &[Media]) -> Result<Media, Failure> {
    let accept = header(request, "Accept").unwrap_or_default();
    preferred(&accept, offers).ok_or_else(|| {
        let names: Vec<&str> = offers.iter().map(|offer| offer.name()).collect();
        let detail = format!("the answer is {}, which Accept excludes", names.join(" or "));
        header_failure("not_acceptable", "Accept", detail)
    })
}

fn refuse(request: &Request, name: &str, reason: &str) -> Result<(), Failure> {
    match header(request, name) {
        None => Ok(()),
        Some(_) => Err(header_failure("unsupported_header", name, format!("the header {name} {reason}"))),
    }
}

/// How the body holds its events. Whatever does not call itself NDJSON is read as JSON.
pub(super) fn events_format(request: &Request) -> EventsFormat {
    let content_type = header(request, "Content-Type").unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/x-ndjson") { EventsFormat::Ndjson } else { EventsFormat::Json }
}

/// Reads the body into a bounded memory.
pub(super) async fn body_text(request: &mut Request) -> Result<String, Problem> {
    let announced = header(request, "Content-Length").and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES) {
        return Err(too_large().into());
    }
    if request.inner().body().is_none() {
        return Ok(String::new());
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    let mut stream = request.stream().map_err(Problem::internal)?;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(Problem::internal)?;
        if bytes.len() + chunk.len() > BODY_BYTES {
            return Err(too_large().into());
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Failure::new("malformed_json", "the body is not UTF-8").into())
}

fn too_large() -> Failure {
    Failure::new("body_too_large", format!("the body is larger than the {BODY_BYTES} bytes allowed"))
}
