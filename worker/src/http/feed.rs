//! `/v1/events`: the feed.

use sillok::ErrorCode;
use sillok::store::limits::{PAGE_BYTES, PAGE_EVENTS};
use sillok::store::{Checkpoint, InvalidCheckpoint, Position, items, members, string_text};
use sillok_bridge::{Failure, FeedValue, Scalar, parse_feed};
use worker::Env;

use super::accept::Media;
use super::lines::{self, Lines, Share};
use super::live::Live;
use super::newest::Newest;
use super::partitions::journals;
use super::problem::Problem;
use super::query::FeedQuery;
use super::request::{Method, Request};
use super::respond::{Answer, json_or_null, url};
use super::source::{Event, Listening, Source, Unreadable, events_in};
use super::{query, request, socket};
use crate::auth::{Principal, Scope};
use crate::journal::{FeedRequest, Remote, end_of};
use crate::objects::{Receipt, RemoteError};

/// The value of `after` that means the present end of the feed.
const END: &str = "end";

/// Reads the feed of the caller's tenant, in the wanted form.
pub(super) async fn read(request: &Request, env: &Env, principal: Principal) -> Result<Answer, Problem> {
    principal.require(Scope::Read)?;
    let FeedQuery { mut wanted, progress, upcast } = query::feed(request.url())?;
    let upgrade = request.method == Method::Get && request::is_upgrade(request);
    let offers = [Media::Json, Media::Ndjson, Media::EventStream];
    request::check_live_headers(request)?;
    let media = if upgrade { Media::EventStream } else { request::check_read_headers(request, &offers)? };
    let progress = lines::progress(progress.as_ref(), media)?;
    let limit = match media {
        Media::Ndjson => lines::limit(wanted.limit.take())?,
        // The limit of a page is checked with its other parts. A follower has no limit.
        _ => u64::MAX,
    };
    let resumed = resume(&mut wanted, media, request::header(request, "Last-Event-ID"))?;
    // The answer to HEAD is the same for all forms: the one of a page.
    let form = if request.method == Method::Head { Media::Json } else { media };
    let newest = upcast.then(|| Newest::of(env));
    let journals = journals(env, &principal)?;
    let from_end = wanted.after.as_ref().and_then(Scalar::as_str) == Some(END);
    if from_end {
        wanted.after = Some(end_of(&journals).await?.to_string().into());
    }
    let answer = match Feed::new(journals, wanted, principal) {
        Ok(feed) => {
            let feed = Feed { newest, from_end, ..feed };
            feed.answer(form, Share { limit, progress }, upgrade).await.map(|answer| answer.of(media))
        }
        Err(failure) => Err(failure.into()),
    };
    answer.map_err(|problem| {
        let is_resumed = resumed && problem.failure.field.as_deref() == Some("after");
        if is_resumed { problem.in_field("Last-Event-ID") } else { problem }
    })
}

/// Continues from the event that the follower saw last, if it names one. Its checkpoint is used in place of `after`.
fn resume(wanted: &mut FeedValue, media: Media, last_event_id: Option<String>) -> Result<bool, Failure> {
    if media != Media::EventStream {
        return Ok(false);
    }
    if wanted.limit.is_some() {
        let detail = "`limit` is not allowed when you follow the feed, which has no end; leave it out";
        return Err(Failure::new(ErrorCode::InvalidParameter, detail).in_field("limit"));
    }
    let resumed = last_event_id.is_some();
    if let Some(id) = last_event_id {
        wanted.after = Some(id.into());
    }
    Ok(resumed)
}

/// The feed of all partitions, and the place up to which it was read.
pub(super) struct Feed {
    journals: Vec<Remote>,
    wanted: FeedValue,
    checkpoint: Checkpoint,
    /// The caller. Only events of streams that it may use are shown.
    principal: Principal,
    partitions: Vec<Partition>,
    /// The partition that is read next, if it has more events.
    turn: usize,
    /// Whether each partition is read only up to its end at the first read.
    bounded: bool,
    /// Whether the reader asked for the events after the end, and so does not know its place.
    from_end: bool,
    /// The conversion of the events, if the reader wants their newest schema versions.
    newest: Option<Newest>,
}

