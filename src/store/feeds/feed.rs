//! The feed: the events of all streams in one order, page by page.

use std::ops::ControlFlow;

use super::position::Position;
use crate::store::event_store::EventStore;
use crate::store::events::content;
use crate::store::events::event::{EventType, EventView};
use crate::store::limits::PAGE_EVENTS;
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::StorageError;
use crate::store::names::category::Category;
use crate::store::reads::page_budget::PageBudget;
use crate::store::reads::range::{InvalidRange, page_limit};
use crate::store::version::Version;

/// A log that stores many streams in one order.
///
/// A commit gets its position when it is written. Readers never see a position before all smaller ones. So a reader
/// that has read up to a position has read every event up to it.
pub trait FeedLog {
    /// The highest position that was ever written.
    ///
    /// # Errors
    /// [`StorageError`].
    fn end(&self) -> Result<Position, StorageError>;

    /// Calls `visit` with each commit that contains an event after `after`, in order, until `visit` breaks. The log may
    /// visit or skip a position whose commit was forgotten. If the skip takes time, the log visits it, so that it
    /// counts in the page budget.
    ///
    /// # Errors
    /// [`StorageError`]. Commits before the error have been visited.
    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError>;
}

/// The function that a log calls with each commit of its feed. [`ControlFlow::Break`] ends the scan.
pub type VisitFeed<'a> = &'a mut dyn FnMut(FeedCommit<'_>) -> ControlFlow<()>;

/// A commit in the order of all commits, borrowed for the time of one visit.
#[derive(Debug, Clone, Copy)]
pub struct FeedCommit<'a> {
    /// The position of the commit's last event.
    pub position: Position,
    /// The stream of the commit.
    pub stream: &'a str,
    /// The last hidden version of that stream.
    pub hidden: Version,
    /// The commit. `None` if it was forgotten and only its position is left.
    pub commit: Option<CommitView<'a>>,
}

/// An event in the order of all events, borrowed for the time of one visit.
#[derive(Debug, Clone, Copy)]
pub struct FeedEventView<'a> {
    /// The place of the event among all events.
    pub position: Position,
    /// The stream of the event.
    pub stream: &'a str,
    /// The event.
    pub event: EventView<'a>,
}

/// The events that a page of the feed may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRange {
    after: Position,
    category: Option<Category>,
    types: Vec<EventType>,
    limit: usize,
}

impl FeedRange {
    /// The events after a position, in pages of the largest size.
    #[must_use]
    pub const fn after(after: Position) -> Self {
        Self { after, category: None, types: Vec::new(), limit: PAGE_EVENTS }
    }

    /// The same range, with the streams of one category only.
    #[must_use]
    pub fn of_category(self, category: Category) -> Self {
        Self { category: Some(category), ..self }
    }

    /// The same range, with the events of these types only. An empty list means all types.
    #[must_use]
    pub fn of_types(self, types: Vec<EventType>) -> Self {
        Self { types, ..self }
    }

    /// The same range, with at most `limit` events on a page.
    ///
    /// # Errors
    /// [`InvalidRange`] if a page cannot have this size.
    pub fn limited(self, limit: u64) -> Result<Self, InvalidRange> {
        Ok(Self { limit: page_limit(limit)?, ..self })
    }

    /// The same range, from another position on.
    #[must_use]
    pub fn continued(self, after: Position) -> Self {
        Self { after, ..self }
    }

    /// Whether the range begins beyond this position.
    #[must_use]
    pub fn is_beyond(&self, end: Position) -> bool {
        self.after > end
    }

    fn wants_stream(&self, stream: &str) -> bool {
        self.category.as_ref().is_none_or(|category| category.holds(stream))
    }

    fn wants_type(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted.as_str() == event_type)
    }
}

/// The end of a page, after its events were visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedEnd {
    /// The position up to which the page looked at events. The next page begins after it.
    pub checkpoint: Position,
    /// Whether there are more events to look at.
    pub more: bool,
    /// The highest position that was ever written. If a page begins beyond it, its checkpoint belongs to another feed,
    /// or to a feed that has lost data.
    pub end: Position,
}

