//! The store: append and read, decided once for every log.

use std::ops::ControlFlow;

use super::commit::{AppendError, Appended, Intent};
use super::event::{EventId, EventView, NewEvent, RecordedEvent, RecordedTime};
use super::expected_version::ExpectedVersion;
use super::limits::PAGE_BYTES;
use super::log::{Head, Span, StorageError, StreamLog};
use super::range::ReadRange;
use super::stream_id::StreamId;
use super::version::Version;

/// Keeps events and finds them again by stream. The same decisions over whichever [`StreamLog`] holds the
/// commits.
#[derive(Debug, Clone, Default)]
pub struct EventStore<L> {
    log: L,
}

/// One page of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The version of the whole stream, whatever part of it was read.
    pub version: Version,
    /// The events, in the order that was asked for.
    pub events: Vec<RecordedEvent>,
    /// The range of the next page, or nothing when this was the last.
    pub next: Option<ReadRange>,
}

/// What is known once the events of a page were visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageEnd {
    /// The version of the whole stream, whatever part of it was read.
    pub version: Version,
    /// The range of the next page, or nothing when this was the last.
    pub next: Option<ReadRange>,
}

impl<L: StreamLog> EventStore<L> {
    /// A store whose commits are kept by `log`.
    pub fn new(log: L) -> Self {
        Self { log }
    }

    /// Appends the events to the stream, all or none, if the stream is as expected.
    ///
    /// `now` is the time by the caller's clock; `fresh_id` is called once for each event without an id.
    ///
    /// # Errors
    /// [`AppendError`]; unless it is [`AppendError::Storage`], nothing was written.
    pub fn append(
        &mut self,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: Vec<NewEvent>,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        let head = self.log.head(stream)?;
        let commit = Intent { stream, expected, events }.plan(head, now, fresh_id)?;
        let appended = Appended {
            stream: stream.clone(),
            first_version: commit.first_version(),
            version: commit.version(),
            time: commit.time(),
        };
        self.log.insert(stream, commit)?;
        Ok(appended)
    }

    /// Where the stream ends.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.log.head(stream)
    }

    /// Reads one page of the stream into memory.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn read(&self, stream: &StreamId, range: &ReadRange) -> Result<Page, StorageError> {
        let mut events = Vec::new();
        let end = self.visit(stream, range, &mut |event| events.push(event.to_recorded(stream)))?;
        Ok(Page { version: end.version, events, next: end.next })
    }

    /// Calls `visit` with each event of one page, without copying it.
    ///
    /// A page ends with the range, with its limit, or with the event that fills [`PAGE_BYTES`].
    ///
    /// # Errors
    /// [`StorageError`]; events before the mistake have been visited.
    pub fn visit(
        &self,
        stream: &StreamId,
        range: &ReadRange,
        visit: &mut dyn FnMut(EventView<'_>),
    ) -> Result<PageEnd, StorageError> {
        let version = self.log.head(stream)?.version;
        let span = Span { from: range.from(), to: range.to().min(version) };
        if span.from > span.to {
            return Ok(PageEnd { version, next: None });
        }
        let mut page = Filling { events_left: range.limit(), bytes_left: PAGE_BYTES, last: None };
        self.log.scan(stream, span, range.direction(), &mut |event| {
            visit(event);
            page.add(&event)
        })?;
        let next = page.last.and_then(|last| range.rest_after(last, version));
        Ok(PageEnd { version, next })
    }
}

/// How much more a page may hold.
struct Filling {
    events_left: usize,
    bytes_left: usize,
    last: Option<Version>,
}

impl Filling {
    fn add(&mut self, event: &EventView<'_>) -> ControlFlow<()> {
        self.last = Some(event.version);
        self.events_left = self.events_left.saturating_sub(1);
        self.bytes_left = self.bytes_left.saturating_sub(event.data.len() + event.metadata.len());
        if self.events_left == 0 || self.bytes_left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