#[derive(Clone, Default)]
struct Partition {
    /// Whether the partition is known to have no more events.
    done: bool,
    /// The end of the partition at the first read.
    end: Option<Position>,
}

/// The events of a page of one partition that the caller may see.
pub(super) struct Found {
    /// A JSON array of events.
    json: String,
    /// The number of found events, with those that the caller may not see.
    count: usize,
}

impl Found {
    pub(super) fn events(&self) -> Result<Vec<Event>, Unreadable> {
        events_in(&self.json)
    }
}

impl Feed {
    fn new(journals: Vec<Remote>, wanted: FeedValue, principal: Principal) -> Result<Self, Failure> {
        let count = journals.len();
        // The check is here, so that a wrong request wakes no object.
        let (checkpoint, _) = parse_feed(&wanted, 0, count)?;
        let mut feed = Self {
            journals,
            wanted,
            checkpoint,
            principal,
            partitions: vec![Partition::default(); count],
            turn: 0,
            bounded: false,
            from_end: false,
            newest: None,
        };
        // A reader that reads page by page begins each time with another partition, so that none waits forever.
        feed.turn = usize::try_from(feed.passed()).unwrap_or_default() % count.max(1);
        Ok(feed)
    }

    /// Answers in this form. `share` has the limit of lines.
    async fn answer(self, media: Media, share: Share, upgrade: bool) -> Result<Answer, Problem> {
        // The first read of the only partition checks the place too. Of several, the later partitions would refuse only after a
        // part of the answer was sent.
        if media != Media::Json && self.journals.len() > 1 {
            self.check_place().await?;
        }
        match media {
            Media::Json => self.page().await,
            Media::Ndjson => Ok(Answer::lines(Lines::open(Source::Feed(self.bounded()), share).await?)),
            Media::EventStream => {
                let (until, from_end) = (self.principal.until(), self.from_end);
                let source = Source::Feed(self);
                let listening = source.listen().await?;
                let live = Live::open(source, listening, until).await?;
                let live = if from_end { live.announced() } else { live };
                if upgrade { Ok(Answer::socket(socket::serve(live)?)) } else { Ok(Answer::live(live)) }
            }
        }
    }

    /// Refuses a place beyond the end of the feed.
    async fn check_place(&self) -> Result<(), Problem> {
        if self.passed() > 0 && self.checkpoint.is_beyond(&end_of(&self.journals).await?) {
            return Err(Failure::from(InvalidCheckpoint).into());
        }
        Ok(())
    }

    /// The same feed, read only up to its present end.
    fn bounded(self) -> Self {
        Self { bounded: true, ..self }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.partitions.iter().any(|partition| !partition.done)
    }

    /// The number of passed events in all partitions, and the checkpoint.
    pub(super) fn place(&self) -> (u64, String) {
        (self.passed(), self.checkpoint.to_string())
    }

    fn passed(&self) -> u64 {
        (0..self.journals.len()).map(|partition| self.position(partition)).sum()
    }

    pub(super) fn position(&self, partition: usize) -> u64 {
        self.checkpoint.position(partition).get()
    }

    pub(super) async fn listen(&self) -> Result<Listening, RemoteError> {
        let mut listening = Vec::with_capacity(self.journals.len());
        for journal in &self.journals {
            listening.push(journal.follow().await?);
        }
        Ok(Listening(listening))
    }

    /// Notes that a partition has grown.
    pub(super) fn has_grown(&mut self, partition: usize) -> bool {
        let grown = self.partitions.get_mut(partition);
        grown.map(|partition| partition.done = false).is_some()
    }

