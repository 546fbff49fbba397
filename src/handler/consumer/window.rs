//! The window: which events of the hand are delivered at once, and their known outcomes.
//!
//! These rules hold after every failure:
//!
//! - The checkpoint moves with the front of the hand. It moves past an event when the event is done or given up, and
//!   not before.
//! - An outcome of an event behind the front is stored here, in memory, until the front has reached the event. If the
//!   process is lost, the event is delivered again, under the same id.
//! - An event is not offered before all earlier events of its stream in the same hand have succeeded. A batch is an
//!   exception, because it succeeds or fails as one.
//! - No event behind a failed event is offered. The failed event is attempted alone, and then each event that was under
//!   way with it. So the consumer finds the event that makes a batch fail. The failure of a batch does not count as an
//!   attempt at any of its events.

use super::attempt::Outcome;
use super::machine::Consumer;
use super::policy::Window;
use crate::gateway::Alarm;
use crate::handler::feed::{Delivery, FeedEvent, Hand, Next, delivery_id};
use crate::store::sqlite::Sql;
use crate::store::{Position, RecordedTime, StorageError};

/// The most deliveries that are repeated after a crash. A batch may consist of this many. Otherwise half of them may
/// have been done in order, and half out of order.
const MOST_REPEATED: usize = 100;

/// The deliveries under way, and the known outcomes behind the front of the hand.
#[derive(Debug, Default)]
pub(in crate::handler) struct Offers {
    offers: Vec<Offer>,
    /// The number of events that are still to be attempted alone.
    alone: usize,
}

#[derive(Debug)]
struct Offer {
    id: String,
    /// The partition and the position of the event.
    place: (usize, Position),
    /// Whether the delivery is one of several that succeed or fail as one.
    shared: bool,
    ended: Option<Ended>,
}

/// The outcome of a delivery that has ended.
#[derive(Debug)]
pub(in crate::handler) struct Ended {
    pub(in crate::handler) outcome: Outcome,
    /// A random number.
    pub(in crate::handler) jitter: u32,
    /// Whether another event of the batch may have caused the failure.
    pub(in crate::handler) shared: bool,
}

impl Offers {
    /// Stores the outcome of a delivery. Returns `false` if the delivery is not under way.
    pub(in crate::handler) fn note_outcome(&mut self, id: &str, outcome: Outcome, jitter: u32) -> bool {
        let offer = self.offers.iter_mut().find(|offer| offer.id == id && offer.ended.is_none());
        let Some(offer) = offer else { return false };
        offer.ended = Some(Ended { outcome, jitter, shared: offer.shared });
        true
    }

    /// Forgets the deliveries of a partition, except those of these events.
    pub(in crate::handler) fn retain_only(&mut self, partition: usize, events: &[FeedEvent]) {
        let is_there = |position| events.iter().any(|event| event.position == position);
        self.offers.retain(|offer| offer.place.0 != partition || is_there(offer.place.1));
    }

    /// Forgets the failures behind the front, because these events get a new series of attempts.
    pub(in crate::handler) fn forget_failures(&mut self) {
        self.offers.retain(|Offer { ended, .. }| ended.as_ref().is_none_or(|ended| ended.outcome.is_done()));
    }

    /// Counts an event that the checkpoint has passed. A dead letter does not count, because it is always attempted
    /// alone.
    pub(in crate::handler) fn passed(&mut self, hand: &Hand) {
        self.alone = self.alone.saturating_sub(usize::from(hand.letter.is_none()));
    }

    /// Notes that the event at the front has failed. This event, and the events under way with it, are attempted alone.
    pub(in crate::handler) fn failed(&mut self, hand: &Hand) {
        if hand.letter.is_none() {
            self.alone = self.alone.max(self.offers.len() + 1);
        }
    }

    /// Whether the event at this place has succeeded or failed. `None` if its outcome is unknown.
    fn known(&self, place: (usize, Position)) -> Option<bool> {
        let offer = self.offers.iter().find(|offer| offer.place == place)?;
        offer.ended.as_ref().map(|ended| ended.outcome.is_done())
    }

    fn take(&mut self, place: (usize, Position)) -> Option<Ended> {
        let at = self.offers.iter().position(|offer| offer.place == place && offer.ended.is_some())?;
        self.offers.swap_remove(at).ended
    }

    /// Notes the deliveries that are under way from now on. They replace those without an outcome.
    fn offer(&mut self, partition: usize, deliveries: &[Delivery], in_batch: bool) {
        let shared = in_batch && deliveries.len() > 1;
        self.offers.retain(|offer| offer.ended.is_some());
        self.offers.extend(deliveries.iter().map(|Delivery { id, event, .. }| Offer {
            id: id.clone(),
            place: (partition, event.position),
            shared,
            ended: None,
        }));
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Takes the known outcome of the event at the front of the hand.
    pub(in crate::handler) fn take_ended(&mut self) -> Option<Ended> {
        if let Some(cut_off) = self.take_cut_off() {
            return Some(cut_off);
        }
        let hand = self.hand.as_ref()?;
        self.offers.take((hand.partition, hand.front()?.position))
    }

    /// The deliveries of the events in hand: the front, and the events that may be under way together with it.
    pub(in crate::handler) fn offer(&mut self, now: RecordedTime) -> Result<Option<Next>, StorageError> {
        loop {
            self.hold_back(now)?;
            if !self.settle(now)? {
                break;
            }
        }
        let Some(hand) = &self.hand else { return Ok(None) };
        let failures = match (hand.letter, &self.state.round) {
            (Some(_), Some(round)) => round.trouble.failures,
            _ => self.state.track(hand.lane).trouble.failures,
        };
        let (most, in_batch) = match self.settings.window {
            _ if failures > 0 || self.offers.alone > 0 => (1, true),
            Window::Streams(most) => (most.max(1), false),
            Window::Batch(most) => (most.max(1), true),
        };
        let (mut streams, mut deliveries) = (Vec::new(), Vec::new());
        let may_repeat = MOST_REPEATED.saturating_sub(self.unsaved).max(1);
        for event in hand.events.as_slice().iter().take(may_repeat) {
            let known = self.offers.known((hand.partition, event.position));
            if known == Some(true) || (!in_batch && streams.contains(&&event.stream)) {
                continue;
            }
            streams.push(&event.stream);
            // The front was checked before.
            let is_front = deliveries.is_empty();
            let waits = known == Some(false) || (!is_front && self.holds(&self.state, hand, event)?);
            if waits && in_batch {
                break;
            }
            if !waits {
                let id = delivery_id(self.settings.name.as_str(), event);
                let attempt = if is_front { failures + 1 } else { 1 };
                deliveries.push(Delivery { id, event: event.clone(), attempt });
            }
            if deliveries.len() == most {
                break;
            }
        }
        self.offers.offer(hand.partition, &deliveries, in_batch);
        Ok(Some(Next::Deliver(deliveries)))
    }

    /// Whether enough deliveries are done that the durable checkpoint does not contain.
    pub(in crate::handler) fn is_enough_unsaved(&self) -> bool {
        match self.settings.window {
            Window::Streams(_) => self.unsaved >= MOST_REPEATED / 2,
            Window::Batch(_) => self.unsaved >= MOST_REPEATED,
        }
    }
}
