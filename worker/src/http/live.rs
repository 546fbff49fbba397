//! Following a stream or the feed: the existing events, and then each new event.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use sillok::ErrorCode;
use sillok::store::limits::PAGE_EVENTS;
use sillok::store::{RecordedTime, Version};
use sillok_bridge::{Failure, RangeValue, Scalar, now, parse_range};
use worker::Delay;

use super::Object;
use super::problem::Problem;
use super::source::{Event, Listening, Source, StreamSource};
use crate::objects::RemoteError;

/// The longest time without a message to a follower that has read everything.
const QUIET: Duration = Duration::from_secs(15);
/// The number of unwanted events after which a follower at the end gets its progress. After a reconnect, these events need no
/// second look. A follower that is not at the end gets its progress after each page, also after a page with few events. So
/// every connection brings it further.
/// it comes further whenever it is cut off.
const UNREPORTED: u64 = 1000;

/// The wanted events of a follower of a stream: from a version, and perhaps of one type only.
#[derive(Debug)]
pub(super) struct Following {
    from: u64,
    event_type: Option<Scalar>,
}

impl Following {
    /// `last_event_id` is the version that the follower saw last. The follower continues after it.
    pub(super) fn new(range: RangeValue, last_event_id: Option<&str>) -> Result<Self, Failure> {
        let bounds = [
            ("to", &range.to),
            ("limit", &range.limit),
            ("direction", &range.direction),
            ("complete", &range.complete),
        ];
        if let Some((name, _)) = bounds.into_iter().find(|(_, bound)| bound.is_some()) {
            let detail =
                format!("`{name}` is not allowed when you follow a stream, which has no end; leave it out");
            return Err(Failure::new(ErrorCode::InvalidParameter, detail).in_field(name));
        }
        let from = parse_range(&range)?.from().get();
        let seen = last_event_id.map(version_seen).transpose()?;
        Ok(Self { from: seen.map_or(from, |seen| from.max(seen + 1)), event_type: range.event_type })
    }
}

fn version_seen(id: &str) -> Result<u64, Failure> {
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let version = id.parse().ok().filter(|_| is_number).and_then(Version::new);
    version.filter(|version| *version < Version::MAX).map(Version::get).ok_or_else(|| {
        let detail = "the header Last-Event-ID must be the version of an event";
        Failure::new(ErrorCode::InvalidParameter, detail).in_field("Last-Event-ID")
    })
}

/// The next message to a follower.
pub(super) enum Step {
    /// New events: one or more.
    Events(Vec<Event>),
    /// The follower has every event that existed: once for each connection.
    CaughtUp(String),
    /// Progress: many events, none of them wanted. A reconnecting follower continues from this place.
    Passed(String),
    /// No events for some time.
    Quiet,
    /// The object went away, or the stream was deleted. The answer to the next connection says which.
    End,
    /// The follower's token has expired.
    Expired,
}

/// A followed stream or feed. Only one page is in memory at a time.
pub(super) struct Live {
    source: Source,
    listening: Listening,
    /// The events that were read and not yet sent.
    ready: Vec<Event>,
    /// The number of passed events at the last report to the follower.
    reported: u64,
    /// The time at which the follower's token expires.
    until: Option<RecordedTime>,
    /// Whether the first message is the place. A follower that began at the end does not know it.
    announces: bool,
    /// Whether the follower knows that it has caught up.
    caught_up: bool,
}

impl Live {
    /// Follows a stream. The first page fails if the stream was deleted.
    pub(super) async fn of_stream(object: Object, wanted: Following) -> Result<Self, Problem> {
        let until = object.until;
        let source = StreamSource::live(object, wanted.from, wanted.event_type);
        let listening = Listening(vec![source.object.remote.follow().await?]);
        Self::open(Source::Stream(source), listening, until).await
    }

