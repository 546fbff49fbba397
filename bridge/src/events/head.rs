//! The head of a stream.

use serde::Serialize;
use sillok::store::{Head, StreamId};

use crate::clock::rfc3339;

/// The head of a stream, as JSON and as a JavaScript object: `{"stream","version","firstVersion","time","deleted"}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadJson {
    stream: String,
    version: u64,
    first_version: u64,
    time: Option<String>,
    deleted: bool,
}

crate::message!(HeadJson {
    stream: "stream",
    version: "version",
    first_version: "firstVersion",
    time: "time",
    deleted: "deleted",
});

impl HeadJson {
    /// The head of `stream`. A stream that never had an event has no time.
    #[must_use]
    pub fn new(stream: &StreamId, head: &Head) -> Self {
        Self {
            stream: stream.as_str().to_owned(),
            version: head.version.get(),
            first_version: head.first_version().get(),
            time: (!head.version.is_empty()).then(|| rfc3339(head.time)),
            deleted: head.deleted,
        }
    }
}
