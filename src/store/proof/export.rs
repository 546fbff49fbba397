//! The export of whole commits. A reader of an export can verify it alone.

use std::ops::ControlFlow;

use super::hash::CommitHash;
use crate::store::event_store::EventStore;
use crate::store::limits::PAGE_LOOKED_AT;
use crate::store::logs::commit::CommitView;
use crate::store::logs::log::{StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;
use crate::store::reads::page_budget::PageBudget;
use crate::store::reads::range::Direction;
use crate::store::reads::read::ReadError;
use crate::store::version::Version;

/// A part of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exported<'a> {
    /// The beginning of the hash chain. It comes once, if something before it was forgotten.
    Base {
        /// The version of the last commit that is not exported.
        version: Version,
        /// The hash of the history, up to and including that commit.
        hash: CommitHash,
    },
    /// A commit, as it is stored.
    Commit {
        /// The version of its first event.
        first_version: Version,
        /// The stored commit.
        commit: CommitView<'a>,
    },
}

/// The end of a page, after its commits were visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportEnd {
    /// The version of the stream.
    pub version: Version,
    /// The first version that readers can see. It is `version` + 1 if all events are hidden.
    pub first_version: Version,
    /// The version after which the next page begins. `None` if this page is the last.
    pub next: Option<Version>,
}

impl<L: StreamLog> EventStore<L> {
    /// Calls `visit` with the commits of one page, oldest first. The page begins at the first commit, or after the
    /// version `after`. It contains no commits beyond `to`. A [`Verifier`](crate::store::Verifier) accepts the commits.
    ///
    /// An export leaves out every commit with a truncated event, even if later events of this commit can still be read.
    /// It never returns forgotten events.
    ///
    /// The export of a deleted stream has one page with the base.
    ///
    /// # Errors
    /// [`ReadError`], also if the stream was meanwhile deleted, or truncated beyond `after`. If the store failed,
    /// commits before the error have been visited.
    pub fn export(
        &self,
        stream: &StreamId,
        after: Option<Version>,
        to: Version,
        visit: &mut dyn FnMut(Exported<'_>),
    ) -> Result<ExportEnd, ReadError> {
        let head = self.log.head(stream)?;
        if let Some(after) = after {
            head.keeps(stream, after.after(1))?;
        }
        let (version, first_version) = (head.version, head.first_version());
        let (base, hash) = self.shown_base(stream)?;
        if after.is_none() && !base.is_empty() {
            visit(Exported::Base { version: base, hash });
        }
        let mut last = after.unwrap_or(base);
        let mut budget = PageBudget::of(PAGE_LOOKED_AT);
        let Some(start) = last.after(1) else { return Ok(ExportEnd { version, first_version, next: None }) };
        self.log.scan(stream, start, Direction::Forward, &mut |commit| {
            if commit.version > to {
                return ControlFlow::Break(());
            }
            budget.look_at(commit.count_from(last), commit.events.len());
            visit(Exported::Commit { first_version: last.after(1).unwrap_or(Version::MAX), commit });
            last = commit.version;
            if budget.is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let more = budget.is_spent() && last < version.min(to);
        Ok(ExportEnd { version, first_version, next: more.then_some(last) })
    }

    /// The last commit with a hidden event: its version, and the hash up to and including it.
    fn shown_base(&self, stream: &StreamId) -> Result<(Version, CommitHash), StorageError> {
        let base = self.log.base(stream)?;
        let mut shown = (base.version, base.hash);
        if base.hidden > base.version {
            self.log.scan(stream, base.hidden, Direction::Forward, &mut |commit| {
                shown = (commit.version, commit.hash);
                ControlFlow::Break(())
            })?;
        }
        Ok(shown)
    }
}
