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

/// A log that keeps many streams in one order.
///
/// A position is given when its commit is written, and no reader ever sees one before all smaller ones: so whoever has
/// read up to a position has seen everything up to it.
pub trait FeedLog {
    /// The position of the last event that was ever written.
    ///
    /// # Errors
    /// [`StorageError`].
    fn end(&self) -> Result<Position, StorageError>;

    /// Calls `visit` with each commit that holds an event after `after`, in order, until it breaks off. A place of which
    /// nothing is left may be visited or passed over; but where to pass over it takes time it is visited, so that it counts.
    ///
    /// # Errors
    /// [`StorageError`]; commits before the mistake have been visited.
    fn scan_feed(&self, after: Position, visit: VisitFeed<'_>) -> Result<(), StorageError>;
}

/// What a log calls with each commit of its feed; [`ControlFlow::Break`] ends the scan.
pub type VisitFeed<'a> = &'a mut dyn FnMut(FeedCommit<'_>) -> ControlFlow<()>;

/// A commit in the order of all commits, borrowed for the length of one visit.
#[derive(Debug, Clone, Copy)]
pub struct FeedCommit<'a> {
    /// The position of the commit's last event.
    pub position: Position,
    /// The stream that the commit belongs to.
    pub stream: &'a str,
    /// The last version of that stream that is no longer shown.
    pub hidden: Version,
    /// The commit itself; nothing where it was forgotten and only its place is left.
    pub commit: Option<CommitView<'a>>,
}

/// An event in the order of all events, borrowed for the length of one visit.
#[derive(Debug, Clone, Copy)]
pub struct FeedEventView<'a> {
    /// The place of the event among all events.
    pub position: Position,
    /// The stream that the event belongs to.
    pub stream: &'a str,
    /// The event itself.
    pub event: EventView<'a>,
}

/// Which events of all a page is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRange {
    after: Position,
    category: Option<Category>,
    types: Vec<EventType>,
    limit: usize,
}

impl FeedRange {
    /// The events after a position, in pages as large as they may be.
    #[must_use]
    pub const fn after(after: Position) -> Self {
        Self { after, category: None, types: Vec::new(), limit: PAGE_EVENTS }
    }

    /// The same range, of the streams of one category alone.
    #[must_use]
    pub fn of_category(self, category: Category) -> Self {
        Self { category: Some(category), ..self }
    }

    /// The same range, of the events of these types alone; of all where there are none.
    #[must_use]
    pub fn of_types(self, types: Vec<EventType>) -> Self {
        Self { types, ..self }
    }

    /// The same range, with at most `limit` events on a page.
    ///
    /// # Errors
    /// [`InvalidRange`] when no page can be of that size.
    pub fn limited(self, limit: u64) -> Result<Self, InvalidRange> {
        Ok(Self { limit: page_limit(limit)?, ..self })
    }

    /// Whether it begins beyond this position.
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

/// What is known once the events of a page were visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedEnd {
    /// The position up to which everything was looked at: the next page begins after it.
    pub checkpoint: Position,
    /// Whether there is more to look at.
    pub more: bool,
    /// The position of the last event that was ever written. A page that was to begin beyond it was asked for with the
    /// place of another feed, or of one that was lost since.
    pub end: Position,
}

/// Calls `visit` with each event of one page of the feed.
///
/// A page ends with its limit, or with the commit with which [`PAGE_BYTES`](crate::store::limits::PAGE_BYTES) or
/// [`PAGE_LOOKED_AT`](crate::store::limits::PAGE_LOOKED_AT) events were looked at, wanted or not: a page may therefore be empty and
/// yet have a next.
///
/// # Errors
/// [`StorageError`]; events before the mistake have been visited.
pub fn visit_feed(
    log: &impl FeedLog,
    range: &FeedRange,
    visit: &mut dyn FnMut(FeedEventView<'_>),
) -> Result<FeedEnd, StorageError> {
    // Asked before the scan: what is written meanwhile is then looked at, or left for the next page, but never passed over.
    let end = log.end()?;
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
    // Positions at the end may belong to commits that were forgotten: they count as looked at.
    let checkpoint = if spent { page.looked_at } else { page.looked_at.max(end) };
    Ok(FeedEnd { checkpoint, more: checkpoint < end, end })
}

impl<L: FeedLog> EventStore<L> {
    /// Calls `visit` with each event of one page of the feed of all streams.
    ///
    /// # Errors
    /// [`StorageError`]; events before the mistake have been visited.
    pub fn visit_feed(
        &self,
        range: &FeedRange,
        visit: &mut dyn FnMut(FeedEventView<'_>),
    ) -> Result<FeedEnd, StorageError> {
        visit_feed(&self.log, range, visit)
    }

    /// The position of the last event that was ever written.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn end(&self) -> Result<Position, StorageError> {
        self.log.end()
    }
}

/// A page on its way from empty to full.
struct FeedPage<'a> {
    range: &'a FeedRange,
    budget: PageBudget,
    looked_at: Position,
}

impl FeedPage<'_> {
    /// Visits those events of the commit that are wanted, as far as there is room for them.
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
