//! The result of an append.

use serde::Serialize;
use sillok::store::{Appended, Position};

use crate::clock::rfc3339;

/// The result of an append, as JSON and as a JavaScript object:
/// `{"stream","firstVersion","version","time","ids","replayed"}`, and `"position"` if the store has all streams.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppendedJson {
    stream: String,
    first_version: u64,
    /// The version of the stream after the append.
    pub version: u64,
    time: String,
    /// The ids of the events. An object of an earlier version sends none.
    ids: Vec<String>,
    /// The position of the last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    replayed: bool,
}

crate::message!(AppendedJson {
    stream: "stream",
    first_version: "firstVersion",
    version: "version",
    time: "time",
    ids: "ids" = Vec::new(),
    position: "position",
    replayed: "replayed",
});

impl From<&Appended> for AppendedJson {
    fn from(appended: &Appended) -> Self {
        Self {
            stream: appended.stream.as_str().to_owned(),
            first_version: appended.first_version.get(),
            version: appended.version.get(),
            time: rfc3339(appended.time),
            ids: appended.ids.iter().map(|id| id.as_str().to_owned()).collect(),
            position: appended.position.map(Position::get),
            replayed: appended.replayed,
        }
    }
}
