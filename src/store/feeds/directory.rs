//! The directory: the list of all streams.

use std::ops::ControlFlow;

use crate::store::event_store::EventStore;
use crate::store::events::event::RecordedTime;
use crate::store::limits::PAGE_EVENTS;
use crate::store::logs::log::StorageError;
use crate::store::names::category::Category;
use crate::store::names::stream_id::StreamId;
use crate::store::reads::page_budget::PageBudget;
use crate::store::reads::range::{InvalidRange, page_limit};
use crate::store::version::Version;

/// An entry of the directory: one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry {
    /// The stream.
    pub stream: StreamId,
    /// The version of its last event.
    pub version: Version,
    /// The time at which that event was recorded.
    pub time: RecordedTime,
    /// Whether the stream was deleted. The directory does not return deleted streams.
    pub deleted: bool,
}

/// A log that can list its streams.
pub trait StreamDirectory {
    /// Calls `visit` with each stream whose name is greater than `after` and not less than `from`, in the byte order of
    /// the names. It ends when `visit` breaks.
    ///
    /// # Errors
    /// [`StorageError`]. Streams before the error have been visited.
    fn scan_streams(
        &self,
        after: &str,
        from: &str,
        visit: &mut dyn FnMut(StreamEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;
}

/// The streams that a page of the directory may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRange {
    after: String,
    prefix: String,
    category: Option<Category>,
    limit: usize,
}

/// One page of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPage {
    /// The streams, in the byte order of their names.
    pub streams: Vec<StreamEntry>,
    /// The name after which the next page begins. `None` if this page is the last.
    pub next: Option<String>,
}

impl DirectoryRange {
    /// The streams whose names begin with `prefix` and are greater than `after`, in pages of the largest size.
    #[must_use]
    pub fn new(prefix: &str, after: &str) -> Self {
        Self { after: after.to_owned(), prefix: prefix.to_owned(), category: None, limit: PAGE_EVENTS }
    }

    /// The same range, with the streams of one category only.
    #[must_use]
    pub fn of_category(self, category: Category) -> Self {
        Self { category: Some(category), ..self }
    }

    /// The same range, with at most `limit` streams on a page.
    ///
    /// # Errors
    /// [`InvalidRange`] if a page cannot have this size.
    pub fn limited(self, limit: u64) -> Result<Self, InvalidRange> {
        Ok(Self { limit: page_limit(limit)?, ..self })
    }

    /// The longest text with which every stream of the range begins.
    fn narrowest_prefix(&self) -> &str {
        let category = self.category.as_ref().map_or("", Category::as_str);
        if category.len() > self.prefix.len() { category } else { &self.prefix }
    }

    fn wants(&self, stream: &str) -> bool {
        stream.starts_with(&self.prefix)
            && self.category.as_ref().is_none_or(|category| category.holds(stream))
    }
}

/// Reads one page of the directory. A page ends at its limit, or after it has looked at
/// [`PAGE_LOOKED_AT`](crate::store::limits::PAGE_LOOKED_AT) names. So a page may be empty and still have a next page.
///
/// # Errors
/// [`StorageError`].
pub fn read_directory(
    log: &impl StreamDirectory,
    range: &DirectoryRange,
) -> Result<DirectoryPage, StorageError> {
    let prefix = range.narrowest_prefix();
    let mut page = DirectoryPage { streams: Vec::new(), next: None };
    if range.limit == 0 {
        return Ok(page);
    }
    let (mut budget, mut last) = (PageBudget::of(range.limit), None);
    log.scan_streams(&range.after, prefix, &mut |entry| {
        if !entry.stream.as_str().starts_with(prefix) {
            return ControlFlow::Break(());
        }
        // A further stream after a full page shows that there is a next page.
        if budget.is_spent() {
            page.next = last.take();
            return ControlFlow::Break(());
        }
        budget.look_at(1, entry.stream.as_str().len());
        last = Some(entry.stream.as_str().to_owned());
        if !entry.deleted && range.wants(entry.stream.as_str()) {
            budget.take();
            page.streams.push(entry);
        }
        ControlFlow::Continue(())
    })?;
    Ok(page)
}

impl<L: StreamDirectory> EventStore<L> {
    /// Reads one page of the directory of streams.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn streams(&self, range: &DirectoryRange) -> Result<DirectoryPage, StorageError> {
        read_directory(&self.log, range)
    }
}
