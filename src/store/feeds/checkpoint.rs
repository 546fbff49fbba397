//! Where to resume a feed.

use std::fmt;

use thiserror::Error;

use super::position::Position;
use crate::ErrorCode;

/// Where to resume a feed that may have several partitions: the place reached in each. Outside of the engine it is an
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

/// Why a text is refused as a checkpoint.
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
    /// The beginning of a feed of so many partitions.
    #[must_use]
    pub fn start(partitions: usize) -> Self {
        Self(vec![Position::START; partitions])
    }

    /// Reads a checkpoint of a feed of so many partitions.
    ///
    /// # Errors
    /// [`InvalidCheckpoint`] for any other text than one that such a feed gave.
    pub fn parse(text: &str, partitions: usize) -> Result<Self, InvalidCheckpoint> {
        let positions: Option<Vec<Position>> = text.split('.').map(position).collect();
        match positions {
            Some(positions) if positions.len() == partitions => Ok(Self(positions)),
            _ => Err(InvalidCheckpoint),
        }
    }

    /// How many partitions the feed has.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.0.len()
    }

    /// The place reached in a partition; the start for one that there is not.
    #[must_use]
    pub fn position(&self, partition: usize) -> Position {
        self.0.get(partition).copied().unwrap_or_default()
    }

    /// The same checkpoint, but at `position` in that partition.
    #[must_use]
    pub fn at(&self, partition: usize, position: Position) -> Self {
        let mut moved = self.clone();
        if let Some(place) = moved.0.get_mut(partition) {
            *place = position;
        }
        moved
    }

    /// Whether it is beyond where the feed ends in any partition. Whoever went on from there would miss what comes until the
    /// feed is as far.
    #[must_use]
    pub fn is_beyond(&self, end: &Self) -> bool {
        self.0.iter().zip(&end.0).any(|(position, end)| position > end)
    }

    /// How many events there are from here to where the feed ends: how far behind somebody is who has come so far.
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

/// A position as [`Checkpoint`] writes it, so that each checkpoint has one text.
fn position(text: &str) -> Option<Position> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| canonical && digits).and_then(Position::new)
}
