//! The journal: the commits of all streams of a partition in one order, and the consumers that it wakes.

mod driver;
mod effects;
mod forward;
mod group;
mod located;
mod log;
mod partition;
mod rounds;
mod table;
mod wakes;

pub use driver::JournalDriver;
pub use effects::{JournalEffect, JournalInput};
pub use forward::Forward;
pub use log::{Journal, RecordError, Recorded};
pub use partition::partition_of;
pub use wakes::Wakes;
