//! A run: what a consumer waits for between two turns.

use crate::gateway::{CallId, Due};
use crate::store::{RecordedTime, StorageError};

/// A run that waits longer than this is taken for lost, in milliseconds. An attempt has its own time besides.
const LOST_MILLIS: u64 = 30_000;

/// What a run waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nothing: it is at work in this turn.
    Nothing,
    /// The time for which the alarm is set.
    Alarm(CallId),
    /// A page of the feed.
    Page(CallId),
    /// The page in hand is applied within this turn.
    Projection,
    /// Other requests have their turn.
    Turn(CallId),
    /// The ends of attempts: each with the ids of its deliveries, and the time that it may take, in milliseconds.
    Deliveries(Vec<(CallId, Vec<String>, u64)>),
}

/// A run that is under way.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) waits: Waits,
    /// When it is taken for lost.
    lost_at: Due,
    /// Why what came of a delivery could not be stored.
    pub(super) failed: Option<StorageError>,
}

impl Run {
    pub(super) fn new(now: RecordedTime) -> Self {
        let mut run = Self { waits: Waits::Nothing, lost_at: Due::new(now, 0), failed: None };
        run.wait_for(Waits::Nothing, now, 0);
        run
    }

    /// Waits for this, which may take so many milliseconds.
    pub(super) fn wait_for(&mut self, waits: Waits, now: RecordedTime, millis: u64) {
        let longest = millis.saturating_add(LOST_MILLIS);
        self.waits = waits;
        self.lost_at = Due::new(now.later(longest), longest);
    }

    pub(super) fn is_lost(&self, now: RecordedTime) -> bool {
        self.lost_at.is_reached(now)
    }

    /// Whether attempts are under way.
    pub(super) fn is_delivering(&self) -> bool {
        matches!(&self.waits, Waits::Deliveries(under_way) if !under_way.is_empty())
    }

    /// Takes the attempt of this call: it has ended.
    pub(super) fn ended(&mut self, call: CallId) -> Option<(Vec<String>, u64)> {
        let Waits::Deliveries(under_way) = &mut self.waits else { return None };
        let at = under_way.iter().position(|(under_way, ..)| *under_way == call)?;
        let (_, ids, millis) = under_way.swap_remove(at);
        Some((ids, millis))
    }
}