    /// Reads the next page of the next partition.
    pub(super) async fn advance(&mut self, most: usize) -> Result<(Found, Receipt), RemoteError> {
        let count = self.journals.len();
        let in_turn = (self.turn..self.turn + count).map(|turn| turn % count.max(1));
        let mut waiting =
            in_turn.filter(|place| self.partitions.get(*place).is_some_and(|partition| !partition.done));
        let place = waiting.next().unwrap_or_default();
        let journal = self.journals.get(place).ok_or(RemoteError::Broken)?;
        let (after, limit) = (Some(self.checkpoint.to_string().into()), Some(most.into()));
        let feed = FeedValue { after, limit, ..self.wanted.clone() };
        let (reply, receipt) = journal.feed(FeedRequest { feed, consumer: None, heads: false }).await?;
        let reached = Checkpoint::parse(&reply.page.checkpoint, count);
        let reached = reached.map_err(|_| RemoteError::unreadable("the checkpoint of a page"))?;
        let partition = self.partitions.get_mut(place).ok_or(RemoteError::Broken)?;
        let end = *partition.end.get_or_insert(Position::new(reply.end).unwrap_or_default());
        partition.done = !reply.page.more || (self.bounded && reached.position(place) >= end);
        let last = self.bounded.then_some(end).filter(|end| reached.position(place) > *end);
        self.checkpoint = reached;
        self.turn = place + 1;
        let json = if last.is_some() || !self.principal.may_touch_all() {
            self.cut(&reply.page.events, last)?
        } else {
            reply.page.events
        };
        let json = match &self.newest {
            Some(newest) => newest.shown(json, receipt)?,
            None => json,
        };
        Ok((Found { json, count: reply.page.count }, receipt))
    }

    /// The events that the caller may see and that are not beyond the end.
    fn cut(&self, events: &str, last: Option<Position>) -> Result<String, Unreadable> {
        let events = items(events).map_err(|_| Unreadable)?;
        let mut allowed = Vec::with_capacity(events.len());
        for event in events {
            let place = || {
                let [stream, position] = members(event, ["stream", "position"])?;
                Some((string_text(stream?)?, position?.parse::<u64>().ok()?))
            };
            let (stream, position) = place().ok_or(Unreadable)?;
            if self.principal.may_touch(&stream) && last.is_none_or(|last| position <= last.get()) {
                allowed.push(event);
            }
        }
        Ok(format!("[{}]", allowed.join(",")))
    }

    /// Answers one page. Each partition gets its share. A partition with fewer events leaves room for the next ones. So a page
    /// that is smaller than the number of partitions still continues past empty partitions.
    async fn page(mut self) -> Result<Answer, Problem> {
        let limit = self.wanted.limit.take().as_ref().and_then(Scalar::as_u64);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_EVENTS);
        if limit == 0 {
            // An empty page has no next page. Its place is checked as that of every page.
            self.check_place().await?;
            return Ok(Answer::text(format!(
                "{{\"events\":[],\"checkpoint\":\"{}\",\"next\":null}}",
                self.checkpoint
            )));
        }
        let (mut events, mut cost) = (String::new(), Receipt::default());
        let (mut room, mut unread) = (limit, self.journals.len());
        while self.is_behind() && room > 0 && unread > 0 && events.len() < PAGE_BYTES {
            let (found, receipt) = self.advance(room.div_ceil(unread)).await.map_err(Problem::from)?;
            cost = cost + receipt;
            room = room.saturating_sub(found.count);
            unread -= 1;
            let inner =
                found.json.strip_prefix('[').and_then(|json| json.strip_suffix(']')).unwrap_or_default();
            if !events.is_empty() && !inner.is_empty() {
                events.push(',');
            }
            events.push_str(inner);
        }
        let next = self.is_behind().then(|| self.next_url(limit));
        let (checkpoint, next) = (&self.checkpoint, json_or_null(next.as_deref()));
        // The events are already JSON, so they stay unchanged. The rest is written around them.
        let body = format!("{{\"events\":[{events}],\"checkpoint\":\"{checkpoint}\",\"next\":{next}}}");
        Ok(Answer::text(body).costing(cost))
    }

    fn next_url(&self, limit: usize) -> String {
        let (after, limit) = (Scalar::from(self.checkpoint.to_string()), Scalar::from(limit));
        let types = self.wanted.types.iter().map(|name| ("type", Some(name)));
        let upcast = self.newest.as_ref().map(|_| Scalar::from("true"));
        let category = self.wanted.category.as_ref();
        let parts = [
            ("after", Some(&after)),
            ("category", category),
            ("limit", Some(&limit)),
            ("upcast", upcast.as_ref()),
        ];
        url("/v1/events".to_owned(), parts.into_iter().chain(types))
    }
}
