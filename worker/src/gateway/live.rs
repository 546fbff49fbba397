//! Following a stream: what there is, and then what comes.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sillok::store::Version;
use sillok_bridge::{Failure, PageJson, RangeValue, parse_range};
use worker::Delay;

use super::Object;
use super::lines::line;
use super::problem::Problem;
use crate::aggregate::ReadRequest;
use crate::objects::{Nudges, RemoteError};

/// How long a follower that has seen everything is left without a word.
const QUIET: Duration = Duration::from_secs(15);

/// What a follower wants: the events from a version on, or only those of one type.
#[derive(Debug)]
pub(super) struct Following {
    from: u64,
    event_type: Option<Value>,
}

impl Following {
    /// `last_event_id` is the version that the follower saw last, which counts more than where it began.
    pub(super) fn new(range: RangeValue, last_event_id: Option<&str>) -> Result<Self, Failure> {
        let bounds = [("to", &range.to), ("limit", &range.limit), ("direction", &range.direction)];
        if let Some((name, _)) = bounds.into_iter().find(|(_, bound)| bound.is_some()) {
            let detail = format!("`{name}` bounds what is read; to follow a stream has no end");
            return Err(Failure::new("invalid_parameter", detail).in_field(name));
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
        Failure::new("invalid_parameter", detail).in_field("Last-Event-ID")
    })
}

/// An event on its way to a follower.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) version: u64,
    /// Its JSON, on one line.
    pub(super) line: String,
}

/// What happens to a follower.
pub(super) enum Step {
    /// There are events: one or more.
    Events(Vec<Event>),
    /// There were none for a while.
    Quiet,
    /// The object went away, or the stream was deleted. Who connects again is told.
    End,
}

/// A stream that is being followed. Only one page of it is in memory at a time.
pub(super) struct Live {
    object: Object,
    nudges: Nudges,
    wanted: Following,
    /// Whether there may be events that were not read.
    behind: bool,
    /// What was read and not yet given away.
    ready: Vec<Event>,
}

impl Live {
    /// Begins to listen and then to read, so that nothing falls between the two.
    pub(super) async fn open(object: Object, wanted: Following) -> Result<Self, Problem> {
        let nudges = object.remote.follow().await?;
        let (head, receipt) = object.remote.head(&object.request()).await?;
        if head.deleted {
            return Err(Problem::stream_deleted(&object.stream).costing(receipt));
        }
        let mut live = Self { object, nudges, wanted, behind: true, ready: Vec::new() };
        // What is wrong from the beginning is still answered with a problem.
        live.advance().await?;
        Ok(live)
    }

    /// What happens next. Nothing is lost when this is dropped while it waits.
    pub(super) async fn next(&mut self) -> Result<Step, RemoteError> {
        loop {
            if !self.ready.is_empty() {
                return Ok(Step::Events(std::mem::take(&mut self.ready)));
            }
            if self.behind {
                self.advance().await?;
                continue;
            }
            let reached = pin!(self.nudges.reach(self.wanted.from));
            match select(reached, pin!(Delay::from(QUIET))).await {
                Either::Left((true, _)) => self.behind = true,
                Either::Left((false, _)) => return Ok(Step::End),
                Either::Right(_) => return Ok(Step::Quiet),
            }
        }
    }

    /// Reads a page.
    async fn advance(&mut self) -> Result<(), RemoteError> {
        let (from, event_type) = (Some(self.wanted.from.into()), self.wanted.event_type.clone());
        let range = RangeValue { from, event_type, ..RangeValue::default() };
        let (page, _) = self.object.remote.read(&ReadRequest { stream: self.object.name(), range }).await?;
        self.take(&page).map_err(|_| RemoteError::Broken)
    }

    fn take(&mut self, page: &PageJson) -> Result<(), serde_json::Error> {
        self.ready = events_in(&page.events)?;
        let next = page.next.as_ref().map(|next| next.from.as_ref().and_then(Value::as_u64));
        self.behind = next.is_some();
        self.wanted.from = next.flatten().unwrap_or(page.version + 1).max(self.wanted.from);
        Ok(())
    }
}

fn events_in(events: &str) -> Result<Vec<Event>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Numbered {
        version: u64,
    }
    let events: Vec<&RawValue> = serde_json::from_str(events)?;
    let event = |event: &RawValue| {
        let Numbered { version } = serde_json::from_str(event.get())?;
        Ok(Event { version, line: line(event) })
    };
    events.into_iter().map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_page() {
        let found =
            events_in("[{\"version\":7,\"data\":{\"version\":1,\r\n\"a\":2}},{\"version\":8}]").unwrap();
        let event = |version, line: &str| Event { version, line: line.to_owned() };
        let first = event(7, "{\"version\":7,\"data\":{\"version\":1,  \"a\":2}}");
        assert_eq!(found, [first, event(8, "{\"version\":8}")]);
    }

    #[test]
    fn where_to_begin() {
        let from = |from: Option<u64>, id| {
            let range = RangeValue { from: from.map(Value::from), ..RangeValue::default() };
            Following::new(range, id).map(|following| following.from)
        };
        assert_eq!(from(None, None), Ok(1));
        assert_eq!(from(Some(5), None), Ok(5));
        assert_eq!(from(Some(5), Some("9")), Ok(10));
        assert_eq!(from(Some(5), Some("2")), Ok(5));
        assert_eq!(from(None, Some("0")), Ok(1));
        for wrong in ["", "x", "-1", "+1", "1.5", "9007199254740991", "9007199254740992"] {
            assert_eq!(from(None, Some(wrong)).unwrap_err().field.unwrap(), "Last-Event-ID", "{wrong}");
        }
        let bounded = RangeValue { limit: Some(1.into()), ..RangeValue::default() };
        assert_eq!(Following::new(bounded, None).unwrap_err().field.unwrap(), "limit");
    }
}
