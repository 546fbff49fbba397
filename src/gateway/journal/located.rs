//! Readers that wait for an event to arrive in the journal.

use crate::gateway::turn::CallId;
use crate::store::{StreamId, Version};

/// All waiting readers.
#[derive(Debug, Default)]
pub(super) struct Located(Vec<Waiting>);

/// One that waits for a version of a stream.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) call: CallId,
    pub(super) stream: StreamId,
    pub(super) version: Version,
}

impl Located {
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.0.push(waiting);
    }

    pub(super) fn waits(&self, call: CallId) -> bool {
        self.0.iter().any(|waiting| waiting.call == call)
    }

    /// Takes the one of this call.
    pub(super) fn take(&mut self, call: CallId) -> Option<Waiting> {
        let at = self.0.iter().position(|waiting| waiting.call == call)?;
        Some(self.0.swap_remove(at))
    }

    /// The calls that wait for streams of which this is true.
    pub(super) fn of_streams(&self, is_it: impl Fn(&StreamId) -> bool) -> Vec<CallId> {
        self.0.iter().filter(|waiting| is_it(&waiting.stream)).map(|waiting| waiting.call).collect()
    }
}
