//! The parts that all objects have: a name, a storage, an alarm, followers and calls.

mod call;
mod calls;
mod driving;
pub(crate) mod failures;
mod name;
pub(crate) mod nudges;
mod object_alarm;
mod object_sql;
mod partitions;
mod receipt;

pub(crate) use call::{Answered, Remote, RemoteError, Reply, promise, promised, spawn, turn};
pub(crate) use calls::{Call, Calls, forgotten};
pub(crate) use driving::{Driven, Driving, pause, within};
pub(crate) use name::{ObjectName, Partition};
pub(crate) use nudges::Nudges;
pub(crate) use object_alarm::{ObjectAlarm, armed, rang};
pub(crate) use object_sql::ObjectSql;
pub(crate) use partitions::partitions;
pub(crate) use receipt::{Meter, Receipt};

/// A random number, so that calls that failed together are not repeated at the same time.
pub(crate) fn jitter() -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to 2^32
    let number = (js_sys::Math::random() * f64::from(u32::MAX)) as u64;
    number
}
