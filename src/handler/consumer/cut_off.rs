//! Attempts that ended by neither success nor error: the code that was at work took the whole engine down.
//!
//! The machine that began such an attempt is lost with the engine. Whoever has outlived it tells the next machine, and that
//! one counts a failed attempt like any other when it comes to the event, in place of another attempt.

use super::attempt::Outcome;
use super::machine::Consumer;
use super::window::Told;
use crate::gateway::Alarm;
use crate::handler::feed::FeedEvent;
use crate::store::sqlite::Sql;
use crate::store::{StreamId, Version};

/// An attempt that was cut off.
#[derive(Debug)]
pub(in crate::handler) struct CutOff {
    stream: StreamId,
    version: Version,
    reason: String,
    /// Any number, drawn anew each time.
    jitter: u32,
}

impl CutOff {
    /// Why the attempt at this event was cut off, if it was.
    pub(in crate::handler) fn reason_of(&self, event: &FeedEvent) -> Option<&str> {
        let is_it = self.version == event.version && self.stream == event.stream;
        is_it.then_some(self.reason.as_str())
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Tells the machine, once after it was opened, that the last attempt at an event was cut off, for this reason: the
    /// attempt has failed. `jitter` is any number, drawn anew each time.
    pub fn cut_off(&mut self, stream: StreamId, version: Version, reason: &str, jitter: u32) {
        self.cut_off = Some(CutOff { stream, version, reason: reason.to_owned(), jitter });
    }

    /// What came of the delivery of the event at the front where it was cut off, and that is not counted yet.
    pub(in crate::handler) fn take_cut_off(&mut self) -> Option<Told> {
        let front = self.hand.as_ref()?.front()?;
        let CutOff { reason, jitter, .. } =
            self.cut_off.take_if(|cut_off| cut_off.reason_of(front).is_some())?;
        Some(Told { outcome: Outcome::failed(reason), jitter, shared: false })
    }
}
