//! One aggregate: its stream, and the duty to forward its commits to the journal.

mod driver;
mod machine;
mod outbox;

pub use driver::{AggregateDriver, AggregateEffect, AggregateInput, Forget, Forgotten};
pub use machine::{Aggregate, ForgetError};
