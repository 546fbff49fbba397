//! Rounds: consumers that are called together, and what follows once each is awake or left to the alarm.

use crate::gateway::turn::CallId;
use crate::handler::ConsumerName;
use crate::store::{StorageError, Version};

/// Consumers that were called and have not answered.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) called: Vec<(CallId, ConsumerName)>,
    pub(super) purpose: Purpose,
    /// An error where the alarm could not be set for one that did not answer.
    pub(super) outcome: Result<(), StorageError>,
}

/// What a round is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// These forwards were recorded, and are to be answered.
    Recorded(Vec<(CallId, Version)>),
    /// The alarm rang.
    Alarm,
    /// The alarm should have rung.
    LostAlarm,
}

impl Round {
    /// Whether this is a call of the round.
    pub(super) fn has_called(&self, call: CallId) -> bool {
        self.called.iter().any(|(called, _)| *called == call)
    }

    pub(super) fn of(purpose: Purpose) -> Self {
        Self { called: Vec::new(), purpose, outcome: Ok(()) }
    }
}
