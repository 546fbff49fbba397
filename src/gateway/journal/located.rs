//! Readers that wait for an event to arrive in the journal.

use crate::gateway::turn::CallId;
use crate::store::{RecordedTime, StreamId, Version};

/// All waiting readers.
#[derive(Debug, Default)]
pub(super) struct Located(Vec<Waiting>);

/// A reader that waits for a version of a stream, until a time.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) call: CallId,
    pub(super) stream: StreamId,
    pub(super) version: Version,
    pub(super) until: RecordedTime,
}

impl Located {
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.0.push(waiting);
    }

    pub(super) fn waits(&self, call: CallId) -> bool {
        self.0.iter().any(|waiting| waiting.call == call)
    }

    /// Takes the readers for which `is_it` returns true.
    pub(super) fn take(&mut self, is_it: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        self.0.extract_if(.., |waiting| is_it(waiting)).collect()
    }
}
