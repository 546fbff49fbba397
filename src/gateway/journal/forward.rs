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
