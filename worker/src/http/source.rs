//! A source that is read page by page and can be followed: a stream, the feed, or the documents of a projection.

use std::future::poll_fn;
use std::task::Poll;

use sillok::store::{items, members, string_text};
use sillok_bridge::{RangeValue, Scalar};

use super::Object;
use super::documents::DocumentsSource;
use super::feed::Feed;
use super::precondition::EntityTag;
use crate::aggregate::ReadRequest;
use crate::objects::{Nudges, RemoteError};

/// A source, and the place up to which it was read.
pub(super) enum Source {
    Stream(StreamSource),
    Feed(Feed),
    Documents(DocumentsSource),
}

/// An event for a reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The place from which a follower continues after this event: its version or, in the feed, its checkpoint.
    pub(super) id: String,
    /// The JSON of the event, on one line.
    pub(super) line: String,
}

impl Source {
    /// Reads the next page, of at most this number of events, and moves the place. [`is_behind`](Self::is_behind) says whether
    /// there may be more.
    pub(super) async fn advance(&mut self, most: usize) -> Result<Vec<Event>, RemoteError> {
        match self {
            Self::Stream(stream) => stream.advance(most).await,
            Self::Feed(feed) => {
                let (found, _) = feed.advance(most).await?;
                Ok(found.events()?)
            }
            Self::Documents(documents) => documents.advance().await,
        }
    }

    /// Whether there may be unread events.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.behind,
            Self::Feed(feed) => feed.is_behind(),
            Self::Documents(documents) => documents.is_behind(),
        }
    }

    /// The number of passed events, wanted or not, and the place from which to continue after them.
    pub(super) fn place(&self) -> (u64, String) {
        match self {
            Self::Stream(stream) => (stream.seen, stream.seen.to_string()),
            Self::Feed(feed) => feed.place(),
            Self::Documents(documents) => documents.place(),
        }
    }

    /// The progress, as a line of JSON. It is sent if no event carries the place.
    pub(super) fn progress(&self) -> String {
        let (_, place) = self.place();
        match self {
            Self::Stream(_) => format!("{{\"version\":{place}}}"),
            Self::Feed(_) | Self::Documents(_) => format!("{{\"checkpoint\":\"{place}\"}}"),
        }
    }

    /// Starts to listen for new events.
    pub(super) async fn listen(&self) -> Result<Listening, RemoteError> {
        match self {
            Self::Stream(stream) => Ok(Listening(vec![stream.object.remote.follow().await?])),
            Self::Feed(feed) => feed.listen().await,
            Self::Documents(documents) => documents.listen().await,
        }
    }

    /// Waits until there are unread events. Returns `false` if no more messages can come.
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
            Self::Documents(documents) => documents.grow(listening).await,
        }
    }
}

/// The objects that send a message when they have grown.
pub(super) struct Listening(pub(super) Vec<Nudges>);

impl Listening {
    /// Waits for an object that has grown up to its `end`. Returns `None` once one of the objects has gone.
    pub(super) async fn reach(&self, end: &dyn Fn(usize) -> u64) -> Option<usize> {
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
    /// The range that is read next.
    range: RangeValue,
    /// The last passed version, in the direction of the read.
    seen: u64,
    behind: bool,
    /// The entity tag of the stream at the beginning of the read.
    pub(super) began: Option<EntityTag>,
    /// Whether the source also has events that are appended later.
    live: bool,
}

impl StreamSource {
    /// A range that is read once.
    pub(super) fn whole(object: Object, range: RangeValue) -> Self {
        Self { object, range, seen: 0, behind: true, began: None, live: false }
    }

    /// The events from a version, without an end.
    pub(super) fn live(object: Object, from: u64, event_type: Option<Scalar>) -> Self {
        let range = RangeValue { from: Some(from.into()), event_type, ..RangeValue::default() };
        let seen = from.saturating_sub(1);
        Self { object, range, seen, behind: true, began: None, live: true }
    }

    async fn advance(&mut self, most: usize) -> Result<Vec<Event>, RemoteError> {
        let range = RangeValue { limit: Some(most.into()), ..self.range.clone() };
        let (page, _) =
            self.object.remote.read(ReadRequest { stream: self.object.stream.clone(), range }).await?;
        let end = self.began.get_or_insert_with(|| EntityTag::from(&page)).version;
        self.behind = page.next.is_some();
        match page.next {
            Some(next) => {
                self.seen = passed(&next).unwrap_or(self.seen);
                self.range = if self.live {
                    // A follower has no promise of a complete range. After a truncation it continues with the events that are
                    // left.
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

/// The last passed version, if this range is read next.
fn passed(next: &RangeValue) -> Option<u64> {
    // A backward range always has its direction.
    match next.direction {
        Some(_) => number(next.to.as_ref())?.checked_add(1),
        None => number(next.from.as_ref())?.checked_sub(1),
    }
}

fn number(value: Option<&Scalar>) -> Option<u64> {
    value.and_then(Scalar::as_u64)
}

/// Splits the events of a page, each on one line.
pub(super) fn events_in(events: &str) -> Result<Vec<Event>, Unreadable> {
    let event = |event: &str| {
        let [version, checkpoint] = members(event, ["version", "checkpoint"])?;
        let id = match checkpoint {
            Some(checkpoint) => string_text(checkpoint)?.into_owned(),
            None => version?.to_owned(),
        };
        Some(Event { id, line: line(event) })
    };
    let events = items(events).map_err(|_| Unreadable)?;
    events.into_iter().map(|json| event(json).ok_or(Unreadable)).collect()
}

/// The JSON of an event on one line. An event is stored as the caller's text, which may contain line breaks. JSON's strings
/// contain no raw line breaks, so every line break is white space.
fn line(event: &str) -> String {
    event.replace(['\n', '\r'], " ")
}

/// The answer of an object has an unexpected form.
#[derive(Debug)]
pub(super) struct Unreadable;

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
