//! The journal: the commits of all streams of a partition in one order, and the consumers that it wakes.

mod forward;
mod group;
mod log;
mod partition;
mod table;
mod wakes;

pub use forward::Forward;
pub use log::{Journal, RecordError, Recorded};
pub use partition::partition_of;
pub use wakes::Wakes;
