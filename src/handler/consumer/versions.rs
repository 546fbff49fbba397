//! The version of a projection's code, and the rebuild that follows on another version.

use super::driver::{ConsumerDriver, ConsumerTurn};
use super::machine::Consumer;
use super::policy::Kind;
use crate::gateway::Alarm;
use crate::handler::stored::state::{FIRST_VERSION, State};
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Whether the machine has not yet run, and the documents were made by code of another version.
    fn is_outdated(&self) -> bool {
        !self.compared && self.has_other_version()
    }

    /// Whether the documents, or those of the rebuild under way, are of this machine's version. The first call begins a
    /// rebuild if they are not. A later call may find that another process with another version has begun one: then
    /// this machine leaves the work to that process.
    pub(super) fn is_current(&mut self, now: RecordedTime) -> Result<bool, StorageError> {
        if self.is_outdated() {
            self.begin_rebuild(now)?;
        }
        self.compared = true;
        Ok(!self.has_other_version())
    }

    /// Stores the version of this state, unless it is stored already.
    pub(super) fn save_version(&self, state: &State) -> Result<(), StorageError> {
        let stored = if self.state.revision == 0 { FIRST_VERSION } else { self.state.version };
        if state.version == stored { Ok(()) } else { self.store().save_version(state.version) }
    }

    fn has_other_version(&self) -> bool {
        self.settings.kind == Kind::Projection && self.state.version != self.settings.version
    }
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// Notes that somebody asks for the consumer. A run begins after this turn if the projection has to rebuild itself.
    pub fn asked(&self, turn: &mut ConsumerTurn<'_>) {
        if self.machine.is_outdated() {
            self.begin(turn);
        }
    }
}
