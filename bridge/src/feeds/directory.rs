//! The directory of streams as values: what is asked for, and a page.

use serde::Serialize;
use sillok::store::{DirectoryPage, DirectoryRange};

use super::feed::category;
use crate::clock::rfc3339;
use crate::events::{invalid, number};
use crate::failure::Failure;
use crate::js::Scalar;

/// What part of the directory to read: `{"prefix","category","after","limit"}`, each absent where it bounds nothing.
#[derive(Debug, Clone, Default)]
pub struct DirectoryValue {
    /// With what the names begin.
    pub prefix: Option<Scalar>,
    /// The only category to list.
    pub category: Option<Scalar>,
    /// The name after which the page begins.
    pub after: Option<Scalar>,
    /// Most streams.
    pub limit: Option<Scalar>,
}

crate::message!(DirectoryValue { prefix: "prefix", category: "category", after: "after", limit: "limit" });

/// A page of the directory: `{"streams":[{"stream","version","time"}],"next"}`.
#[derive(Debug, Serialize)]
pub struct DirectoryPageJson {
    /// The streams, in the order of their names' bytes.
    pub streams: Vec<StreamEntryJson>,
    /// After which name the next page begins, or nothing when this was the last.
    pub next: Option<String>,
}

crate::message!(DirectoryPageJson { streams: "streams", next: "next" });

/// What the directory says of a stream.
#[derive(Debug, Serialize)]
pub struct StreamEntryJson {
    /// Its name.
    pub stream: String,
    /// The version of its last event.
    pub version: u64,
    /// When that event was recorded.
    pub time: String,
}

crate::message!(StreamEntryJson { stream: "stream", version: "version", time: "time" });

/// Reads what part of the directory is wanted, checking every part.
///
/// # Errors
/// `invalid_category`, `invalid_parameter` or `page_too_large`, naming the part that is wrong.
pub fn parse_directory(value: &DirectoryValue) -> Result<DirectoryRange, Failure> {
    let (prefix, after) = (text("prefix", value.prefix.as_ref())?, text("after", value.after.as_ref())?);
    let mut range = DirectoryRange::new(prefix, after);
    if let Some(name) = &value.category {
        range = range.of_category(category(name)?);
    }
    match number("limit", value.limit.as_ref())? {
        Some(limit) => Ok(range.limited(limit)?),
        None => Ok(range),
    }
}

fn text<'a>(field: &str, value: Option<&'a Scalar>) -> Result<&'a str, Failure> {
    value.map_or(Ok(""), |value| value.as_str().ok_or_else(|| invalid(field, "must be a string")))
}

impl From<DirectoryPage> for DirectoryPageJson {
    fn from(page: DirectoryPage) -> Self {
        let streams = page.streams.iter().map(|entry| StreamEntryJson {
            stream: entry.stream.as_str().to_owned(),
            version: entry.version.get(),
            time: rfc3339(entry.time),
        });
        Self { streams: streams.collect(), next: page.next }
    }
}
