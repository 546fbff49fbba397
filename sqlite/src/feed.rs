//! The feed of all streams.

use sillok::handler::FeedEvent;
use sillok::store::Position;

/// A page of the feed: the events of all streams in the order in which they were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The events.
    pub events: Vec<FeedEvent>,
    /// The position up to which the page looked at events, even if it has none. The next page begins after it.
    pub after: Position,
    /// Whether there are more events after the page.
    pub more: bool,
}
