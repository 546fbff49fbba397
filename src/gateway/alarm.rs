//! The one alarm of an object.

use super::due::Due;
use crate::store::{RecordedTime, StorageError};

/// An alarm counts as lost if it is overdue by this time, in milliseconds.
const OVERDUE_MILLIS: u64 = 30_000;

/// An object's alarm. It is stored with the object's storage, and it wakes the object at its time, even after a crash.
/// It may ring late, and more than once.
pub trait Alarm {
    /// Sets the alarm to `at`, in place of any earlier setting. It becomes durable together with everything that the
    /// same transaction or the same turn writes to the storage.
    ///
    /// # Errors
    /// [`StorageError`]. The alarm is then unchanged.
    fn set(&self, at: RecordedTime) -> Result<(), StorageError>;
}

/// Whether an alarm was lost. It is set to `at`, and may lie at most `longest` milliseconds ahead.
pub(crate) fn is_lost(at: RecordedTime, longest: u64, now: RecordedTime) -> bool {
    Due::new(at, longest).is_lost(OVERDUE_MILLIS, now)
}
