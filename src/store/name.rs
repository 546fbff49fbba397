//! The one rule that stream ids, event types and event ids share.

use thiserror::Error;

/// Why a text is refused as a stream id, an event type or an event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than its limit.
    #[error("is {bytes} bytes long, more than the {limit} allowed")]
    TooLong {
        /// Length of the text, in bytes of UTF-8.
        bytes: usize,
        /// The most that is allowed, in bytes of UTF-8.
        limit: usize,
    },
    /// The text holds a control character (Unicode category Cc).
    #[error("holds a control character at byte {at}")]
    ControlCharacter {
        /// Where the character starts, in bytes.
        at: usize,
    },
    /// The text holds U+FFFD, which runtimes put in the place of bytes that are not UTF-8: names that differ would become
    /// the same. Only an idempotency key is refused for it.
    #[error("holds the replacement character U+FFFD at byte {at}")]
    ReplacementCharacter {
        /// Where the character starts, in bytes.
        at: usize,
    },
}

/// Checks that `text` is 1 to `limit` bytes long and free of control characters.
pub(crate) fn check(text: &str, limit: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > limit {
        return Err(InvalidName::TooLong { bytes: text.len(), limit });
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, _)) => Err(InvalidName::ControlCharacter { at }),
        None => Ok(()),
    }
}
