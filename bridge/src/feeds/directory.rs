//! The directory of streams as values: the range of a page, and a page.

use serde::Serialize;
use sillok::store::{DirectoryPage, DirectoryRange};

use super::feed::category;
use crate::clock::rfc3339;
use crate::events::{invalid, number};
use crate::failure::Failure;
use crate::js::Scalar;

/// The range of a page of the directory: `{"prefix","category","after","limit"}`. An absent part sets no bound.
#[derive(Debug, Clone, Default)]
pub struct DirectoryValue {
    /// The first characters of the names.
    pub prefix: Option<Scalar>,
    /// The only category to list.
    pub category: Option<Scalar>,
    /// The name after which the page begins.
    pub after: Option<Scalar>,
    /// The largest number of streams.
    pub limit: Option<Scalar>,
}

crate::message!(DirectoryValue { prefix: "prefix", category: "category", after: "after", limit: "limit" });

/// A page of the directory: `{"streams":[{"stream","version","time"}],"next"}`.
#[derive(Debug, Serialize)]
pub struct DirectoryPageJson {
    /// The streams, in the byte order of their names.
    pub streams: Vec<StreamEntryJson>,
    /// The name after which the next page begins. `None` on the last page.
    pub next: Option<String>,
}

crate::message!(DirectoryPageJson { streams: "streams", next: "next" });

/// The entry of one stream in the directory.
#[derive(Debug, Serialize)]
pub struct StreamEntryJson {
    /// The name of the stream.
    pub stream: String,
    /// The version of its last event.
    pub version: u64,
    /// The time at which that event was recorded.
    pub time: String,
}

crate::message!(StreamEntryJson { stream: "stream", version: "version", time: "time" });

/// Reads the range of a page of the directory, and checks every part.
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
