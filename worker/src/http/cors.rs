//! Pages of other origins, and the requests that a browser lets them send.
//!
//! Such pages are allowed only if callers prove their rights by a token. A browser never sends a token by itself, so a page may
//! do only what its token allows. If authentication is off, all their requests are refused. Otherwise any page that a developer
//! visits could read and write the data on their machine. It would not suffice to hide the answers: a browser sends simple
//! requests without a preflight, and lets every page open a WebSocket.

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
const HEADERS: &str = "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent";
/// The time for which a browser may remember the answer, in seconds: one day.
const MAX_AGE: &str = "86400";

/// Answers the preflight of a browser. Every page may send its request. The request itself is then checked like all others.
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

/// Adds the headers with which a page may read the answer.
pub(super) fn readable(answer: Answer, policy: &Policy) -> Answer {
    if !lets_in(policy) {
        return answer;
    }
    answer.with("Access-Control-Allow-Origin", "*").with("Access-Control-Expose-Headers", EXPOSED)
}

/// Refuses a page of another origin that is not allowed. Pages of this machine belong to its owner.
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
