//! The one alarm that an object has.

use super::due::Due;
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

/// Whether an alarm that is set for `at`, at most `longest` milliseconds ahead, will not ring when it should.
pub(crate) fn is_lost(at: RecordedTime, longest: u64, now: RecordedTime) -> bool {
    Due::new(at, longest).is_lost(OVERDUE_MILLIS, now)
}
