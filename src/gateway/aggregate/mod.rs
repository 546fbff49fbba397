//! One aggregate: its stream, and the duty to forward its commits to the journal.

mod driver;
mod effects;
mod machine;
mod outbox;

pub use driver::AggregateDriver;
pub use effects::{AggregateEffect, AggregateInput, Forget, Forgotten};
pub use machine::{Aggregate, ForgetError};
