//! The result of an append.

use serde::Serialize;
use sillok::store::Appended;

use crate::clock::rfc3339;

/// The result of an append, as JSON and as a JavaScript object:
/// `{"stream","firstVersion","version","time","replayed"}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppendedJson {
    stream: String,
    first_version: u64,
    /// The version of the stream after the append.
    pub version: u64,
    time: String,
    replayed: bool,
}

crate::message!(AppendedJson {
    stream: "stream",
    first_version: "firstVersion",
    version: "version",
    time: "time",
    replayed: "replayed",
});

impl From<&Appended> for AppendedJson {
    fn from(appended: &Appended) -> Self {
        Self {
            stream: appended.stream.as_str().to_owned(),
            first_version: appended.first_version.get(),
            version: appended.version.get(),
            time: rfc3339(appended.time),
            replayed: appended.replayed,
        }
    }
}
