//! One aggregate: its stream, and the duty to forward what it stores to the journal.

mod driver;
mod machine;
mod outbox;

pub use driver::{AggregateDriver, AggregateEffect, AggregateInput, Forget, Forgotten};
pub use machine::{Aggregate, ForgetError};
