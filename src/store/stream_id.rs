//! The name of a stream.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::limits::STREAM_ID_BYTES;
use super::name::{self, InvalidName};

/// The name of a stream: the ordered events of one aggregate.
///
/// 1 to 200 bytes of UTF-8 without control characters. Cheap to clone.
///
/// ```
/// use sillok::store::StreamId;
///
/// let stream = StreamId::new("account-42")?;
/// assert_eq!(stream.as_str(), "account-42");
/// assert_eq!(stream.category(), "account");
/// assert!(StreamId::new("").is_err());
/// # Ok::<(), sillok::store::InvalidStreamId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

/// Why a text is refused as a stream id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the stream id {0}")]
pub struct InvalidStreamId(pub InvalidName);

impl InvalidStreamId {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "invalid_stream_id"
    }
}

impl StreamId {
    /// Takes `text` as a stream id.
    ///
    /// # Errors
    /// [`InvalidStreamId`] when the text is empty, longer than 200 bytes or holds a control character.
    pub fn new(text: &str) -> Result<Self, InvalidStreamId> {
        name::check(text, STREAM_ID_BYTES).map_err(InvalidStreamId)?;
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The category: the text before the first `-`, or the whole id where there is none.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&*self.0, |(category, _)| category)
    }
}

/// So that a place among names is found by a text that is none.
impl Borrow<str> for StreamId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
