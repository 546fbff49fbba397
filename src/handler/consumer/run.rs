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
    /// The ends of attempts. Each has the ids of its deliveries, and the longest time for it, in milliseconds.
    Deliveries(Vec<(CallId, Vec<String>, u64)>),
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

    /// Removes the attempt of this call, because it has ended.
    pub(super) fn ended(&mut self, call: CallId) -> Option<(Vec<String>, u64)> {
        let Waits::Deliveries(under_way) = &mut self.waits else { return None };
        let at = under_way.iter().position(|(under_way, ..)| *under_way == call)?;
        let (_, ids, millis) = under_way.swap_remove(at);
        Some((ids, millis))
    }
}
