//! One aggregate: its stream, and the duty to forward what it stores to the journal.

mod machine;
mod outbox;

pub use machine::{Aggregate, ForgetError};
