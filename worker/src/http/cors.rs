//! Pages of other origins, and what a browser lets them do here.
//!
//! They are let in only where callers prove themselves by a token: a browser never sends one by itself, so what a page
//! may do is what its token allows. With authentication off, any page that a developer happens to visit could otherwise
//! read and write what is kept on their machine: what it asks for is refused. Not to let it read the answers would not do,
//! since a browser sends simple requests without asking first, and lets every page open a WebSocket.

use sillok::ErrorCode;
use sillok_bridge::Failure;

use super::hosts::is_this_machine;
use super::problem::Problem;
use super::request::header;
use super::request::{Method, Request};
use super::respond::Answer;
use crate::auth::Policy;

const EXPOSED: &str =
    "ETag, Retry-After, Sillok-Rows-Read, Sillok-Rows-Written, Sillok-Schema-Rows-Written, WWW-Authenticate";
const METHODS: &str = "GET, HEAD, POST, PUT, DELETE";
const HEADERS: &str =
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID";
/// How long a browser may remember, in seconds: a day.
const MAX_AGE: &str = "86400";

/// The answer to a browser that asks on behalf of a page whether it may send a request: it may, and the request itself
/// is then checked as any other.
pub(super) fn preflight(request: &Request, policy: &Policy) -> Option<Answer> {
    let asks =
        request.method == Method::Options && header(request, "Access-Control-Request-Method").is_some();
    (asks && lets_in(policy)).then(|| {
        Answer::no_content()
            .with("Access-Control-Allow-Methods", METHODS)
            .with("Access-Control-Allow-Headers", HEADERS)
            .with("Access-Control-Max-Age", MAX_AGE)
    })
}

/// The answer with what lets a page read it.
pub(super) fn readable(answer: Answer, policy: &Policy) -> Answer {
    if !lets_in(policy) {
        return answer;
    }
    answer.with("Access-Control-Allow-Origin", "*").with("Access-Control-Expose-Headers", EXPOSED)
}

/// Refuses a page of another origin that is not let in. Pages of this machine are its owner's own.
pub(super) fn check_origin(request: &Request, policy: &Policy) -> Result<(), Problem> {
    if !matches!(policy, Policy::Off { .. }) {
        return Ok(());
    }
    let Some(origin) = header(request, "Origin") else { return Ok(()) };
    match authority(&origin) {
        Some(page) if Some(page) == authority(request.url()) || is_this_machine(page) => Ok(()),
        _ => {
            let detail =
                "without a secret, this server refuses requests of pages of other origins; set SILLOK_SECRET";
            Err(Failure::new(ErrorCode::OriginNotAllowed, detail).in_field("Origin").into())
        }
    }
}

/// The host and port of a URL.
fn authority(url: &str) -> Option<&str> {
    url.split_once("://").and_then(|(_, rest)| rest.split('/').next())
}

fn lets_in(policy: &Policy) -> bool {
    matches!(policy, Policy::Secret(_))
}
