//! The reactors of a store, and whose turn it is to run the consumers.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use sillok::handler::ConsumerName;

use crate::error::SqliteError;
use crate::reactor::React;

/// The reactors by their names, and the thread that runs the consumers now.
#[derive(Default)]
pub(crate) struct Reactors {
    reactors: Mutex<Vec<(ConsumerName, React)>>,
    runner: Mutex<Option<ThreadId>>,
    free: Condvar,
}

impl std::fmt::Debug for Reactors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reactors").finish_non_exhaustive()
    }
}

/// The right to run the consumers. It ends when it is dropped.
pub(crate) struct Turn<'a>(&'a Reactors);

impl Reactors {
    pub(crate) fn add(&self, name: ConsumerName, react: React) {
        locked(&self.reactors).push((name, react));
    }

    pub(crate) fn named(&self, name: &ConsumerName) -> Option<React> {
        let reactors = locked(&self.reactors);
        reactors.iter().find(|(known, _)| known == name).map(|(_, react)| React::clone(react))
    }

    /// Waits until no other thread runs the consumers.
    ///
    /// # Errors
    /// [`SqliteError::InsideHandler`] if this thread runs them: a reactor has made the call.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, SqliteError> {
        let own = thread::current().id();
        let mut runner = locked(&self.runner);
        if *runner == Some(own) {
            return Err(SqliteError::InsideHandler);
        }
        while runner.is_some() {
            runner = self.free.wait(runner).unwrap_or_else(PoisonError::into_inner);
        }
        *runner = Some(own);
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *locked(&self.0.runner) = None;
        self.0.free.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
