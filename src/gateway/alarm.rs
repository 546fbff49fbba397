//! The one alarm that an object has.

use crate::store::{RecordedTime, StorageError};

/// An alarm that has not rung so long after its time is taken for lost, in milliseconds.
const OVERDUE_MILLIS: u64 = 30_000;

/// An object's alarm: kept with its storage, it wakes the object at its time, whatever has happened meanwhile. It may
/// ring late, and more than once.
pub trait Alarm {
    /// Makes durable that the object is woken at `at`, in place of any time set before. What is written to the
    /// storage in the same transaction, or in the same turn, is durable together with it.
    ///
    /// # Errors
    /// [`StorageError`]; the alarm is then as it was.
    fn set(&self, at: RecordedTime) -> Result<(), StorageError>;
}

/// Whether an alarm that is set for `at` should have rung a while ago: platforms have been seen to lose one.
pub(super) fn is_overdue(at: RecordedTime, now: RecordedTime) -> bool {
    at.later(OVERDUE_MILLIS) <= now
}
