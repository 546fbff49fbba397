//! Attempts that were cut off. They have neither succeeded nor failed, because the running code stopped the whole
//! engine.
//!
//! The machine that began such an attempt is lost with the engine. Code outside of the engine passes the attempt to the
//! next machine. When that machine comes to the event, it counts a failed attempt instead of a new attempt.

use super::attempt::Outcome;
use super::machine::Consumer;
use super::window::Ended;
use crate::gateway::Alarm;
use crate::gateway::turn::jitter;
use crate::handler::feed::FeedEvent;
use crate::store::sqlite::Sql;
use crate::store::{StreamId, Version};

/// An attempt that was cut off.
#[derive(Debug)]
pub(in crate::handler) struct CutOff {
    stream: StreamId,
    version: Version,
    reason: String,
    /// A random number.
    jitter: u32,
}

impl CutOff {
    /// The reason why the attempt at this event was cut off. `None` if it was not.
    pub(in crate::handler) fn reason_of(&self, event: &FeedEvent) -> Option<&str> {
        let is_it = self.version == event.version && self.stream == event.stream;
        is_it.then_some(self.reason.as_str())
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Passes an attempt that was cut off to the machine, once after it was opened. The attempt counts as failed, with
    /// this reason.
    pub fn cut_off(&mut self, stream: StreamId, version: Version, reason: &str, random: u64) {
        let jitter = jitter(random);
        self.cut_off = Some(CutOff { stream, version, reason: reason.to_owned(), jitter });
    }

    /// Takes the attempt that was cut off, if it was an attempt at the event at the front and is not counted yet.
    pub(in crate::handler) fn take_cut_off(&mut self) -> Option<Ended> {
        let front = self.hand.as_ref()?.front()?;
        let CutOff { reason, jitter, .. } =
            self.cut_off.take_if(|cut_off| cut_off.reason_of(front).is_some())?;
        Some(Ended { outcome: Outcome::failed(reason), jitter, shared: false })
    }
}
