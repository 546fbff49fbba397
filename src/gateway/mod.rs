//! The machines that connect stored events with the journal and its consumers. They have no I/O of their own. A caller
//! passes a call and the time as values. The machine reads and writes through small ports, and returns the effects to
//! carry out.

mod aggregate;
pub(crate) mod alarm;
mod backoff;
mod due;
mod journal;
pub(crate) mod turn;

pub use aggregate::{
    Aggregate, AggregateDriver, AggregateEffect, AggregateInput, CommandError, Commands, DueCommands,
    DueWork, Executed, FailedAttempt, Forget, ForgetError, Forgotten, PendingFailure, Sending, SentWork,
    SnapshotStatus, StateAt, StateLoad, Step, cancel_pending, note_failure, reject_sent, retry_pending,
    sent_work,
};
pub use alarm::Alarm;
pub use backoff::backoff;
pub(crate) use backoff::wait;
pub use due::Due;
pub use journal::{
    Forward, Journal, JournalDriver, JournalEffect, JournalInput, RecordError, Recorded, Wakes, partition_of,
};
pub use turn::{CallId, Trouble, Turn};
