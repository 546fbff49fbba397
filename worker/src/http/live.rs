//! Following a stream or the feed: what there is, and then what comes.

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

/// How long a follower that has seen everything is left without a word.
const QUIET: Duration = Duration::from_secs(15);
/// A follower that is not behind is told where it is once so many events were passed of which it wanted none: if it comes
/// back, they need not be looked at again. One that is behind is told after each page, however few events that holds: so
/// it comes further whenever it is cut off.
const UNREPORTED: u64 = 1000;

/// What a follower of a stream wants: the events from a version on, or only those of one type.
#[derive(Debug)]
pub(super) struct Following {
    from: u64,
    event_type: Option<Scalar>,
}

impl Following {
    /// `last_event_id` is the version that the follower saw last, which counts more than where it began.
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

/// What happens to a follower.
pub(super) enum Step {
    /// There are events: one or more.
    Events(Vec<Event>),
    /// There were many events of which none was wanted. Who has got so far goes on from here.
    Passed(String),
    /// There were none for a while.
    Quiet,
    /// The object went away, or the stream was deleted. Who connects again is told.
    End,
    /// The token with which the follower came counts no more.
    Expired,
}

/// Something that is being followed. Only one page of it is in memory at a time.
pub(super) struct Live {
    source: Source,
    listening: Listening,
    /// What was read and not yet given away.
    ready: Vec<Event>,
    /// How many events were passed when the follower was last told.
    reported: u64,
    /// When the follower's token counts no more.
    until: Option<RecordedTime>,
}

impl Live {
    /// Follows a stream, unless it was deleted, which the first page tells.
    pub(super) async fn of_stream(object: Object, wanted: Following) -> Result<Self, Problem> {
        let until = object.until;
        let source = StreamSource::live(object, wanted.from, wanted.event_type);
        let listening = Listening(vec![source.object.remote.follow().await?]);
        Self::open(Source::Stream(source), listening, until).await
    }

    /// Follows what is listened to already, so that nothing falls between to listen and to read.
    pub(super) async fn open(
        source: Source,
        listening: Listening,
        until: Option<RecordedTime>,
    ) -> Result<Self, Problem> {
        let (reported, _) = source.place();
        let mut live = Self { source, listening, ready: Vec::new(), reported, until };
        // What is wrong from the beginning is still answered with a problem.
        live.advance().await?;
        Ok(live)
    }

    /// How far was read, as a line of JSON.
    pub(super) fn progress(&self) -> String {
        self.source.progress()
    }

    /// What happens next. Nothing is lost when this is dropped while it waits: nor where the token expires, for whoever comes
    /// back with another goes on after what they have seen.
    pub(super) async fn next(&mut self) -> Result<Step, RemoteError> {
        let Some(until) = self.until else { return self.step().await };
        let mut step = pin!(self.step());
        loop {
            let left = until.as_millis().saturating_sub(now().as_millis());
            if left == 0 {
                return Ok(Step::Expired);
            }
            // A timer cannot be set for any time, however late: it is set again.
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
            let unreported = if self.source.is_behind() { 1 } else { UNREPORTED };
            if passed >= self.reported.saturating_add(unreported) {
                self.reported = passed;
                return Ok(Step::Passed(place));
            }
            if self.source.is_behind() {
                match self.advance().await {
                    // It was deleted while the follower caught up.
                    Err(RemoteError::Refused(failure, _)) if failure.code == ErrorCode::StreamDeleted => {
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
            // Where it is not at the end of what was passed, it is somewhere before.
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
