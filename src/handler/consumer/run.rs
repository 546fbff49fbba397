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
    /// The ends of attempts.
    Deliveries(Vec<CallId>),
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

    /// Takes note that an attempt has ended. Says whether it was the last one that the run waited for.
    pub(super) fn has_ended(&mut self, call: CallId) -> bool {
        let Waits::Deliveries(under_way) = &mut self.waits else { return false };
        let before = under_way.len();
        under_way.retain(|under_way| *under_way != call);
        under_way.is_empty() && before > 0
    }
}
