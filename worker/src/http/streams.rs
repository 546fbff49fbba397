//! `/v1/streams/{stream}`: the head of a stream, its verification, and forgetting.

use sillok::store::Version;
use sillok_bridge::Failure;

use super::accept::Media;
use super::fields::{invalid_field, only_field};
use super::problem::Problem;
use super::request::Request;
use super::respond::Answer;
use super::{Object, precondition, query, request};
use crate::aggregate::{ProofRequest, TruncateRequest};
use crate::objects::Receipt;

/// Returns the first version and the head of the stream. A stream that was deleted or never had an event is refused, unless
/// the request has `absent=true`.
pub(super) async fn summary(request: &Request, object: &Object) -> Result<Answer, Problem> {
    let [absent] = query::texts(request.url(), ["absent"])?;
    let absent = query::flag("absent", absent.as_deref())?;
    request::check_read_headers(request, &[Media::Json])?;
    let (head, receipt) =
        if absent { object.remote.head(object.request()).await? } else { object.head().await? };
    if head.deleted {
        // A deleted stream has no entity tag.
        return Ok(Answer::stream(&object.stream, &head).costing(receipt));
    }
    if head.version == 0 && !absent {
        return Err(Problem::stream_not_found(&object.stream).costing(receipt));
    }
    let known = request::header(request, "If-None-Match");
    let tag = (&head).into();
    if known.is_some_and(|tags| precondition::is_known(&tags, tag)) {
        return Ok(Answer::not_modified(tag).costing(receipt));
    }
    Ok(Answer::stream(&object.stream, &head).at(tag).costing(receipt))
}

/// Verifies the history of the stream.
pub(super) async fn verify(request: &Request, object: &Object) -> Result<Answer, Problem> {
    query::none(request.url())?;
    request::check_proof_headers(request, Media::Json)?;
    let (mut next, mut cost) = (None, Receipt::default());
    loop {
        let page = object.remote.verify(ProofRequest { stream: object.stream.clone(), next }).await;
        let (found, receipt) = page.map_err(|error| error.costing(cost))?;
        cost = cost + receipt;
        if found.next.is_none() {
            return Ok(Answer::text(found.text).costing(cost));
        }
        next = found.next;
    }
}

/// Forgets the events before a version.
pub(super) async fn truncate(request: &Request, object: &Object) -> Result<Answer, Problem> {
    query::none(request.url())?;
    request::check_forget_headers(request)?;
    let before = before(&request::body_text(request).await?)?;
    let (left, receipt) =
        object.remote.truncate(TruncateRequest { stream: object.stream.clone(), before }).await?;
    Ok(Answer::text(left).costing(receipt))
}

/// Deletes the stream. This cannot be undone.
pub(super) async fn delete(request: &Request, object: &Object) -> Result<Answer, Problem> {
    query::none(request.url())?;
    request::check_forget_headers(request)?;
    let ((), receipt) = object.remote.delete(object.request()).await?;
    Ok(Answer::no_content().costing(receipt))
}

/// Reads the first version that stays, from `{"before": …}`.
pub(super) fn before(body: &str) -> Result<u64, Failure> {
    let before = only_field(body, "before", "a truncation")?;
    let before = before.and_then(|before| Version::new(before.parse().ok()?));
    let before = before.filter(|before| !before.is_empty()).map(Version::get);
    before.ok_or_else(|| invalid_field("before", "must be the first version to keep, a whole number from 1"))
}

#[cfg(test)]
mod tests {
    use sillok::ErrorCode;

    use super::before;

    #[test]
    fn the_first_version_to_keep() {
        assert_eq!(before(" {\"before\": 3}"), Ok(3));
        for (body, code, field) in [
            ("", ErrorCode::MalformedJson, None),
            ("{\"before\":3", ErrorCode::MalformedJson, None),
            ("3", ErrorCode::InvalidParameter, Some("before")),
            ("[]", ErrorCode::InvalidParameter, Some("before")),
            ("{}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":0}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":-1}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":1.5}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":\"3\"}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":null}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":9007199254740992}", ErrorCode::InvalidParameter, Some("before")),
            ("{\"before\":3,\"after\":1}", ErrorCode::InvalidParameter, Some("after")),
        ] {
            let failure = before(body).unwrap_err();
            assert_eq!((failure.code.known(), failure.field.as_deref()), (Some(code), field), "{body}");
        }
    }
}
