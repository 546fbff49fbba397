//! `/v1/streams/{stream}/state`: the state of an aggregate.

use sillok::ErrorCode;
use sillok::store::limits::MAX_TIME_MILLIS;
use sillok_bridge::Failure;

use super::precondition::EntityTag;
use super::problem::Problem;
use super::request::Request;
use super::respond::Answer;
use super::{Object, query, request, times};
use crate::aggregate::StateRequest;

/// Loads the present state, or the state at a version or a time.
pub(super) async fn load(request: &Request, object: &Object) -> Result<Answer, Problem> {
    let [version, time] = query::texts(request.url(), ["version", "time"])?;
    // A state also depends on the code of the deployment. So no known version can take its place.
    request::check_json_headers(request)?;
    if version.is_some() && time.is_some() {
        return Err(invalid("time", "cannot be combined with `version`").into());
    }
    let version = query::whole("version", version)?;
    let time = time.map(|time| {
        let reason = "must be a time such as 2026-11-23T01:02:03Z, or milliseconds since 1970";
        // A later time is no number of JavaScript.
        let millis = times::millis(&time).map(|millis| millis.min(MAX_TIME_MILLIS));
        millis.ok_or_else(|| invalid("time", reason))
    });
    let message = StateRequest { stream: object.stream.clone(), version, time: time.transpose()? };
    let (state, receipt) = object.remote.state(&message).await?;
    Ok(Answer::text(state.to_json()).at(EntityTag::of_version(state.version)).costing(receipt))
}

fn invalid(name: &str, reason: &str) -> Failure {
    Failure::new(ErrorCode::InvalidParameter, format!("`{name}` {reason}")).in_field(name)
}
