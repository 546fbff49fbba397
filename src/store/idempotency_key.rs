//! The name a writer gives an append, so that sending it twice appends once.

use thiserror::Error;

use super::limits::IDEMPOTENCY_KEY_BYTES;
use super::name::{self, InvalidName};

/// The name a writer gives an append: 1 to 200 bytes of UTF-8 without control characters and without U+FFFD, which
/// runtimes put in the place of bytes that are not UTF-8. An append that is sent again under its key answers what it answered the first time. A key is kept as long as its commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

/// Why a text is refused as an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the idempotency key {0}")]
pub struct InvalidIdempotencyKey(pub InvalidName);

impl InvalidIdempotencyKey {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "invalid_idempotency_key"
    }
}

impl IdempotencyKey {
    /// Takes `text` as a key.
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] when the text is empty, longer than 200 bytes, or holds a control character or U+FFFD.
    ///
    /// ```
    /// use sillok::store::IdempotencyKey;
    ///
    /// assert!(IdempotencyKey::new("request-7").is_ok());
    /// assert!(IdempotencyKey::new("request-\u{fffd}").is_err());
    /// ```
    pub fn new(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        name::check(text, IDEMPOTENCY_KEY_BYTES).map_err(InvalidIdempotencyKey)?;
        if let Some(at) = text.find(char::REPLACEMENT_CHARACTER) {
            return Err(InvalidIdempotencyKey(InvalidName::ReplacementCharacter { at }));
        }
        Ok(Self(text.into()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
