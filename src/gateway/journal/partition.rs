//! The partition of a stream.

use sha2::{Digest, Sha256};

use crate::store::StreamId;

/// The partition, of `partitions`, that records the commits of a stream. It is always the same for one stream.
///
/// ```
/// use sillok::gateway::partition_of;
/// use sillok::store::StreamId;
///
/// let stream = StreamId::new("account-42")?;
/// assert_eq!(partition_of(&stream, 1), 0);
/// assert_eq!(partition_of(&stream, 8), partition_of(&stream, 8));
/// # Ok::<(), sillok::store::InvalidStreamId>(())
/// ```
#[must_use]
pub fn partition_of(stream: &StreamId, partitions: usize) -> usize {
    let hash = Sha256::digest(stream.as_str());
    let number = hash.iter().take(8).fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    let partitions = u64::try_from(partitions.max(1)).unwrap_or(u64::MAX);
    usize::try_from(number % partitions).unwrap_or_default()
}
