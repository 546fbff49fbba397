//! `/v1/aggregates`: the aggregates of this deployment, with their commands and events.

use worker::Env;

use super::problem::Problem;
use super::request::Request;
use super::respond::Answer;
use super::{query, request};
use crate::composed::Composed;

/// Lists the aggregates. They are a part of the code, so no storage is read.
pub(super) fn list(request: &Request, env: &Env) -> Result<Answer, Problem> {
    request::check_json_headers(request)?;
    query::none(request.url())?;
    let aggregates = Composed::of(env).aggregates();
    Ok(Answer::text(["{\"aggregates\":", aggregates.as_deref().unwrap_or("[]"), "}"].concat()))
}
