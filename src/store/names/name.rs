//! The one rule of all names: those of tenants, streams, consumers and documents, event types and event ids.

use thiserror::Error;

/// The reason why a text is not a valid name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// The text is empty.
    #[error("is empty; it needs at least 1 byte")]
    Empty,
    /// The text is longer than its limit.
    #[error("is {bytes} bytes long; the most is {limit}")]
    TooLong {
        /// The length of the text, in bytes of UTF-8.
        bytes: usize,
        /// The longest allowed length, in bytes of UTF-8.
        limit: usize,
    },
    /// The text contains a control character (Unicode category Cc).
    #[error("contains a control character at byte {at}; remove it")]
    ControlCharacter {
        /// The place where the character starts, in bytes.
        at: usize,
    },
    /// The text contains U+FFFD. Runtimes replace bytes that are not UTF-8 by this character, so that different names
    /// would become the same. Only idempotency keys are refused for it.
    #[error(
        "contains the replacement character U+FFFD at byte {at}; it must be UTF-8 without this character"
    )]
    ReplacementCharacter {
        /// The place where the character starts, in bytes.
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

/// Makes a type of names, and the error for a text that is not such a name. Every value of the type was checked. So
/// code that takes the type never receives an unchecked name.
macro_rules! name_type {
    ($(#[$docs:meta])* $name:ident, $limit:expr; $(#[$error_docs:meta])* $invalid:ident, $code:ident, $what:literal) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(std::sync::Arc<str>);

        $(#[$error_docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $invalid(pub $crate::store::InvalidName);

        impl $invalid {
            /// The stable code of this error, the same in Rust, JavaScript and HTTP.
            #[must_use]
            pub const fn code(self) -> $crate::ErrorCode {
                $crate::ErrorCode::$code
            }
        }

        impl std::fmt::Display for $invalid {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!("the ", $what, " {}"), self.0)
            }
        }

        impl std::error::Error for $invalid {}

        impl $name {
            /// Makes a name from `text`.
            ///
            /// # Errors
            /// The error type of the name, if the text is empty, is longer than its limit or contains a control
            /// character.
            pub fn new(text: &str) -> Result<Self, $invalid> {
                $crate::store::names::name::check(text, $limit).map_err($invalid)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                *self.0 == **text
            }
        }
    };
}
pub(crate) use name_type;