    /// Reads a source to which the caller already listens. So no event falls between the listening and the reading.
    pub(super) async fn open(
        source: Source,
        listening: Listening,
        until: Option<RecordedTime>,
    ) -> Result<Self, Problem> {
        let (reported, _) = source.place();
        // Documents have a message of their own for it.
        let caught_up = matches!(source, Source::Documents(_));
        let mut live =
            Self { source, listening, ready: Vec::new(), reported, until, announces: false, caught_up };
        // An error at the beginning still becomes a problem document.
        live.advance().await?;
        Ok(live)
    }

    /// The same, with the place as its first message.
    pub(super) fn announced(self) -> Self {
        Self { announces: true, ..self }
    }

    /// The progress, as a line of JSON.
    pub(super) fn progress(&self) -> String {
        self.source.progress()
    }

    /// Waits for the next message. If the caller drops this future, no event is lost. If the token expires, no event is lost
    /// either: the follower connects with another token and continues after the last event that it saw.
    pub(super) async fn next(&mut self) -> Result<Step, RemoteError> {
        let Some(until) = self.until else { return self.step().await };
        let mut step = pin!(self.step());
        loop {
            let left = until.as_millis().saturating_sub(now().as_millis());
            if left == 0 {
                return Ok(Step::Expired);
            }
            // A timer has a longest time, so it is set again and again.
            let timer = Delay::from(Duration::from_millis(left).min(QUIET));
            if let Either::Left((step, _)) = select(step.as_mut(), pin!(timer)).await {
                return step;
            }
        }
    }

    async fn step(&mut self) -> Result<Step, RemoteError> {
        loop {
            if !self.ready.is_empty() {
                return Ok(Step::Events(std::mem::take(&mut self.ready)));
            }
            let (passed, place) = self.source.place();
            if std::mem::take(&mut self.announces) {
                return Ok(Step::Passed(place));
            }
            if !self.source.is_behind() && !std::mem::replace(&mut self.caught_up, true) {
                return Ok(Step::CaughtUp(place));
            }
            let unreported = if self.source.is_behind() { 1 } else { UNREPORTED };
            if passed >= self.reported.saturating_add(unreported) {
                self.reported = passed;
                return Ok(Step::Passed(place));
            }
            if self.source.is_behind() {
                match self.advance().await {
                    // The stream or the consumer was deleted while the follower read what exists.
                    Err(RemoteError::Refused(failure, _))
                        if failure.code == ErrorCode::StreamDeleted
                            || failure.code == ErrorCode::ConsumerNotFound =>
                    {
                        return Ok(Step::End);
                    }
                    outcome => outcome?,
                }
                continue;
            }
            match select(pin!(self.source.grow(&self.listening)), pin!(Delay::from(QUIET))).await {
                Either::Left((true, _)) => {}
                Either::Left((false, _)) => return Ok(Step::End),
                Either::Right(_) => return Ok(Step::Quiet),
            }
        }
    }

    /// Reads a page.
    async fn advance(&mut self) -> Result<(), RemoteError> {
        let (before, _) = self.source.place();
        self.ready = self.source.advance(PAGE_EVENTS).await?;
        let (after, place) = self.source.place();
        if let Some(last) = self.ready.last() {
            // If the last event is not the last passed one, its own count is unknown and lies after `before`.
            self.reported = if last.id == place { after } else { before };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_begin() {
        let from = |from: Option<u64>, id| {
            let range = RangeValue { from: from.map(Scalar::from), ..RangeValue::default() };
            Following::new(range, id).map(|following| following.from)
        };
        assert_eq!(from(None, None), Ok(1));
        assert_eq!(from(Some(5), None), Ok(5));
        assert_eq!(from(Some(5), Some("9")), Ok(10));
        assert_eq!(from(Some(5), Some("2")), Ok(5));
        assert_eq!(from(None, Some("0")), Ok(1));
        for wrong in ["", "x", "-1", "+1", "1.5", "9007199254740991", "9007199254740992"] {
            assert_eq!(
                from(None, Some(wrong)).unwrap_err().field.as_deref(),
                Some("Last-Event-ID"),
                "{wrong}"
            );
        }
        let bounded = RangeValue { limit: Some(1_u64.into()), ..RangeValue::default() };
        assert_eq!(Following::new(bounded, None).unwrap_err().field.as_deref(), Some("limit"));
    }
}
