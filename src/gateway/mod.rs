//! What connects stored events to those who must know of them, as machines without any I/O of their own: a call with
//! the time as a value goes in, the machine reads and writes through small ports, and what is to be done comes out.

mod aggregate;
pub(crate) mod alarm;
mod backoff;
mod due;
mod journal;
pub(crate) mod turn;

pub use aggregate::{
    Aggregate, AggregateDriver, AggregateEffect, AggregateInput, Forget, ForgetError, Forgotten,
};
pub use alarm::Alarm;
pub use backoff::backoff;
pub(crate) use backoff::wait;
pub use due::Due;
pub use journal::{
    Forward, Journal, JournalDriver, JournalEffect, JournalInput, RecordError, Recorded, Wakes, partition_of,
};
pub use turn::{CallId, Trouble, Turn};
