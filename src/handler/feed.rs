//! The values that pass between a consumer and its object.

use std::vec;

use sha2::{Digest, Sha256};

use crate::store::{
    Cause, EventId, EventType, FeedEventView, IdempotencyKey, InvalidIdempotencyKey, KeyOrigin, Position,
    RecordedTime, StreamId, Version, members,
};

/// The bytes of the hash that make the id of a delivery.
const ID_BYTES: usize = 16;

/// An event of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// The position of the event in its partition.
    pub position: Position,
    /// The stream of the event.
    pub stream: StreamId,
    /// The place of the event in its stream.
    pub version: Version,
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// The whole event as JSON, in its form on the wire.
    pub json: String,
}

impl FeedEvent {
    /// An event of the feed with its JSON. `None` if one of its names is not valid. Stored names were checked when they were
    /// written.
    #[must_use]
    pub fn of(found: &FeedEventView<'_>, json: String) -> Option<Self> {
        Some(Self {
            position: found.position,
            stream: StreamId::new(found.stream).ok()?,
            version: found.event.version,
            id: EventId::new(found.event.id).ok()?,
            event_type: EventType::new(found.event.event_type).ok()?,
            json,
        })
    }
}

/// A consumer's way through the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The lane that follows the feed.
    Live,
    /// The lane that rebuilds the documents of a projection.
    Rebuild,
}

/// A page of the feed that a consumer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The partition to read.
    pub partition: usize,
    /// The position after which to read.
    pub after: Position,
    /// The lane that needs the page.
    pub lane: Lane,
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The request for this page.
    pub read: Read,
    /// The events that the consumer wants, in the order of their positions. Each is after `read.after` and at or before
    /// `after`.
    pub events: Vec<FeedEvent>,
    /// The position up to which the page looked at events, even if it found none.
    pub after: Position,
    /// Whether there are more events after the page.
    pub more: bool,
}

/// The next step that a consumer asks its object to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Read this page of the feed. Then call `take_page`, or `missed` if the page cannot be read.
    Read(Read),
    /// Call `project`.
    Project,
    /// Deliver these events. The [`Window`](super::Window) decides how many they are. Call `delivered` for each, in any
    /// order. Deliveries without an outcome at the next call of `next` are offered again.
    Deliver(Vec<Delivery>),
    /// Some old rows were removed, or some dead letters were checked. Call `next` again after other requests had their
    /// turn.
    Tidied,
    /// There is nothing to do before this time. The alarm is set to it.
    Wait {
        /// The time at which to call `next` again.
        until: RecordedTime,
    },
    /// There is nothing to do until the consumer is woken.
    Idle,
    /// The consumer is paused. It does nothing until it is resumed.
    Paused,
    /// The consumer is stopped in front of an event that failed. It does nothing until it is resumed.
    Stopped,
}

/// One attempt at one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The id of the delivery: 32 hexadecimal digits. It is the same for every attempt of this consumer at this event,
    /// and different for every other event.
    pub id: String,
    /// The event.
    pub event: FeedEvent,
    /// The number of this attempt, counted from 1.
    pub attempt: u32,
}

impl Delivery {
    /// The idempotency key for a reactor's command number `n` on this event. With it the command takes effect once,
    /// even if the event is delivered again.
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
    /// [`InvalidIdempotencyKey`] if the delivery has an id that no consumer makes.
    pub fn command_key(&self, n: u32) -> Result<IdempotencyKey, InvalidIdempotencyKey> {
        IdempotencyKey::of(KeyOrigin::Reactor, &format!("{}:{n}", self.id))
    }

    /// The id of the event as an input of a process. Its outcome is remembered as long as the instance, because a consumer that is
    /// rebuilt or set back delivers the event again.
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] if the delivery has an id that no consumer makes.
    pub fn input_id(&self) -> Result<IdempotencyKey, InvalidIdempotencyKey> {
        IdempotencyKey::of(KeyOrigin::Process, &self.id)
    }

    /// The cause of a reactor's commands on this event.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let metadata = members(&self.event.json, ["metadata"]).and_then(|[metadata]| metadata);
        let metadata = metadata.unwrap_or("{}");
        Cause::new(self.event.id.clone(), metadata)
    }
}

/// The id of a consumer's deliveries of an event. It is a hash, so it fits into any header, whatever names contain. The
/// hash covers the event's place, because writers may give the same id to events of two streams.
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

/// The events that a consumer works on: the rest of a page, or one dead letter.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) lane: Lane,
    pub(super) partition: usize,
    pub(super) events: vec::IntoIter<FeedEvent>,
    /// The position of the lane in the partition after all these events.
    pub(super) after: Position,
    /// The id of the dead letter, if the only event is one.
    pub(super) letter: Option<u64>,
}

impl Hand {
    /// The next event.
    pub(super) fn front(&self) -> Option<&FeedEvent> {
        self.events.as_slice().first()
    }
}
