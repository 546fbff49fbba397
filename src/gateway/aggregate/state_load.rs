//! Loading the state of an earlier version or time.

use super::command_error::CommandError;
use super::commands::Step;
use super::loading::{self, Place, StateAt};
use crate::handler::Behaviour;
use crate::store::{DecisionLog, EventStore, Head, JsonText, ReadError, StreamId, Version};

/// Loads the state of an aggregate at a version or a time, page by page. It uses a snapshot of that version or of an
/// earlier one, and stores none.
pub struct StateLoad {
    behaviour: Box<dyn Behaviour>,
    wanted: StateAt,
    /// The place of the state, and the version where the load ends.
    at: Option<(Place, Version)>,
}

impl std::fmt::Debug for StateLoad {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StateLoad").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl StateLoad {
    /// The state at this version or time, by this code. The code must have no other state.
    #[must_use]
    pub fn new(behaviour: Box<dyn Behaviour>, wanted: StateAt) -> Self {
        Self { behaviour, wanted, at: None }
    }

    /// Folds one page of events. Returns the version of the state, after the last page.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn load<L: DecisionLog>(
        &mut self,
        store: &EventStore<L>,
        stream: &StreamId,
    ) -> Result<Step<Version>, CommandError> {
        store.log().reading(|log| self.load_page(log, stream))
    }

    fn load_page<L: DecisionLog>(
        &mut self,
        log: &L,
        stream: &StreamId,
    ) -> Result<Step<Version>, CommandError> {
        let (place, end) = match self.at {
            Some(at) => at,
            None => self.begin(log, stream, &log.head(stream)?)?,
        };
        let place = match loading::fold_page(log, &mut *self.behaviour, stream, place, end) {
            // The stream was truncated between two pages.
            Err(CommandError::Unreadable(ReadError::StreamTruncated { stream, first_version })) => {
                return Err(CommandError::StateUnavailable { stream, first_version });
            }
            folded => folded?,
        };
        self.at = Some((place, end));
        Ok(if place.version < end { Step::More } else { Step::Done(place.version) })
    }

    fn begin<L: DecisionLog>(
        &mut self,
        log: &L,
        stream: &StreamId,
        head: &Head,
    ) -> Result<(Place, Version), CommandError> {
        head.keeps(stream, None)?;
        let end = loading::last_version(log, stream, head, self.wanted)?;
        if end > head.version {
            return Err(CommandError::BeyondEnd { stream: stream.clone(), actual: head.version });
        }
        let place = loading::begin(log, &mut *self.behaviour, stream, head, end)?;
        Ok((place, end))
    }

    /// The state as JSON, after the last page.
    ///
    /// # Errors
    /// [`CommandError::Code`].
    pub fn state(&mut self) -> Result<JsonText, CommandError> {
        Ok(self.behaviour.state()?)
    }
}
