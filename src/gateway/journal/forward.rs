//! The message from an aggregate to the journal.

use crate::store::Commit;
use crate::store::StreamId;
use crate::store::Version;

/// Commits of one stream on their way to the journal, and the forgotten part of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The stream.
    pub stream: StreamId,
    /// The version of the last removed commit. The aggregate can forward only the commits after it.
    pub base: Version,
    /// The last hidden version of the stream.
    pub hidden: Version,
    /// Whether the stream was deleted.
    pub deleted: bool,
    /// Commits, where each follows directly on the one before it.
    pub commits: Vec<Commit>,
}

/// About how many bytes of memory a forward or a commit takes beside its texts.
const BESIDE_BYTES: usize = 100;

impl Forward {
    /// About how many bytes of memory the forward takes.
    pub(super) fn size(&self) -> usize {
        let commits = self.commits.iter().map(|commit| commit.events.len() + BESIDE_BYTES);
        commits.sum::<usize>() + self.stream.as_str().len() + BESIDE_BYTES
    }
}
