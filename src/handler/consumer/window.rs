//! Which events of the hand are delivered at once, and what is known of them.
//!
//! What holds, whatever fails:
//!
//! - The checkpoint goes with the front of the hand: past an event when that one is done or given up, and not before.
//! - What came of an event behind the front is kept here until the front has come to it. It is lost with the process;
//!   the event is then delivered again, under the same id.
//! - No event is offered while an earlier one of its stream, in the same hand, has not succeeded; but for a batch, which
//!   succeeds or fails as one.
//! - Behind an event that has failed nothing is offered: it is attempted alone, and then those alone that were under way
//!   with it, so that what spoils a batch is found. That a batch failed is no attempt at any one of its events.

use super::attempt::Outcome;
use super::machine::Consumer;
use super::policy::Window;
use crate::gateway::Alarm;
use crate::handler::feed::{Delivery, FeedEvent, Hand, Next, delivery_id};
use crate::store::sqlite::Sql;
use crate::store::{Position, RecordedTime, StorageError};

/// So many deliveries at most are repeated after a crash. Of a batch all may be; otherwise half of them may have been done
/// in their order, and half have run ahead.
const MOST_REPEATED: usize = 100;

/// The deliveries that are under way, and those of which more is known than the front of the hand has come to.
#[derive(Debug, Default)]
pub(in crate::handler) struct Offers {
    offers: Vec<Offer>,
    /// So many events are attempted alone.
    alone: usize,
}

#[derive(Debug)]
struct Offer {
    id: String,
    /// The partition and the position of the event.
    place: (usize, Position),
    /// Whether it is one of several that succeed or fail as one.
    shared: bool,
    told: Option<Told>,
}

/// What came of a delivery.
#[derive(Debug)]
pub(in crate::handler) struct Told {
    pub(in crate::handler) outcome: Outcome,
    /// Any number, drawn anew each time.
    pub(in crate::handler) jitter: u32,
    /// Whether it may have failed by the fault of others.
    pub(in crate::handler) shared: bool,
}

impl Offers {
    /// Keeps what came of a delivery; `false` where it is not under way.
    pub(in crate::handler) fn tell(&mut self, id: &str, outcome: Outcome, jitter: u32) -> bool {
        let offer = self.offers.iter_mut().find(|offer| offer.id == id && offer.told.is_none());
        let Some(offer) = offer else { return false };
        offer.told = Some(Told { outcome, jitter, shared: offer.shared });
        true
    }

    /// Forgets the deliveries of a partition but for those of these events.
    pub(in crate::handler) fn keep_of(&mut self, partition: usize, events: &[FeedEvent]) {
        let is_there = |position| events.iter().any(|event| event.position == position);
        self.offers.retain(|offer| offer.place.0 != partition || is_there(offer.place.1));
    }

    /// Forgets what has failed behind the front, which is to have a new series of attempts.
    pub(in crate::handler) fn forgive(&mut self) {
        self.offers.retain(|Offer { told, .. }| told.as_ref().is_none_or(|told| told.outcome.is_done()));
    }

    /// The event at the front is behind the consumer. A letter was attempted alone anyway.
    pub(in crate::handler) fn passed(&mut self, hand: &Hand) {
        self.alone = self.alone.saturating_sub(usize::from(hand.letter.is_none()));
    }

    /// The event at the front has failed.
    pub(in crate::handler) fn failed(&mut self, hand: &Hand) {
        if hand.letter.is_none() {
            self.alone = self.alone.max(self.offers.len() + 1);
        }
    }

    /// Whether the event at this place has succeeded or failed, where it is known.
    fn known(&self, place: (usize, Position)) -> Option<bool> {
        let offer = self.offers.iter().find(|offer| offer.place == place)?;
        offer.told.as_ref().map(|told| told.outcome.is_done())
    }

    fn take(&mut self, place: (usize, Position)) -> Option<Told> {
        let at = self.offers.iter().position(|offer| offer.place == place && offer.told.is_some())?;
        self.offers.swap_remove(at).told
    }

    /// Takes note of what is under way from now on, in place of what was and was not told.
    fn offer(&mut self, partition: usize, deliveries: &[Delivery], in_batch: bool) {
        let shared = in_batch && deliveries.len() > 1;
        self.offers.retain(|offer| offer.told.is_some());
        self.offers.extend(deliveries.iter().map(|Delivery { id, event, .. }| Offer {
            id: id.clone(),
            place: (partition, event.position),
            shared,
            told: None,
        }));
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// What is known of the event at the front of the hand.
    pub(in crate::handler) fn told(&mut self) -> Option<Told> {
        if let Some(cut_off) = self.take_cut_off() {
            return Some(cut_off);
        }
        let hand = self.hand.as_ref()?;
        self.offers.take((hand.partition, hand.front()?.position))
    }

    /// What is to be delivered of the events in hand: the front, and what may be under way together with it.
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
            // The front was looked at already.
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

    /// Whether so many deliveries that only this process knows of are enough.
    pub(in crate::handler) fn is_enough_unsaved(&self) -> bool {
        match self.settings.window {
            Window::Streams(_) => self.unsaved >= MOST_REPEATED / 2,
            Window::Batch(_) => self.unsaved >= MOST_REPEATED,
        }
    }
}
