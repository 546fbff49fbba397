//! Which events to read, and in which order.

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

/// Which events of a stream a page is to hold. `from` and `to` bound the versions, both inclusive,
/// whatever the direction; the direction only says at which end reading begins.
///
/// ```
/// use sillok::store::{Direction, ReadRange};
///
/// let last_ten = ReadRange::new(None, None, Some(10), Direction::Backward)?;
/// assert_eq!(last_ten.limit(), 10);
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

/// Why a range is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRange {
    /// `from` is no version that an event can have.
    #[error("must be a version from 1 to {MAX_VERSION}")]
    From,
    /// `to` is no version that an event can have.
    #[error("must be a version from 1 to {MAX_VERSION}")]
    To,
    /// `from` is greater than `to`: the two bound the versions whatever the direction.
    #[error("is less than `from`; `from` must not be greater than `to`, in either direction")]
    ToBeforeFrom,
    /// The limit is 0.
    #[error("is 0; the least is 1")]
    LimitZero,
    /// The limit is more than a page may hold.
    #[error("is {limit}; the most is {PAGE_EVENTS}")]
    PageTooLarge {
        /// How many events were asked for.
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

    /// The part of the range that is wrong: `from`, `to` or `limit`.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To | Self::ToBeforeFrom => "to",
            Self::LimitZero | Self::PageTooLarge { .. } => "limit",
        }
    }
}

impl ReadRange {
    /// The events from version `from` (the first, when absent) to version `to` (the last), at most `limit`
    /// (1,000, the largest page) of them.
    ///
    /// # Errors
    /// [`InvalidRange`] names the part that is wrong.
    pub fn new(
        from: Option<u64>,
        to: Option<u64>,
        limit: Option<u64>,
        direction: Direction,
    ) -> Result<Self, InvalidRange> {
        let from = place(from, Version::FIRST).ok_or(InvalidRange::From)?;
        let to = place(to, Version::MAX).ok_or(InvalidRange::To)?;
        if to < from {
            return Err(InvalidRange::ToBeforeFrom);
        }
        let limit = limit.map_or(Ok(PAGE_EVENTS), page_limit)?;
        Ok(Self { from, to, limit, direction, event_type: None, is_complete: false })
    }

    /// The whole stream, oldest first, in pages as large as they may be.
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

    /// The same range, of the events of one type alone.
    #[must_use]
    pub fn of_type(self, event_type: EventType) -> Self {
        Self { event_type: Some(event_type), ..self }
    }

    /// The same range, which is refused where an event in it was truncated. The range of a next page is always complete: the
    /// page before has promised its events.
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

    /// Whether the range is refused where an event in it was truncated.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The only type to read, or nothing where all are.
    #[must_use]
    pub fn event_type(&self) -> Option<&EventType> {
        self.event_type.as_ref()
    }

    /// The least version to read.
    #[must_use]
    pub fn from(&self) -> Version {
        self.from
    }

    /// The greatest version to read; [`Version::MAX`] where there is no bound.
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

    /// What is left of this range after `last` was read, in a stream that shows the versions from `first` to `head`.
    pub(crate) fn rest_after(&self, last: Version, first: Version, head: Version) -> Option<Self> {
        let (from, to) = match self.direction {
            Direction::Forward => (last.after(1)?, self.to),
            Direction::Backward => (self.from.max(first), last.before(1)?),
        };
        (from <= to && from <= head).then(|| Self { from, to, ..self.clone() }.complete())
    }
}

fn place(number: Option<u64>, absent: Version) -> Option<Version> {
    number.map_or(Some(absent), Version::new).filter(|version| !version.is_empty())
}

pub(in crate::store) fn page_limit(limit: u64) -> Result<usize, InvalidRange> {
    match usize::try_from(limit) {
        Ok(0) => Err(InvalidRange::LimitZero),
        Ok(limit) if limit <= PAGE_EVENTS => Ok(limit),
        _ => Err(InvalidRange::PageTooLarge { limit }),
    }
}
