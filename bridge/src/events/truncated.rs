//! The result of a truncation.

use serde::Serialize;
use sillok::store::{StreamId, Truncated};

/// The result of a truncation, as JSON and as a JavaScript object: `{"stream","firstVersion","version"}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruncatedJson {
    stream: String,
    first_version: u64,
    version: u64,
}

crate::message!(TruncatedJson { stream: "stream", first_version: "firstVersion", version: "version" });

impl TruncatedJson {
    /// The result of a truncation of `stream`.
    #[must_use]
    pub fn new(stream: &StreamId, truncated: Truncated) -> Self {
        Self {
            stream: stream.as_str().to_owned(),
            first_version: truncated.first_version.get(),
            version: truncated.version.get(),
        }
    }
}
