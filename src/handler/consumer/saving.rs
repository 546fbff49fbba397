//! How a consumer saves its state: in one transaction with its work.

use super::machine::Consumer;
use super::policy::Kind;
use crate::gateway::Alarm;
use crate::handler::stored::state::State;
use crate::store::StorageError;
use crate::store::sqlite::Sql;

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Runs `work` and saves the state in one transaction. If another process has saved the state meanwhile, nothing is
    /// done, and the machine continues from that process's state.
    pub(in crate::handler) fn commit(
        &mut self,
        work: &mut dyn FnMut(&Self, &mut State) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut state = self.state.clone();
        let mut current = false;
        self.written.take();
        let reported = self.failures.borrow().len();
        let committed = self.store().transaction(&mut || {
            self.failures.borrow_mut().truncate(reported);
            current = self.known && self.store().revision()? == state.revision;
            if current {
                work(self, &mut state)?;
                state.revision += 1;
                let noted = state.kind.replace(self.settings.kind).is_some();
                self.store().save(&state)?;
                if !noted {
                    self.store().save_kind(self.settings.kind)?;
                }
                self.save_version(&state)?;
            }
            Ok(())
        });
        if committed.is_err() || !current {
            self.failures.borrow_mut().truncate(reported);
        }
        committed?;
        if current {
            if self.settings.kind == Kind::Projection {
                self.recent.note(&state, self.written.take());
            }
            self.state = state;
            (self.unsaved, self.passed) = (0, 0);
        } else {
            self.forget();
        }
        Ok(())
    }
}
