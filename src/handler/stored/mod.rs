//! The stored parts of a consumer: its state, documents and dead letters, in SQL tables or in memory.

pub(in crate::handler) mod memory;
pub(in crate::handler) mod state;
pub(in crate::handler) mod state_row;
pub(in crate::handler) mod storage;
pub(in crate::handler) mod tables;
