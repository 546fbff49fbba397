//! What passes between a consumer and whoever runs it.

use std::vec;

use sha2::{Digest, Sha256};

use crate::store::{
    Cause, EventId, EventType, IdempotencyKey, InvalidIdempotencyKey, KeyOrigin, Position, RecordedTime,
    StreamId, Version, members,
};

/// Bytes of the hash of which a delivery's id is made.
const ID_BYTES: usize = 16;

/// An event as the feed gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Its place in its partition of the feed.
    pub position: Position,
    /// The stream that holds it.
    pub stream: StreamId,
    /// Its place in its stream.
    pub version: Version,
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// The whole event as it stands on the wire.
    pub json: String,
}

/// Which of a consumer's two ways through the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What keeps up with the feed.
    Live,
    /// What builds the documents of a projection anew.
    Rebuild,
}

/// A page of the feed that a consumer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The partition to read.
    pub partition: usize,
    /// The position after which to read.
    pub after: Position,
    /// What the page is for.
    pub lane: Lane,
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// What was asked for.
    pub read: Read,
    /// The events that the consumer wants, in the order of their positions, each after `read.after` and not after `after`.
    pub events: Vec<FeedEvent>,
    /// The position up to which everything was looked at, also where nothing was found.
    pub after: Position,
    /// Whether there was more beyond.
    pub more: bool,
}

/// What a consumer wants next of whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Read this page of the feed and call `took`, or `missed` where it cannot be read.
    Read(Read),
    /// Call `project`.
    Project,
    /// Deliver these, as the [`Window`](super::Window) allows one or several, and call `delivered` for each, in whatever
    /// order. Those that are not told by the next call of `next` are offered again.
    Deliver(Vec<Delivery>),
    /// Some rows of old documents were removed, or some dead letters were looked at: call `next` again, after others had their
    /// turn.
    Tidied,
    /// There is nothing to do before this time. The alarm is set to it.
    Wait {
        /// When to call `next` again.
        until: RecordedTime,
    },
    /// There is nothing to do until the consumer is woken.
    Idle,
    /// Nothing is done until the consumer is resumed.
    Paused,
    /// Nothing is done until the consumer is resumed: it stands before an event that failed.
    Stopped,
}

/// One attempt at one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The same for every attempt of this consumer at this event, and for no other event: 32 hexadecimal digits.
    pub id: String,
    /// The event.
    pub event: FeedEvent,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
}

impl Delivery {
    /// The idempotency key under which a reactor sends its command number `n` on this event, so that the command takes
    /// effect once however often the event is delivered.
    ///
    /// ```
    /// use sillok::handler::{Delivery, FeedEvent};
    /// use sillok::store::{EventId, EventType, KeyOrigin, Position, StreamId, Version};
    ///
    /// let event = FeedEvent {
    ///     position: Position::START.after(1).unwrap_or_default(),
    ///     stream: StreamId::new("account-42")?,
    ///     version: Version::FIRST,
    ///     id: EventId::default(),
    ///     event_type: EventType::new("Opened")?,
    ///     json: "{}".to_owned(),
    /// };
    /// let delivery = Delivery { id: "0f".repeat(16), event, attempt: 1 };
    /// let key = delivery.command_key(0)?;
    /// assert_eq!(key.as_str(), "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f:0");
    /// assert_eq!(key.origin(), KeyOrigin::Reactor);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] where the delivery has an id that no consumer gives.
    pub fn command_key(&self, n: u32) -> Result<IdempotencyKey, InvalidIdempotencyKey> {
        IdempotencyKey::of(KeyOrigin::Reactor, &format!("{}:{n}", self.id))
    }

    /// What a reactor's commands on this event are caused by.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let metadata = members(&self.event.json, ["metadata"]).and_then(|[metadata]| metadata);
        let metadata = metadata.unwrap_or("{}");
        Cause::new(self.event.id.clone(), metadata)
    }
}

/// The id of a consumer's deliveries of an event: a hash, so that it fits into any header however names are written. It
/// covers the event's place, since a writer may give the same id to events of two streams.
pub(super) fn delivery_id(consumer: &str, event: &FeedEvent) -> String {
    let (stream, id) = (event.stream.as_str(), event.id.as_str());
    let text = [consumer, stream, &event.version.get().to_string(), id].join("\n");
    let hash = Sha256::digest(text);
    let digit = |digit: u8| char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    let mut id = String::with_capacity(2 * ID_BYTES);
    for byte in hash.iter().take(ID_BYTES) {
        id.push(digit(byte >> 4));
        id.push(digit(byte & 15));
    }
    id
}

/// The events that a consumer is at work on: the rest of a page, or one dead letter.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) lane: Lane,
    pub(super) partition: usize,
    pub(super) events: vec::IntoIter<FeedEvent>,
    /// Where the lane is in the partition once all events are done.
    pub(super) after: Position,
    /// The dead letter that the only event is.
    pub(super) letter: Option<u64>,
}

impl Hand {
    /// The event that is next.
    pub(super) fn front(&self) -> Option<&FeedEvent> {
        self.events.as_slice().first()
    }
}
