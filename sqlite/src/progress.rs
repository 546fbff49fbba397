//! What a step of work has come to.

use sillok::handler::Delivery;
use sillok::store::RecordedTime;

/// What a step of a consumer, or of the timers and sent commands, has come to.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There may be more to do.
    Worked,
    /// A reactor must handle this event.
    Deliver(Delivery),
    /// There is nothing to do before this time.
    Until(RecordedTime),
    /// There is nothing to do.
    Idle,
}
