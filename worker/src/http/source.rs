//! What is read page after page, and may be followed: a stream, or the feed of all streams.

use std::future::poll_fn;
use std::task::Poll;

use serde::Deserialize;
use serde_json::value::RawValue;
use sillok_bridge::{RangeValue, Scalar};

use super::Object;
use super::feed::Feed;
use super::precondition::EntityTag;
use crate::aggregate::ReadRequest;
use crate::objects::{Nudges, RemoteError};

/// Something to read, and the place up to which it was read.
pub(super) enum Source {
    Stream(StreamSource),
    Feed(Feed),
}

/// An event on its way to a reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// From where a follower goes on that has seen this event: its version or, in a feed, its checkpoint.
    pub(super) id: String,
    /// Its JSON, on one line.
    pub(super) line: String,
}

impl Source {
    /// Reads the next page, of so many events at most, and goes behind it. Whether there may be more is told by
    /// [`is_behind`](Self::is_behind).
    pub(super) async fn advance(&mut self, most: usize) -> Result<Vec<Event>, RemoteError> {
        match self {
            Self::Stream(stream) => stream.advance(most).await,
            Self::Feed(feed) => {
                let (found, _) = feed.advance(most).await?;
                Ok(found.events()?)
            }
        }
    }

    /// Whether there may be something that was not read.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.behind,
            Self::Feed(feed) => feed.is_behind(),
        }
    }

    /// How many events were passed, wanted or not; and from where one goes on that has seen them.
    pub(super) fn place(&self) -> (u64, String) {
        match self {
            Self::Stream(stream) => (stream.seen, stream.seen.to_string()),
            Self::Feed(feed) => feed.place(),
        }
    }

    /// How far was read, as a line of JSON. It stands where there is no event that would tell it.
    pub(super) fn progress(&self) -> String {
        let (_, place) = self.place();
        match self {
            Self::Stream(_) => format!("{{\"version\":{place}}}"),
            Self::Feed(_) => format!("{{\"checkpoint\":\"{place}\"}}"),
        }
    }

    /// Begins to listen whether it grows.
    pub(super) async fn listen(&self) -> Result<Listening, RemoteError> {
        match self {
            Self::Stream(stream) => Ok(Listening(vec![stream.object.remote.follow().await?])),
            Self::Feed(feed) => feed.listen().await,
        }
    }

    /// Waits until there is something that was not read. `false` when no word of it will come any more.
    pub(super) async fn grow(&mut self, listening: &Listening) -> bool {
        match self {
            Self::Stream(stream) => {
                stream.behind = listening.reach(&|_| stream.seen + 1).await.is_some();
                stream.behind
            }
            Self::Feed(feed) => match listening.reach(&|partition| feed.position(partition) + 1).await {
                Some(partition) => feed.has_grown(partition),
                None => false,
            },
        }
    }
}

/// The objects by which one is told that there is more.
pub(super) struct Listening(pub(super) Vec<Nudges>);

impl Listening {
    /// Which of the objects has grown as far as it is waited for. Nothing once one of them has gone.
    async fn reach(&self, end: &dyn Fn(usize) -> u64) -> Option<usize> {
        poll_fn(|context| {
            for (place, nudges) in self.0.iter().enumerate() {
                if let Poll::Ready(reached) = nudges.poll_reach(context, end(place)) {
                    return Poll::Ready(reached.then_some(place));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// A range of a stream.
pub(super) struct StreamSource {
    pub(super) object: Object,
    /// What is to be read next.
    range: RangeValue,
    /// The last version that was passed, in the direction of reading.
    seen: u64,
    behind: bool,
    /// The stream as it was when reading began.
    pub(super) began: Option<EntityTag>,
    /// Whether events that are appended later are to be read.
    live: bool,
}

impl StreamSource {
    /// The range as it is when reading begins.
    pub(super) fn whole(object: Object, range: RangeValue) -> Self {
        Self { object, range, seen: 0, behind: true, began: None, live: false }
    }

    /// The events from a version on, without end.
    pub(super) fn live(object: Object, from: u64, event_type: Option<Scalar>) -> Self {
        let range = RangeValue { from: Some(from.into()), event_type, ..RangeValue::default() };
        let seen = from.saturating_sub(1);
        Self { object, range, seen, behind: true, began: None, live: true }
    }

    async fn advance(&mut self, most: usize) -> Result<Vec<Event>, RemoteError> {
        let range = RangeValue { limit: Some(most.into()), ..self.range.clone() };
        let (page, _) =
            self.object.remote.read(&ReadRequest { stream: self.object.stream.clone(), range }).await?;
        let end = self.began.get_or_insert_with(|| EntityTag::from(&page)).version;
        self.behind = page.next.is_some();
        match page.next {
            Some(next) => {
                self.seen = passed(&next).unwrap_or(self.seen);
                self.range = if self.live {
                    // A follower was promised nothing: it goes on with what is left when something is truncated.
                    RangeValue { complete: None, ..next }
                } else {
                    let to = number(next.to.as_ref()).unwrap_or(u64::MAX).min(end);
                    RangeValue { to: Some(to.into()), ..next }
                };
            }
            None => {
                self.seen = self.seen.max(page.version);
                self.range.from = Some((self.seen + 1).into());
            }
        }
        Ok(events_in(&page.events)?)
    }
}

/// The last version that was passed where this range is next.
fn passed(next: &RangeValue) -> Option<u64> {
    // The direction is there where it is backward.
    match next.direction {
        Some(_) => number(next.to.as_ref())?.checked_add(1),
        None => number(next.from.as_ref())?.checked_sub(1),
    }
}

fn number(value: Option<&Scalar>) -> Option<u64> {
    value.and_then(Scalar::as_u64)
}

/// The events of a page, each on a line of its own.
pub(super) fn events_in(events: &str) -> Result<Vec<Event>, Unreadable> {
    #[derive(Deserialize)]
    struct Placed {
        version: u64,
        checkpoint: Option<String>,
    }
    let events: Vec<&RawValue> = serde_json::from_str(events)?;
    let event = |event: &RawValue| {
        let Placed { version, checkpoint } = serde_json::from_str(event.get())?;
        Ok(Event { id: checkpoint.unwrap_or_else(|| version.to_string()), line: line(event) })
    };
    events.into_iter().map(event).collect()
}

/// An event's JSON as one line. Events are kept as the text they were sent in, which may be broken into lines.
/// Within JSON's strings there is no line break as such, so each that is found is white space.
fn line(event: &RawValue) -> String {
    event.get().replace(['\n', '\r'], " ")
}

/// What an object sent is not what it should be.
#[derive(Debug)]
pub(super) struct Unreadable;

impl From<serde_json::Error> for Unreadable {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

impl From<Unreadable> for RemoteError {
    fn from(_: Unreadable) -> Self {
        Self::unreadable("a page of events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_page() {
        let text =
            "[{\"version\":7,\"data\":{\"version\":1,\r\n\"a\":2}},{\"version\":8,\"checkpoint\":\"9.1\"}]";
        let event = |id: &str, line: &str| Event { id: id.to_owned(), line: line.to_owned() };
        let first = event("7", "{\"version\":7,\"data\":{\"version\":1,  \"a\":2}}");
        let second = event("9.1", "{\"version\":8,\"checkpoint\":\"9.1\"}");
        assert_eq!(events_in(text).unwrap(), [first, second]);
    }
}
