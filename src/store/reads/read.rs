//! Reading a stream, page by page.

use std::ops::ControlFlow;

use thiserror::Error;

use super::page_budget::PageBudget;
use super::range::{Direction, ReadRange};
use crate::ErrorCode;
use crate::store::event_store::EventStore;
use crate::store::events::content;
use crate::store::events::event::{EventView, RecordedEvent};
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::{Head, StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;
use crate::store::version::Version;

/// One page of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The version of the whole stream, for every range.
    pub version: Version,
    /// The first version that readers can see. It is `version` + 1 if all events are hidden.
    pub first_version: Version,
    /// The events, in the order of the range.
    pub events: Vec<RecordedEvent>,
    /// The range of the next page. `None` if this page is the last.
    pub next: Option<ReadRange>,
}

/// The end of a page, after its events were visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// The version of the whole stream, for every range.
    pub version: Version,
    /// The first version that readers can see. It is `version` + 1 if all events are hidden.
    pub first_version: Version,
    /// The range of the next page. `None` if this page is the last.
    pub next: Option<ReadRange>,
}

/// The reason why a page was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream was deleted.
    #[error("stream {stream} was deleted")]
    StreamDeleted {
        /// The stream.
        stream: StreamId,
    },
    /// An event was truncated that an earlier page has promised.
    #[error(
        "stream {stream} was truncated while it was read; its first version is now {first_version}: read again from there"
    )]
    StreamTruncated {
        /// The stream.
        stream: StreamId,
        /// The first version that readers can see.
        first_version: Version,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ReadError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::StreamDeleted { .. } => ErrorCode::StreamDeleted,
            Self::StreamTruncated { .. } => ErrorCode::StreamTruncated,
            Self::Storage(error) => error.code(),
        }
    }
}

impl Head {
    /// Refuses to continue a read if promised events were forgotten. `promised` is the first promised version, or
    /// `None` if nothing is promised yet. A deleted stream always refuses.
    pub(crate) fn keeps(&self, stream: &StreamId, promised: Option<Version>) -> Result<(), ReadError> {
        let first_version = self.first_version();
        if self.deleted {
            Err(ReadError::StreamDeleted { stream: stream.clone() })
        } else if promised.is_some_and(|promised| promised < first_version) {
            Err(ReadError::StreamTruncated { stream: stream.clone(), first_version })
        } else {
            Ok(())
        }
    }
}

impl<L: StreamLog> EventStore<L> {
    /// Reads one page of the stream into memory.
    ///
    /// The first page begins with the first visible version. It promises every event in the range of its
    /// [`next`](Page::next). These events must still exist when the next page is read.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, stream: &StreamId, range: &ReadRange) -> Result<Page, ReadError> {
        let mut events = Vec::new();
        let end = self.visit(stream, range, &mut |event| events.push(event.to_recorded(stream)))?;
        let PageEnd { version, first_version, next } = end;
        Ok(Page { version, first_version, events, next })
    }

    /// Calls `visit` with each event of one page, without a copy.
    ///
    /// A page ends with the range or at its limit. It also ends after the commit with which it has looked at
    /// [`PAGE_BYTES`](crate::store::limits::PAGE_BYTES) or [`PAGE_LOOKED_AT`](crate::store::limits::PAGE_LOOKED_AT)
    /// events. So a page of one type may be empty and still have a next page.
    ///
    /// # Errors
    /// [`ReadError`]. If the store failed, events before the error have been visited.
    pub fn visit(
        &self,
        stream: &StreamId,
        range: &ReadRange,
        visit: &mut dyn FnMut(EventView<'_>),
    ) -> Result<PageEnd, ReadError> {
        visit_stream(&self.log, stream, range, visit)
    }
}

/// Visits one page of a stream, as [`EventStore::visit`] does.
pub(crate) fn visit_stream<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    range: &ReadRange,
    visit: &mut dyn FnMut(EventView<'_>),
) -> Result<PageEnd, ReadError> {
    let head = log.head(stream)?;
    head.keeps(stream, range.is_complete().then(|| range.from()))?;
    let (version, first_version) = (head.version, head.first_version());
    let from = range.from().max(first_version);
    let to = range.to().min(version);
    if from > to || range.limit() == 0 {
        return Ok(PageEnd { version, first_version, next: None });
    }
    let start = if range.direction() == Direction::Forward { from } else { to };
    let mut page = StreamPage { range, from, to, budget: PageBudget::of(range.limit()), last: None };
    let mut outcome = Ok(());
    log.scan(stream, start, range.direction(), &mut |commit| {
        page.add_commit(&commit, visit).unwrap_or_else(|error| {
            outcome = Err(error);
            ControlFlow::Break(())
        })
    })?;
    outcome?;
    let next = page.last.and_then(|last| range.rest_after(last, first_version, version));
    Ok(PageEnd { version, first_version, next })
}

/// A page while it is filled.
struct StreamPage<'a> {
    range: &'a ReadRange,
    from: Version,
    to: Version,
    budget: PageBudget,
    last: Option<Version>,
}

impl StreamPage<'_> {
    /// Visits the events of the commit that belong on the page. Breaks if no later commit can belong on it.
    fn add_commit(
        &mut self,
        commit: &CommitView<'_>,
        visit: &mut dyn FnMut(EventView<'_>),
    ) -> Result<ControlFlow<()>, StorageError> {
        let decoded = content::decode(commit)?;
        self.budget.look_at(decoded.events.len(), commit.events.len());
        let last = decoded.events.len().saturating_sub(1);
        let views = decoded.events.iter().enumerate().filter_map(|(place, event)| {
            let version = decoded.first_version.after(place)?;
            let position = commit.position.and_then(|position| position.before(last - place));
            Some(EventView { position, ..event.view(version, commit.time) })
        });
        let added = match self.range.direction() {
            Direction::Forward => views.into_iter().try_for_each(|event| self.add(event, visit)),
            Direction::Backward => views.rev().try_for_each(|event| self.add(event, visit)),
        };
        Ok(if self.budget.is_spent() { ControlFlow::Break(()) } else { added })
    }

    fn add(&mut self, event: EventView<'_>, visit: &mut dyn FnMut(EventView<'_>)) -> ControlFlow<()> {
        let (before, beyond) = match self.range.direction() {
            Direction::Forward => (event.version < self.from, event.version > self.to),
            Direction::Backward => (event.version > self.to, event.version < self.from),
        };
        if before {
            return ControlFlow::Continue(());
        }
        if beyond || self.budget.is_full() {
            return ControlFlow::Break(());
        }
        self.last = Some(event.version);
        if self.range.event_type().is_none_or(|wanted| wanted.as_str() == event.event_type) {
            visit(event);
            self.budget.take();
        }
        ControlFlow::Continue(())
    }
}
