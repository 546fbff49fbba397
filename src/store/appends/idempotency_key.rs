//! The key of an append, so that a retry appends nothing.

use thiserror::Error;

use crate::ErrorCode;
use crate::store::limits::IDEMPOTENCY_KEY_BYTES;
use crate::store::names::name::{self, InvalidName};

/// The separator between a stored key and its origin. No key contains it.
const SEPARATOR: char = '\t';

/// The side that made a key. Keys of different origins are different keys, even if their texts are the same. So one
/// origin cannot use up the keys of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// A caller that appends, over HTTP or from a program.
    Client,
    /// A reactor that appends because of an event.
    Reactor,
    /// A process that sends a command.
    Process,
}

impl KeyOrigin {
    /// The word for it: `client`, `reactor` or `process`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Reactor => "reactor",
            Self::Process => "process",
        }
    }
}

/// The key of an append: 1 to 200 bytes of UTF-8 without control characters and without U+FFFD. Runtimes replace bytes
/// that are not UTF-8 by U+FFFD. An append that is sent again under its key returns the answer of the first one. The
/// store has a key for as long as it has the commit of the key.
///
/// ```
/// use sillok::store::{IdempotencyKey, KeyOrigin};
///
/// let given = IdempotencyKey::new("request-7")?;
/// let reactors = IdempotencyKey::of(KeyOrigin::Reactor, "request-7")?;
/// assert_ne!(given, reactors);
/// assert_eq!(given.as_str(), reactors.as_str());
/// assert_eq!(given.as_stored(), "client\trequest-7");
/// # Ok::<(), sillok::store::InvalidIdempotencyKey>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    origin: KeyOrigin,
    stored: Box<str>,
}

/// The reason why a text is not a valid idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the idempotency key {0}")]
pub struct InvalidIdempotencyKey(pub InvalidName);

impl InvalidIdempotencyKey {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::InvalidIdempotencyKey
    }
}

impl IdempotencyKey {
    /// Makes the key of a client from `text`.
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] if the text is empty, is longer than 200 bytes, or contains a control character or
    /// U+FFFD.
    ///
    /// ```
    /// use sillok::store::IdempotencyKey;
    ///
    /// assert!(IdempotencyKey::new("request-7").is_ok());
    /// assert!(IdempotencyKey::new("request-\u{fffd}").is_err());
    /// ```
    pub fn new(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        Self::of(KeyOrigin::Client, text)
    }

    /// Makes a key of this origin from `text`. The appending code chooses the origin. The sender of the text never
    /// chooses it.
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] if the text is empty, is longer than 200 bytes, or contains a control character or
    /// U+FFFD.
    pub fn of(origin: KeyOrigin, text: &str) -> Result<Self, InvalidIdempotencyKey> {
        name::check(text, IDEMPOTENCY_KEY_BYTES).map_err(InvalidIdempotencyKey)?;
        if let Some(at) = text.find(char::REPLACEMENT_CHARACTER) {
            return Err(InvalidIdempotencyKey(InvalidName::ReplacementCharacter { at }));
        }
        Ok(Self { origin, stored: join(origin.as_str(), text).into() })
    }

    /// The side that made the key.
    #[must_use]
    pub const fn origin(&self) -> KeyOrigin {
        self.origin
    }

    /// The key as text, without its origin.
    #[must_use]
    pub fn as_str(&self) -> &str {
        StoredKey(&self.stored).key()
    }

    /// The key as it is stored and hashed: its origin, a TAB, and the key without its origin.
    #[must_use]
    pub fn as_stored(&self) -> &str {
        &self.stored
    }

    /// The key as it was stored before keys had an origin. A commit under such a key may belong to any origin. It
    /// therefore counts as a repeat for each origin that existed then. The store writes no such commits any more.
    #[must_use]
    pub fn as_stored_without_origin(&self) -> Option<&str> {
        match self.origin {
            KeyOrigin::Client | KeyOrigin::Reactor => Some(self.as_str()),
            // Processes are newer than origins.
            KeyOrigin::Process => None,
        }
    }
}

/// A key as it is stored: its origin, a TAB, and the key. A key that was stored before keys had an origin stands alone.
///
/// ```
/// use sillok::store::StoredKey;
///
/// let stored = StoredKey("client\trequest-7");
/// assert_eq!((stored.origin(), stored.key()), (Some("client"), "request-7"));
/// let stored = StoredKey("request-7");
/// assert_eq!((stored.origin(), stored.key()), (None, "request-7"));
/// assert_eq!(StoredKey::text(Some("client"), "request-7").as_deref(), Some("client\trequest-7"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredKey<'a>(pub &'a str);

impl<'a> StoredKey<'a> {
    /// The word for the origin of the key, if the origin is stored.
    #[must_use]
    pub fn origin(self) -> Option<&'a str> {
        self.0.split_once(SEPARATOR).map(|(origin, _)| origin)
    }

    /// The key without its origin.
    #[must_use]
    pub fn key(self) -> &'a str {
        self.0.split_once(SEPARATOR).map_or(self.0, |(_, key)| key)
    }

    /// The stored text of a key, with or without an origin. `None` if the origin or the key is not valid.
    #[must_use]
    pub fn text(origin: Option<&str>, key: &str) -> Option<String> {
        let is_name = |text| name::check(text, IDEMPOTENCY_KEY_BYTES).is_ok();
        let are_names = is_name(key) && origin.is_none_or(is_name);
        are_names.then(|| origin.map_or_else(|| key.to_owned(), |origin| join(origin, key)))
    }
}

fn join(origin: &str, key: &str) -> String {
    [origin, SEPARATOR.encode_utf8(&mut [0; 4]), key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored text of a key with an origin differs from every stored text without one or with another one.
    #[test]
    #[allow(clippy::unwrap_used)] // a test may panic
    fn keys_of_different_origins_are_stored_as_different_texts() {
        let origins = [KeyOrigin::Client, KeyOrigin::Reactor, KeyOrigin::Process];
        let texts = ["k", "client", "reactor k", "client\\tk", "\"client\"", "é", &"x".repeat(200)];
        for text in texts {
            for origin in origins {
                let key = IdempotencyKey::of(origin, text).unwrap();
                let stored = StoredKey(key.as_stored());
                assert_eq!((stored.origin(), stored.key()), (Some(origin.as_str()), text));
                assert_eq!(key.as_str(), text);
                let others = origins.into_iter().filter(|other| *other != origin);
                for other in others.map(|other| IdempotencyKey::of(other, text).unwrap()) {
                    assert_ne!(other.as_stored(), key.as_stored());
                }
                assert!(IdempotencyKey::new(key.as_stored()).is_err(), "{key:?} is no text that is given");
                assert_eq!(StoredKey::text(stored.origin(), text).as_deref(), Some(stored.0));
            }
        }
        for (origin, key) in
            [(Some(""), "k"), (Some("a\tb"), "k"), (None, "a\tb"), (None, "a\nb"), (None, "")]
        {
            assert_eq!(StoredKey::text(origin, key), None, "{origin:?} {key:?}");
        }
    }
}
