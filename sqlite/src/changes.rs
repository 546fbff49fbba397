//! The wait for changes of a store.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::SqliteError;

/// The time after which a waiting thread looks for the writes of other processes.
const LOOK: Duration = Duration::from_millis(100);

/// The number of writes by this store, and the threads that wait for the next one.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    writes: Mutex<u64>,
    written: Condvar,
}

impl Changes {
    /// Notes a write, or another reason to look again.
    pub(crate) fn note(&self) {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        *writes = writes.wrapping_add(1);
        self.written.notify_all();
    }

    /// Waits until `is_there` returns true. Returns `false` if it does not within this time.
    pub(crate) fn wait(
        &self,
        time: Duration,
        is_there: impl Fn() -> Result<bool, SqliteError>,
    ) -> Result<bool, SqliteError> {
        let began = Instant::now();
        loop {
            // The number is taken before the look, so that no write in between is missed.
            let seen = *self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            if is_there()? {
                return Ok(true);
            }
            let left = time.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            // Another write, the end of the time or a look at the file ends the wait.
            let _ = self.written.wait_timeout_while(writes, left.min(LOOK), |writes| *writes == seen);
        }
    }
}
