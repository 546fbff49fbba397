//! Categories of streams.

use thiserror::Error;

use super::name::{self, InvalidName};
use crate::ErrorCode;
use crate::store::limits::STREAM_ID_BYTES;

/// The streams whose names have the same text before the first `-`. A name without a `-` is its own category.
/// `account-42` and `account` are in the category `account`.
///
/// ```
/// use sillok::store::Category;
///
/// let accounts = Category::new("account")?;
/// assert!(accounts.holds("account-42") && accounts.holds("account"));
/// assert!(!accounts.holds("accounts-42"));
/// assert!(Category::new("account-").is_err());
/// # Ok::<(), sillok::store::InvalidCategory>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category(Box<str>);

/// The reason why a text is not a valid category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCategory {
    /// No stream's name can begin with this text.
    #[error("the category {0}")]
    Name(InvalidName),
    /// The text contains a `-`, as a prefix of names may. No stream would belong to such a category.
    #[error(
        "the category contains a `-` at byte {at}; a category is the text before the first `-` of a stream's name"
    )]
    Dash {
        /// The place of the first `-`, in bytes.
        at: usize,
    },
}

impl InvalidCategory {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::InvalidCategory
    }
}

impl Category {
    /// Makes a category from `text`.
    ///
    /// # Errors
    /// [`InvalidCategory`] if no stream can belong to it.
    pub fn new(text: &str) -> Result<Self, InvalidCategory> {
        name::check(text, STREAM_ID_BYTES).map_err(InvalidCategory::Name)?;
        match text.find('-') {
            Some(at) => Err(InvalidCategory::Dash { at }),
            None => Ok(Self(text.into())),
        }
    }

    /// The category as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a stream of this name belongs to the category.
    #[must_use]
    pub fn holds(&self, stream: &str) -> bool {
        let rest = stream.strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}
