//! Logs: the port that stores commits, and the log in memory.

pub(crate) mod commit;
pub(crate) mod log;
pub(crate) mod memory;
