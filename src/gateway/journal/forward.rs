//! What an aggregate tells the journal.

use crate::store::Commit;
use crate::store::StreamId;
use crate::store::Version;

/// Commits of one stream on their way to the journal, and what of the stream is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The stream.
    pub stream: StreamId,
    /// The version of the last commit that the stream no longer has: the journal cannot be given more than what follows.
    pub base: Version,
    /// The last version of the stream that is no longer shown.
    pub hidden: Version,
    /// Whether the stream was deleted.
    pub deleted: bool,
    /// Commits, each following on the one before it.
    pub commits: Vec<Commit>,
}

/// The memory that a forward or a commit takes beside its texts, roughly, in bytes.
const BESIDE_BYTES: usize = 100;

impl Forward {
    /// The memory that the forward takes, roughly, in bytes.
    pub(super) fn size(&self) -> usize {
        let commits = self.commits.iter().map(|commit| commit.events.len() + BESIDE_BYTES);
        commits.sum::<usize>() + self.stream.as_str().len() + BESIDE_BYTES
    }
}
