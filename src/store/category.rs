//! Categories of streams.

use super::limits::STREAM_ID_BYTES;
use super::name;
use super::stream_id::InvalidStreamId;

/// What streams of one kind have in common: the text before the first `-` of their names, or the whole name where there
/// is none. `account-42` and `account` are in the category `account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category(Box<str>);

impl Category {
    /// Takes `text` as a category. One with a `-` holds no stream, which is no mistake.
    ///
    /// # Errors
    /// [`InvalidStreamId`] when no stream's name can begin so.
    pub fn new(text: &str) -> Result<Self, InvalidStreamId> {
        name::check(text, STREAM_ID_BYTES).map_err(InvalidStreamId)?;
        Ok(Self(text.into()))
    }

    /// The category as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a stream of this name belongs to it.
    #[must_use]
    pub fn holds(&self, stream: &str) -> bool {
        let rest = stream.strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) && !self.0.contains('-')
    }
}
