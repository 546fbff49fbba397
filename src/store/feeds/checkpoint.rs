//! Places from which to continue a feed.

use std::fmt;

use thiserror::Error;

use super::position::Position;
use crate::ErrorCode;

/// The place from which to continue a feed. It holds one position for each partition. Outside of the engine it is an
/// opaque text.
///
/// ```
/// use sillok::store::Checkpoint;
///
/// let checkpoint = Checkpoint::parse("12.0.7", 3)?;
/// assert_eq!(checkpoint.to_string(), "12.0.7");
/// assert!(Checkpoint::parse("12.0.7", 1).is_err());
/// # Ok::<(), sillok::store::InvalidCheckpoint>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint(Vec<Position>);

/// The reason why a text is not a valid checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the checkpoint does not belong to this feed")]
pub struct InvalidCheckpoint;

impl InvalidCheckpoint {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::InvalidCheckpoint
    }
}

impl Checkpoint {
    /// The beginning of a feed with this number of partitions.
    #[must_use]
    pub fn start(partitions: usize) -> Self {
        Self(vec![Position::START; partitions])
    }

    /// Reads a checkpoint of a feed with this number of partitions.
    ///
    /// # Errors
    /// [`InvalidCheckpoint`] if no such feed has returned this text.
    pub fn parse(text: &str, partitions: usize) -> Result<Self, InvalidCheckpoint> {
        let positions: Option<Vec<Position>> = text.split('.').map(position).collect();
        match positions {
            Some(positions) if positions.len() == partitions => Ok(Self(positions)),
            _ => Err(InvalidCheckpoint),
        }
    }

    /// The number of the feed's partitions.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.0.len()
    }

    /// The position in a partition. For a partition that does not exist, it is the start.
    #[must_use]
    pub fn position(&self, partition: usize) -> Position {
        self.0.get(partition).copied().unwrap_or_default()
    }

    /// The same checkpoint, but at `position` in this partition.
    #[must_use]
    pub fn at(&self, partition: usize, position: Position) -> Self {
        let mut moved = self.clone();
        if let Some(place) = moved.0.get_mut(partition) {
            *place = position;
        }
        moved
    }

    /// Whether the checkpoint is beyond the end of the feed in any partition. A reader that continues from such a
    /// checkpoint would miss events, until the feed has reached it.
    #[must_use]
    pub fn is_beyond(&self, end: &Self) -> bool {
        self.0.iter().zip(&end.0).any(|(position, end)| position > end)
    }

    /// The number of events between this checkpoint and the end of the feed: the lag of a consumer at this checkpoint.
    ///
    /// ```
    /// use sillok::store::Checkpoint;
    ///
    /// let (reached, end) = (Checkpoint::parse("12.0.7", 3)?, Checkpoint::parse("15.1.7", 3)?);
    /// assert_eq!(reached.lag(&end), 4);
    /// assert!(!reached.is_beyond(&end));
    /// assert!(end.is_beyond(&reached));
    /// # Ok::<(), sillok::store::InvalidCheckpoint>(())
    /// ```
    #[must_use]
    pub fn lag(&self, end: &Self) -> u64 {
        let places = self.0.iter().zip(&end.0);
        places.map(|(position, end)| end.get().saturating_sub(position.get())).sum()
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (partition, position) in self.0.iter().enumerate() {
            let separator = if partition == 0 { "" } else { "." };
            write!(formatter, "{separator}{position}")?;
        }
        Ok(())
    }
}

/// Reads a position, only in the form in which [`Checkpoint`] writes it. So each checkpoint has exactly one text.
fn position(text: &str) -> Option<Position> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| canonical && digits).and_then(Position::new)
}
