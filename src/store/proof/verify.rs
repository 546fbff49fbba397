//! The verification of a stream's history.

use std::ops::ControlFlow;

use super::hash::CommitHash;
use crate::store::event_store::EventStore;
use crate::store::events::content;
use crate::store::events::event::RecordedTime;
use crate::store::limits::PAGE_LOOKED_AT;
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::{StorageError, StorageFault, StreamLog};
use crate::store::names::stream_id::StreamId;
use crate::store::reads::page_budget::PageBudget;
use crate::store::reads::range::Direction;
use crate::store::version::Version;

/// The result of a verification. The history is intact if `broken` is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The last verified version.
    pub version: Version,
    /// The hash at that version. Compare it with a hash that you noted before, to see that the history is still the
    /// same.
    pub head: CommitHash,
    /// The number of verified commits.
    pub commits: u64,
    /// The first commit that differs from what was written.
    pub broken: Option<BrokenCommit>,
}

/// A commit that differs from what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenCommit {
    /// The version under which the store has the commit.
    pub version: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The verified part of a chain: the values from which the verification continues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// The version of the last commit.
    pub version: Version,
    /// The time at which that commit was recorded.
    pub time: RecordedTime,
    /// The hash of the history, up to and including that commit.
    pub hash: CommitHash,
    /// The number of verified commits.
    pub commits: u64,
}

impl<L: StreamLog> EventStore<L> {
    /// Computes the stream's hash chain again, from its first commit or from its base.
    ///
    /// The chain covers every byte of a commit: its version, time, key, events and hash. It cannot show that the last
    /// commits were removed. Compare [`Verification::head`] with a hash that you noted elsewhere.
    ///
    /// # Errors
    /// [`StorageFault::Failed`]. Corrupt data is reported as broken.
    pub fn verify(&self, stream: &StreamId) -> Result<Verification, StorageError> {
        let mut verifier = Verifier::new(stream.clone());
        while self.verify_page(&mut verifier)? {}
        Ok(verifier.found())
    }

    /// Continues a verification by one page of commits, which is bounded in number and bytes. Returns whether there is
    /// more. It also verifies commits that are appended between two pages. If the stream was meanwhile truncated beyond
    /// the verified part, the verification continues after the new base.
    ///
    /// ```
    /// use sillok::store::{EventStore, MemoryLog, StreamId, Verifier};
    ///
    /// let store = EventStore::new(MemoryLog::new());
    /// let mut verifier = Verifier::new(StreamId::new("account-42")?);
    /// while store.verify_page(&mut verifier)? {
    ///     // Another may have its turn.
    /// }
    /// assert_eq!(verifier.found().broken, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StorageFault::Failed`]. Corrupt data is reported as broken.
    pub fn verify_page(&self, verifier: &mut Verifier) -> Result<bool, StorageError> {
        let outcome = self.follow(verifier);
        verifier.note(outcome)
    }

    fn follow(&self, verifier: &mut Verifier) -> Result<bool, StorageError> {
        let base = self.log.base(&verifier.stream)?;
        if base.version > verifier.last.version {
            let commits = verifier.last.commits;
            verifier.last = Followed { version: base.version, time: base.time, hash: base.hash, commits };
        }
        let Some(start) = verifier.last.version.after(1) else { return Ok(false) };
        let stream = verifier.stream.clone();
        let mut budget = PageBudget::of(PAGE_LOOKED_AT);
        let mut outcome = Ok(());
        self.log.scan(&stream, start, Direction::Forward, &mut |commit| {
            budget.look_at(commit.count_from(verifier.last.version), commit.events.len());
            outcome = verifier.check(&commit);
            if outcome.is_err() || budget.is_spent() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        outcome?;
        Ok(budget.is_spent() && verifier.last.version < self.log.head(&stream)?.version)
    }
}

/// Verifies the chain of a stream, commit after commit. The commits may come from any source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    stream: StreamId,
    last: Followed,
    broken: Option<BrokenCommit>,
}

impl Verifier {
    /// Begins before the stream's first commit.
    #[must_use]
    pub fn new(stream: StreamId) -> Self {
        Self::after(stream, Followed::default())
    }

    /// Continues after the verified part of a chain, or after the base of its stream.
    #[must_use]
    pub fn after(stream: StreamId, last: Followed) -> Self {
        Self { stream, last, broken: None }
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The verified part of the chain.
    #[must_use]
    pub fn followed(&self) -> Followed {
        self.last
    }

    /// Verifies the next commit. Returns whether the chain is still intact. After the first broken commit it accepts no
    /// more.
    pub fn add(&mut self, commit: &CommitView<'_>) -> bool {
        if self.broken.is_none() {
            let outcome = self.check(commit).map(|()| true);
            // Only a corrupt commit can be wrong here.
            let _ = self.note(outcome);
        }
        self.broken.is_none()
    }

    /// The result so far.
    #[must_use]
    pub fn found(&self) -> Verification {
        let Followed { version, hash, commits, .. } = self.last;
        Verification { version, head: hash, commits, broken: self.broken.clone() }
    }

    /// Notes corrupt data as broken. The verification ends there.
    fn note(&mut self, outcome: Result<bool, StorageError>) -> Result<bool, StorageError> {
        match outcome {
            Err(error) => match error.fault() {
                StorageFault::Corrupt { version, reason } => {
                    self.broken = Some(BrokenCommit { version: *version, reason: reason.clone() });
                    Ok(false)
                }
                _ => Err(error),
            },
            outcome => outcome,
        }
    }

    fn check(&mut self, commit: &CommitView<'_>) -> Result<(), StorageError> {
        let first_version = content::decode(commit)?.first_version;
        let broken = |reason: &str| Err(StorageError::corrupt(commit.version.get(), reason));
        if Some(first_version) != self.last.version.after(1) {
            return broken("it does not continue from the commit before it");
        }
        if self.last.hash.followed_by(&self.stream, commit) != commit.hash {
            return broken("its hash does not match its content and the commit before it");
        }
        if commit.time < self.last.time {
            return broken("it is older than the commit before it");
        }
        let (version, time, hash) = (commit.version, commit.time, commit.hash);
        self.last = Followed { version, time, hash, commits: self.last.commits + 1 };
        Ok(())
    }
}