/// Calls `visit` with each event of one page of the feed.
///
/// A page ends at its limit. It also ends after the commit with which it has looked at
/// [`PAGE_BYTES`](crate::store::limits::PAGE_BYTES) or [`PAGE_LOOKED_AT`](crate::store::limits::PAGE_LOOKED_AT) events,
/// wanted or not. So a page may be empty and still have a next page.
///
/// # Errors
/// [`StorageError`]. Events before the error have been visited.
pub fn visit_feed(
    log: &impl FeedLog,
    range: &FeedRange,
    visit: &mut dyn FnMut(FeedEventView<'_>),
) -> Result<FeedEnd, StorageError> {
    // The end is read before the scan. So commits that are written during the scan are visited or left for the next
    // page, but never skipped.
    let end = log.end()?;
    if range.limit == 0 {
        return Ok(FeedEnd { checkpoint: range.after, more: false, end });
    }
    let mut page = FeedPage { range, budget: PageBudget::of(range.limit), looked_at: range.after };
    let mut outcome = Ok(());
    log.scan_feed(range.after, &mut |commit| {
        outcome = page.add_commit(&commit, visit);
        if outcome.is_err() || page.budget.is_spent() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    outcome?;
    let spent = page.budget.is_spent();
    // The last positions may belong to forgotten commits. They count as looked at.
    let checkpoint = if spent { page.looked_at } else { page.looked_at.max(end) };
    Ok(FeedEnd { checkpoint, more: checkpoint < end, end })
}

impl<L: FeedLog> EventStore<L> {
    /// Calls `visit` with each event of one page of the feed of all streams.
    ///
    /// # Errors
    /// [`StorageError`]. Events before the error have been visited.
    pub fn visit_feed(
        &self,
        range: &FeedRange,
        visit: &mut dyn FnMut(FeedEventView<'_>),
    ) -> Result<FeedEnd, StorageError> {
        visit_feed(&self.log, range, visit)
    }

    /// The highest position that was ever written.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn end(&self) -> Result<Position, StorageError> {
        self.log.end()
    }
}

/// A page while it is filled.
struct FeedPage<'a> {
    range: &'a FeedRange,
    budget: PageBudget,
    looked_at: Position,
}

impl FeedPage<'_> {
    /// Visits the wanted events of the commit, until the page is full.
    fn add_commit(
        &mut self,
        found: &FeedCommit<'_>,
        visit: &mut dyn FnMut(FeedEventView<'_>),
    ) -> Result<(), StorageError> {
        let bytes = found.commit.map_or(0, |commit| commit.events.len());
        self.budget.look_at(1, found.stream.len() + bytes);
        let wanted = found.commit.filter(|_| self.range.wants_stream(found.stream));
        let Some(commit) = wanted.filter(|commit| commit.version > found.hidden) else {
            self.looked_at = found.position;
            return Ok(());
        };
        let decoded = content::decode(&commit)?;
        self.budget.look_at(decoded.events.len().saturating_sub(1), 0);
        let count = u64::try_from(decoded.events.len()).unwrap_or(u64::MAX);
        let mut position = Position::new(found.position.get().saturating_sub(count)).unwrap_or_default();
        for (place, event) in decoded.events.iter().enumerate() {
            if self.budget.is_full() {
                return Ok(());
            }
            position = position.after(1).unwrap_or(position);
            let Some(version) = decoded.first_version.after(place) else { continue };
            if position <= self.range.after || version <= found.hidden {
                continue;
            }
            self.looked_at = position;
            let event = event.view(version, commit.time);
            if self.range.wants_type(event.event_type) {
                self.budget.take();
                visit(FeedEventView { position, stream: found.stream, event });
            }
        }
        self.looked_at = found.position;
        Ok(())
    }
}
