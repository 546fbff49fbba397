//! What an aggregate stores beside its commits: the outcomes of commands, pending commands, and snapshots of its state.

pub(crate) mod log;
pub(crate) mod memory;
pub(crate) mod outcome;
pub(crate) mod pending;
pub(crate) mod snapshot;
