//! A run, and what it waits for between two turns.

use crate::gateway::{CallId, Due};
use crate::store::{RecordedTime, StorageError};

/// A run that waits longer than this counts as lost, in milliseconds. The time of an attempt is added to it.
const LOST_MILLIS: u64 = 30_000;

/// The answer that a run waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nothing: the run works in this turn.
    Nothing,
    /// The time of the alarm.
    Alarm(CallId),
    /// A page of the feed.
    Page(CallId),
    /// The end of `project`, within this turn.
    Projection,
    /// The turn of other requests.
    Turn(CallId),
    /// The ends of attempts.
    Deliveries(Vec<CallId>),
}

/// A run that is under way.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) waits: Waits,
    /// The time at which the run counts as lost.
    lost_at: Due,
    /// The error of the storage when an outcome was stored, if there was one.
    pub(super) failed: Option<StorageError>,
}

impl Run {
    pub(super) fn new(now: RecordedTime) -> Self {
        let mut run = Self { waits: Waits::Nothing, lost_at: Due::new(now, 0), failed: None };
        run.wait_for(Waits::Nothing, now, 0);
        run
    }

    /// Starts a wait, which may take this number of milliseconds.
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
