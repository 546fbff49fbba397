//! `/v1/aggregates`: the aggregates of this deployment, with their commands and events.

use sillok::store::json_string;
use worker::Env;

use super::problem::Problem;
use super::request::Request;
use super::respond::Answer;
use super::{query, request};
use crate::aggregate::InRust;
use crate::app;
use crate::composed::Composed;

/// Lists the aggregates. They are a part of the code, so no storage is read.
pub(super) fn list(request: &Request, env: &Env) -> Result<Answer, Problem> {
    request::check_json_headers(request)?;
    query::none(request.url())?;
    let in_javascript = Composed::of(env).aggregates();
    let in_javascript = in_javascript.as_deref().unwrap_or("[]");
    let in_javascript = in_javascript.trim_start_matches('[').trim_end_matches(']').to_owned();
    let in_rust = app::aggregates().iter().map(described).collect::<Vec<_>>();
    let all = [vec![in_javascript], in_rust].concat();
    let all = all.into_iter().filter(|aggregate| !aggregate.is_empty()).collect::<Vec<_>>().join(",");
    Ok(Answer::text(format!("{{\"aggregates\":[{all}]}}")))
}

/// An aggregate in Rust, in the form of `worker/described.ts`. serde does not tell JSON Schemas.
fn described(code: &InRust) -> String {
    let (name, appends) = (json_string(code.category), if code.is_open { "open" } else { "admin" });
    let commands = messages((code.command_types)(), |_| String::new());
    let events =
        messages((code.event_types)(), |name| format!("\"schemaVersion\":{},", (code.schema_version)(name)));
    let state_version = code.state_version;
    let kind = if code.is_process { "process" } else { "aggregate" };
    format!(
        "{{\"name\":{name},\"kind\":\"{kind}\",\"stateVersion\":{state_version},\"appends\":\"{appends}\",\
         \"commands\":{commands},\"events\":{events}}}"
    )
}

/// The messages of these types. `null` if serde does not name them.
fn messages(types: &[&str], more: impl Fn(&str) -> String) -> String {
    if types.is_empty() {
        return "null".to_owned();
    }
    let each = types.iter();
    let each = each.map(|name| format!("{{\"type\":{},{}\"schema\":null}}", json_string(name), more(name)));
    format!("[{}]", each.collect::<Vec<_>>().join(","))
}
