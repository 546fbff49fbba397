//! The hash that ties each commit to the one before it.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::store::logs::commit::CommitView;
use crate::store::names::stream_id::StreamId;

const BYTES: usize = 32;

/// A SHA-256 of a commit's content and of the hash before it. So it depends on the whole history up to that commit.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CommitHash([u8; BYTES]);

impl CommitHash {
    /// The hash before a stream's first commit: zeros.
    pub const NONE: Self = Self([0; BYTES]);

    /// Makes a hash from 32 bytes. `None` for any other number of bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads a hash as it is [written](fmt::Display): 64 hexadecimal digits in lower case. `None` for any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = Self::NONE;
        for (place, byte) in hash.0.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        // The parser accepts signs, capitals and other lengths. The hash is written without them.
        (hash.to_string() == text).then_some(hash)
    }

    /// The hash as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// The next hash of the chain: SHA-256 over these 32 bytes and the commit's content. The content is the stream's
    /// id, the commit's version, its time in milliseconds, its idempotency key as it is stored (empty without one) and
    /// the text of its events, with a line feed between them. Only the last part can contain a line feed, so different
    /// commits have different contents.
    #[must_use]
    pub fn followed_by(&self, stream: &StreamId, commit: &CommitView<'_>) -> Self {
        let key = commit.key.unwrap_or_default();
        let head = format!("{stream}\n{}\n{}\n{key}\n", commit.version, commit.time.as_millis());
        let hash = Sha256::new().chain_update(self.0).chain_update(head).chain_update(commit.events);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for CommitHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
