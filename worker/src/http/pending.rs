//! `/v1/streams/{stream}/timers` and `/sent`: the timers of a stream, and the commands that a process has sent.

use sillok::ErrorCode;
use sillok::store::PendingKind;
use sillok::store::limits::PAGE_EVENTS;
use sillok_bridge::{Failure, PendingPage};

use super::problem::Problem;
use super::request::Request;
use super::respond::{self, Answer};
use super::{Object, names, query, request};
use crate::aggregate::{ChangePendingRequest, Listed, PendingAct, PendingRequest};

/// The most timers or sent commands of a page.
const MOST: u64 = PAGE_EVENTS as u64;

/// Lists timers or sent commands, in the order of their keys.
pub(super) async fn list(request: &Request, object: &Object, kind: PendingKind) -> Result<Answer, Problem> {
    let [limit, after] = query::texts(request.url(), ["limit", "after"])?;
    request::check_json_headers(request)?;
    let limit = query::whole("limit", limit)?.unwrap_or(MOST);
    if limit > MOST {
        let detail = format!("`limit` is {limit}; the most is {MOST}");
        return Err(Failure::new(ErrorCode::PageTooLarge, detail).in_field("limit").into());
    }
    let after = after.map(|key| names::pending_after(key, kind)).transpose()?;
    let message = PendingRequest { stream: object.stream.clone(), kind: Listed(kind), after, limit };
    let (PendingPage { items, next }, receipt) = object.remote.pending(&message).await?;
    let list = match kind {
        PendingKind::Timer => "timers",
        PendingKind::Sent => "sent",
    };
    let next = next.map(|key| {
        let stream = respond::stream_path(object.stream.as_str());
        let url = format!("{stream}/{list}?limit={limit}&after={}", respond::encoded(&key));
        format!(",\"next\":{}", sillok::store::json_string(&url))
    });
    let text = format!("{{\"{list}\":{items}{}}}", next.unwrap_or_default());
    Ok(Answer::text(text).costing(receipt))
}

/// Cancels a timer or a sent command, or attempts it again if it is parked.
pub(super) async fn change(
    request: &Request,
    object: &Object,
    kind: PendingKind,
    key: &str,
    act: PendingAct,
) -> Result<Answer, Problem> {
    query::none(request.url())?;
    request::check_forget_headers(request)?;
    let key = names::pending_key(key, kind)?;
    changed(object, kind, key, act, None).await
}

/// Answers a parked sent command with a rejection in place of its receiver.
pub(super) async fn reject(request: &Request, object: &Object, id: &str) -> Result<Answer, Problem> {
    query::none(request.url())?;
    request::check_forget_headers(request)?;
    let id = names::pending_key(id, PendingKind::Sent)?;
    let rejection = request::body_text(request).await?;
    changed(object, PendingKind::Sent, id, PendingAct::Reject, Some(rejection)).await
}

async fn changed(
    object: &Object,
    kind: PendingKind,
    key: String,
    act: PendingAct,
    rejection: Option<String>,
) -> Result<Answer, Problem> {
    let stream = object.stream.clone();
    let message = ChangePendingRequest { stream, kind: Listed(kind), key, act, rejection };
    let ((), receipt) = object.remote.change_pending(&message).await?;
    Ok(Answer::no_content().costing(receipt))
}
