//! Categories of streams.

use thiserror::Error;

use super::name::{self, InvalidName};
use crate::ErrorCode;
use crate::store::limits::STREAM_ID_BYTES;

/// What streams of one kind have in common: the text before the first `-` of their names, or the whole name where there
/// is none. `account-42` and `account` are in the category `account`.
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

/// Why a text is refused as a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCategory {
    /// No stream's name can begin so.
    #[error("the category {0}")]
    Name(InvalidName),
    /// The text holds a `-`, as a prefix of names may: no stream would ever be found.
    #[error(
        "the category contains a `-` at byte {at}; a category is the text before the first `-` of a stream's name"
    )]
    Dash {
        /// Where the first one is, in bytes.
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
    /// Takes `text` as a category.
    ///
    /// # Errors
    /// [`InvalidCategory`] when no stream can be in it.
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

    /// Whether a stream of this name belongs to it.
    #[must_use]
    pub fn holds(&self, stream: &str) -> bool {
        let rest = stream.strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}
