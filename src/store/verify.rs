//! Proving that a history was not altered.

use std::ops::ControlFlow;

use super::commit::CommitView;
use super::content;
use super::event_store::EventStore;
use super::hash::CommitHash;
use super::log::{Base, StorageError, StreamLog};
use super::range::Direction;
use super::stream_id::StreamId;
use super::version::Version;

/// What a verification found. The history is intact where nothing is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The version up to which the chain was followed.
    pub version: Version,
    /// The hash there. Whoever noted it before can see that the history is still the same.
    pub head: CommitHash,
    /// How many commits were verified.
    pub commits: u64,
    /// The first commit that is not as it was written.
    pub broken: Option<BrokenCommit>,
}

/// A commit that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenCommit {
    /// The version under which the commit lies in the store.
    pub version: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl<L: StreamLog> EventStore<L> {
    /// Computes the stream's hash chain anew, from its first commit or from where it was truncated.
    ///
    /// Every byte of a commit is covered: its version, time, key, events and hash. That the last commits were removed
    /// cannot be seen from what remains; compare [`Verification::head`] with a hash noted elsewhere.
    ///
    /// # Errors
    /// [`StorageError::Failed`]; what is corrupt is reported as broken.
    pub fn verify(&self, stream: &StreamId) -> Result<Verification, StorageError> {
        let mut chain = Chain { stream, last: Base::default(), commits: 0 };
        let outcome = self.follow(&mut chain);
        let broken = match outcome {
            Ok(()) => None,
            Err(StorageError::Corrupt { version, reason }) => Some(BrokenCommit { version, reason }),
            Err(failed) => return Err(failed),
        };
        Ok(Verification {
            version: chain.last.version,
            head: chain.last.hash,
            commits: chain.commits,
            broken,
        })
    }

    fn follow(&self, chain: &mut Chain<'_>) -> Result<(), StorageError> {
        chain.last = self.log.base(chain.stream)?;
        let start = chain.last.version.after(1).unwrap_or(Version::MAX);
        let mut outcome = Ok(());
        self.log.scan(chain.stream, start, Direction::Forward, &mut |commit| {
            outcome = chain.add(&commit);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        outcome
    }
}

/// The chain as far as it was followed.
struct Chain<'a> {
    stream: &'a StreamId,
    last: Base,
    commits: u64,
}

impl Chain<'_> {
    fn add(&mut self, commit: &CommitView<'_>) -> Result<(), StorageError> {
        let first_version = content::decode(commit)?.first_version;
        let broken = |reason: &str| Err(StorageError::corrupt(commit.version.get(), reason));
        if Some(first_version) != self.last.version.after(1) {
            return broken("it does not follow on the commit before it");
        }
        if self.last.hash.followed_by(self.stream, commit) != commit.hash {
            return broken("its hash is not that of its content and the commit before it");
        }
        if commit.time < self.last.time {
            return broken("it is older than the commit before it");
        }
        let (version, time, hash) = (commit.version, commit.time, commit.hash);
        self.last = Base { version, time, hash, ..self.last };
        self.commits += 1;
        Ok(())
    }
}
