//! Ranges: the events to read, and their order.

use thiserror::Error;

use crate::ErrorCode;
use crate::store::events::event::EventType;
use crate::store::limits::{MAX_VERSION, PAGE_EVENTS};
use crate::store::version::Version;

/// The order in which events are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// The oldest first.
    #[default]
    Forward,
    /// The newest first.
    Backward,
}

/// The events of a stream that a page may hold. `from` and `to` bound the versions in both directions, and both are
/// inclusive. The direction only chooses the end at which the read begins. A range is empty if `to` is less than `from`
/// or the limit is 0.
///
/// ```
/// use sillok::store::{Direction, ReadRange};
///
/// let last_ten = ReadRange::new(None, None, Some(10), Direction::Backward)?;
/// assert_eq!(last_ten.limit(), 10);
/// assert!(ReadRange::new(None, Some(0), None, Direction::Forward).is_ok()); // It is empty.
/// assert!(ReadRange::new(Some(0), None, None, Direction::Forward).is_err());
/// # Ok::<(), sillok::store::InvalidRange>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRange {
    from: Version,
    to: Version,
    limit: usize,
    direction: Direction,
    event_type: Option<EventType>,
    is_complete: bool,
}

/// The reason why a range is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRange {
    /// No event can have the version `from`.
    #[error("must be a version from 1 to {MAX_VERSION}")]
    From,
    /// No event can have the version `to`.
    #[error("must be a version from 0 to {MAX_VERSION}")]
    To,
    /// The limit is larger than the largest page.
    #[error("is {limit}; the most is {PAGE_EVENTS}")]
    PageTooLarge {
        /// The number of events that the caller asked for.
        limit: u64,
    },
}

impl InvalidRange {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::PageTooLarge { .. } => ErrorCode::PageTooLarge,
            _ => ErrorCode::InvalidParameter,
        }
    }

    /// The wrong part of the range: `from`, `to` or `limit`.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::PageTooLarge { .. } => "limit",
        }
    }
}

impl ReadRange {
    /// The events from version `from` to version `to`, in pages of at most `limit` events. Without `from` the range
    /// begins at the first version, without `to` it ends at the last, and without `limit` a page has at most 1,000
    /// events.
    ///
    /// # Errors
    /// [`InvalidRange`] names the wrong part.
    pub fn new(
        from: Option<u64>,
        to: Option<u64>,
        limit: Option<u64>,
        direction: Direction,
    ) -> Result<Self, InvalidRange> {
        let from = from.map_or(Some(Version::FIRST), Version::new).filter(|from| !from.is_empty());
        let from = from.ok_or(InvalidRange::From)?;
        let to = to.map_or(Some(Version::MAX), Version::new).ok_or(InvalidRange::To)?;
        let limit = limit.map_or(Ok(PAGE_EVENTS), page_limit)?;
        Ok(Self { from, to, limit, direction, event_type: None, is_complete: false })
    }

    /// The whole stream, oldest first, in pages of the largest size.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            from: Version::FIRST,
            to: Version::MAX,
            limit: PAGE_EVENTS,
            direction: Direction::Forward,
            event_type: None,
            is_complete: false,
        }
    }

    /// The events from one version to another, as one page, unless it has more bytes than a page. The range is complete.
    pub(crate) fn between(from: Version, to: Version) -> Self {
        Self { from, to, limit: usize::MAX, is_complete: true, ..Self::all() }
    }

    /// The same range, with the events of one type only.
    #[must_use]
    pub fn of_type(self, event_type: EventType) -> Self {
        Self { event_type: Some(event_type), ..self }
    }

    /// The same range as a complete range: a read of it fails if one of its events was truncated. The range of a next
    /// page is always complete, because the page before has promised its events.
    ///
    /// ```
    /// use sillok::store::{Direction, ReadRange};
    ///
    /// let rest = ReadRange::new(Some(1001), None, None, Direction::Forward)?.complete();
    /// assert!(rest.is_complete());
    /// # Ok::<(), sillok::store::InvalidRange>(())
    /// ```
    #[must_use]
    pub fn complete(self) -> Self {
        Self { is_complete: true, ..self }
    }

    /// Whether a read fails if one of the range's events was truncated.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The only type to read. `None` for all types.
    #[must_use]
    pub fn event_type(&self) -> Option<&EventType> {
        self.event_type.as_ref()
    }

    /// The least version to read.
    #[must_use]
    pub fn from(&self) -> Version {
        self.from
    }

    /// The greatest version to read. [`Version::MAX`] if there is no bound.
    #[must_use]
    pub fn to(&self) -> Version {
        self.to
    }

    /// The most events a page may hold.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The order of reading.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The rest of this range after the version `last`, in a stream whose readers can see the versions from `first` to
    /// `head`.
    pub(crate) fn rest_after(&self, last: Version, first: Version, head: Version) -> Option<Self> {
        let (from, to) = match self.direction {
            Direction::Forward => (last.after(1)?, self.to),
            Direction::Backward => (self.from.max(first), last.before(1)?),
        };
        (from <= to && from <= head).then(|| Self { from, to, ..self.clone() }.complete())
    }
}

pub(in crate::store) fn page_limit(limit: u64) -> Result<usize, InvalidRange> {
    match usize::try_from(limit) {
        Ok(limit) if limit <= PAGE_EVENTS => Ok(limit),
        _ => Err(InvalidRange::PageTooLarge { limit }),
    }
}
