//! Aggregates whose code is JavaScript: their commands, states and outcomes.

mod command;
mod decided;
mod executed;
mod js_behaviour;
mod pending;
mod rejection;

pub use command::{event_input, parse_command, parse_json};
pub use executed::{ExecutedJson, StateJson};
pub use js_behaviour::{JsBehaviour, ScriptedBehaviour};
pub use pending::{PendingPage, SECRET_FAULT, read_pending};
pub use rejection::parse_rejection;
