//! The names of streams.

use std::borrow::Borrow;

use super::name::name_type;
use crate::store::limits::STREAM_ID_BYTES;

name_type! {
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
    StreamId, STREAM_ID_BYTES;
    /// The reason why a text is not a valid stream id.
    InvalidStreamId, InvalidStreamId, "stream id"
}

impl StreamId {
    /// The category: the text before the first `-`, or the whole id if it has no `-`.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&*self.0, |(category, _)| category)
    }
}

/// With this, a search among names accepts a text that is not a name itself.
impl Borrow<str> for StreamId {
    fn borrow(&self) -> &str {
        &self.0
    }
}
