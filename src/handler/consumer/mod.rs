//! The machine of a consumer: its reads, deliveries and dead letters, and the operations of administrators.

pub(in crate::handler) mod attempt;
mod changing;
pub(in crate::handler) mod consumer_name;
pub(in crate::handler) mod cut_off;
pub(in crate::handler) mod dead_letters;
pub(in crate::handler) mod defining;
pub(in crate::handler) mod driver;
pub(in crate::handler) mod duty;
pub(in crate::handler) mod effects;
pub(in crate::handler) mod failures;
pub(in crate::handler) mod following;
pub(in crate::handler) mod machine;
pub(in crate::handler) mod operate;
pub(in crate::handler) mod operation;
pub(in crate::handler) mod outcome;
pub(in crate::handler) mod policy;
pub(in crate::handler) mod round;
mod run;
mod saving;
pub(in crate::handler) mod status;
mod versions;
mod waiting;
pub(in crate::handler) mod window;
