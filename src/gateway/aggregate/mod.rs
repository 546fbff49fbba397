//! One aggregate: its stream, and the duty to forward its commits to the journal.

mod agenda;
mod command_error;
mod commands;
mod driver;
mod due_commands;
mod effects;
mod executed;
mod executing;
mod loading;
mod machine;
mod operating;
mod outbox;
mod pending;
mod pending_changes;
mod pursuit;
mod snapshots;
mod state_load;

pub use command_error::CommandError;
pub use commands::{Commands, Step};
pub use driver::AggregateDriver;
pub use due_commands::{DueCommands, DueWork};
pub use effects::{AggregateEffect, AggregateInput, Forget, Forgotten, PendingFailure};
pub use executed::Executed;
pub use loading::StateAt;
pub use machine::{Aggregate, ForgetError};
pub use operating::{cancel_pending, reject_sent, retry_pending};
pub use pending::{FailedAttempt, Sending, SentWork, note_failure, sent_work};
pub use snapshots::SnapshotStatus;
pub use state_load::StateLoad;
