//! `/v1/streams/{stream}/events`: append and read.

use sillok_bridge::{Failure, RangeValue, expected_version_json, parse_range};

use super::accept::Media;
use super::lines::{self, Lines, Share};
use super::live::{Following, Live};
use super::problem::Problem;
use super::request::{Method, Request};
use super::respond::Answer;
use super::source::{Source, StreamSource};
use super::{Object, precondition, query, request, socket};
use crate::aggregate::{AppendRequest, ReadRequest};
use crate::objects::Receipt;

pub(super) async fn append(request: &Request, object: &Object) -> Result<Answer, Problem> {
    request::check_append_headers(request)?;
    query::none(request.url())?;
    let expected = precondition::of_write(request)?;
    let key = request::idempotency_key(request)?;
    let format = request::events_format(request);
    let events = request::body_text(request).await?;
    let message = AppendRequest {
        stream: object.stream.clone(),
        expected_version: expected_version_json(expected),
        events,
        format,
        key,
        cause: None,
        admin: object.admin,
    };
    let (appended, receipt) = object.remote.append(&message).await?;
    Ok(Answer::appended(&appended).costing(receipt))
}

pub(super) async fn read(request: &Request, object: Object) -> Result<Answer, Problem> {
    let (range, progress) = query::range(request.url())?;
    if request.method == Method::Get && request::is_upgrade(request) {
        lines::progress(progress.as_ref(), Media::EventStream)?;
        let live = Live::of_stream(object, following(request, range)?).await?;
        return Ok(Answer::socket(socket::serve(live)?));
    }
    let media = request::check_read_headers(request, &[Media::Json, Media::Ndjson, Media::EventStream])?;
    let progress = lines::progress(progress.as_ref(), media)?;
    // The check is here, so that a wrong request wakes no object.
    let wanted = match media {
        Media::Json => Wanted::Page(parse_range(&range).map(|_| range)?),
        Media::Ndjson => Wanted::whole(range, progress)?,
        Media::EventStream => Wanted::Live(following(request, range)?),
    };
    let known = request::header(request, "If-None-Match");
    let mut cost = Receipt::default();
    if known.is_some() || request.method == Method::Head {
        let (head, receipt) = object.head().await?;
        let receipt = receipt + check_complete(&object, &wanted).await?;
        let tag = (&head).into();
        if known.is_some_and(|tags| precondition::is_known(&tags, tag)) {
            return Ok(Answer::not_modified(tag).costing(receipt));
        }
        if request.method == Method::Head {
            return Ok(Answer::head(media).at(tag).costing(receipt));
        }
        cost = receipt;
    }
    match wanted {
        Wanted::Page(range) => {
            let (page, receipt) =
                object.remote.read(ReadRequest { stream: object.stream.clone(), range }).await?;
            Ok(Answer::page(&object.stream, &page).costing(cost + receipt))
        }
        // The price of these is not known when their headers are sent.
        Wanted::Lines(range, share) => {
            let source = Source::Stream(StreamSource::whole(object, range));
            Ok(Answer::lines(Lines::open(source, share).await?))
        }
        Wanted::Live(following) => Ok(Answer::live(Live::of_stream(object, following).await?)),
    }
}

/// Refuses a range in which an event was truncated, as the read would. So neither a known version nor a `HEAD` hides the refusal.
async fn check_complete(object: &Object, wanted: &Wanted) -> Result<Receipt, Problem> {
    let (Wanted::Page(range) | Wanted::Lines(range, _)) = wanted else { return Ok(Receipt::default()) };
    if range.complete.is_none() {
        return Ok(Receipt::default());
    }
    let range = RangeValue { limit: Some(1_u64.into()), ..range.clone() };
    let (_, receipt) = object.remote.read(ReadRequest { stream: object.stream.clone(), range }).await?;
    Ok(receipt)
}

fn following(request: &Request, range: RangeValue) -> Result<Following, Problem> {
    request::check_live_headers(request)?;
    let last_event_id = request::header(request, "Last-Event-ID");
    Ok(Following::new(range, last_event_id.as_deref())?)
}

/// The events to read, and the form of the answer.
enum Wanted {
    Page(RangeValue),
    Lines(RangeValue, Share),
    Live(Following),
}

impl Wanted {
    fn whole(mut range: RangeValue, progress: bool) -> Result<Self, Failure> {
        let limit = lines::limit(range.limit.take())?;
        parse_range(&range)?;
        Ok(Self::Lines(range, Share { limit, progress }))
    }
}
