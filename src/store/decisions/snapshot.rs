//! Snapshots: stored states of an aggregate.

use crate::store::events::json_text::JsonText;
use crate::store::proof::hash::CommitHash;
use crate::store::version::Version;

/// The state of an aggregate at a version of its stream. It is a cache: it can be made again from the events, and may be
/// removed at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The code that has made the state: its state version, and the schema versions of its events.
    pub code: Box<str>,
    /// The version of the stream.
    pub version: Version,
    /// The hash of the history up to this version. It binds the snapshot to the events that it was made from.
    pub hash: CommitHash,
    /// The state, as JSON.
    pub state: JsonText,
}
