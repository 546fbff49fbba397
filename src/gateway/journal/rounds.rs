//! Rounds. A round calls several consumers, and ends when each of them is awake or waits for the alarm.

use crate::gateway::turn::CallId;
use crate::handler::ConsumerName;
use crate::store::{StorageError, Version};

/// A round: the consumers that were called and have not answered yet.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) called: Vec<(CallId, ConsumerName)>,
    pub(super) purpose: Purpose,
    /// An error if the alarm could not be set for a consumer that did not answer.
    pub(super) outcome: Result<(), StorageError>,
}

/// The cause of a round, which decides what follows it.
#[derive(Debug)]
pub(super) enum Purpose {
    /// These forwards were recorded. The journal answers them after the round.
    Recorded(Vec<(CallId, Version)>),
    /// The alarm rang.
    Alarm,
    /// The alarm was lost.
    LostAlarm,
}

impl Round {
    /// Takes the consumer of this call.
    pub(super) fn take(&mut self, call: CallId) -> Option<ConsumerName> {
        let at = self.called.iter().position(|(called, _)| *called == call)?;
        Some(self.called.swap_remove(at).1)
    }

    pub(super) fn of(purpose: Purpose) -> Self {
        Self { called: Vec::new(), purpose, outcome: Ok(()) }
    }
}
