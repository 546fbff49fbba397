//! What a request carries besides its path.

use futures_util::StreamExt;
use sillok_bridge::Failure;
use worker::Request;

use super::accept::accepts_json;
use super::header_failure;
use super::problem::Problem;
use crate::aggregate::EventsFormat;

/// Largest body. It is more than a commit may hold, because JSON can be written with white space and escapes; it
/// is bounded so that a request cannot use up the memory that all requests share.
const BODY_BYTES: usize = 2 * 1024 * 1024;

/// A header's value. Repeated headers come joined by commas.
pub(super) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// Refuses an append whose headers ask for what is not done. To pass over them would be worse.
pub(super) fn check_append_headers(request: &Request) -> Result<(), Failure> {
    check_accept(request)?;
    refuse(request, "Idempotency-Key", "is not supported yet; an expected version makes a retry safe")?;
    match header(request, "Content-Encoding") {
        Some(encoding) if !encoding.trim().eq_ignore_ascii_case("identity") => {
            refuse(request, "Content-Encoding", "is not supported: send the body as it is")
        }
        _ => Ok(()),
    }
}

/// Refuses a read whose headers ask for what is not done.
pub(super) fn check_read_headers(request: &Request) -> Result<(), Failure> {
    check_accept(request)?;
    refuse(request, "If-Match", "is not supported by a read; a read takes If-None-Match")
}

fn check_accept(request: &Request) -> Result<(), Failure> {
    match header(request, "Accept") {
        Some(accept) if !accepts_json(&accept) => Err(header_failure(
            "not_acceptable",
            "Accept",
            "the answer is application/json, which Accept excludes",
        )),
        _ => Ok(()),
    }
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
