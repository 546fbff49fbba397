//! The recent changes of a projection's documents: which keys have changed since which stored state.
//!
//! They are in memory only, so they cost no row. A follower that comes from before them gets all documents again.

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use crate::handler::stored::state::State;
use crate::store::Checkpoint;
use crate::store::limits::RECENT_CHANGES_BYTES;

/// The size of a commit or a key in memory, without its text, in bytes. It is an estimate.
const FRAME_BYTES: usize = 64;

/// A stored state of the documents. Two states with different documents have different marks, also if the consumer was
/// deleted and defined again in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::handler) struct Mark {
    pub(in crate::handler) revision: u64,
    generation: u64,
    checkpoint: Checkpoint,
}

impl Mark {
    fn of(state: &State) -> Self {
        let live = &state.live;
        Self { revision: state.revision, generation: live.generation, checkpoint: live.checkpoint.clone() }
    }

    /// Reads a mark as it is [written](fmt::Display), for a feed with this number of partitions.
    pub(in crate::handler) fn parse(text: &str, partitions: usize) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (revision, generation) = (number(parts.next()?)?, number(parts.next()?)?);
        let checkpoint = Checkpoint::parse(parts.next()?, partitions).ok()?;
        Some(Self { revision, generation, checkpoint })
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-{}", self.revision, self.generation, self.checkpoint)
    }
}

/// The documents that one commit has changed last: no later commit has changed them again.
#[derive(Debug)]
struct Commit {
    mark: Mark,
    /// The keys in their order.
    keys: Vec<Rc<str>>,
}

impl Commit {
    fn bytes(&self) -> usize {
        self.keys.iter().map(|key| FRAME_BYTES + key.len()).sum::<usize>() + FRAME_BYTES
    }
}

/// The commits after a mark, and the keys that they have changed.
#[derive(Debug)]
pub(in crate::handler) struct RecentChanges {
    start: Mark,
    commits: VecDeque<Commit>,
    /// Whether there is something new for followers since they were last told.
    news: bool,
}

impl RecentChanges {
    /// No change is known before this state.
    pub(in crate::handler) fn since(state: &State) -> Self {
        Self { start: Mark::of(state), commits: VecDeque::new(), news: false }
    }

    /// The last commit.
    pub(in crate::handler) fn end(&self) -> &Mark {
        self.commits.back().map_or(&self.start, |commit| &commit.mark)
    }

    /// Whether all changes after this mark are known. If `is_whole` is false, a part of the mark's own commit is needed
    /// too.
    pub(in crate::handler) fn know(&self, mark: &Mark, is_whole: bool) -> bool {
        (is_whole && *mark == self.start) || self.commits.iter().any(|commit| commit.mark == *mark)
    }

    /// The changed keys after a mark, in the order of the commits, and with `within` also those of its own commit after
    /// this key.
    pub(in crate::handler) fn after<'a>(
        &'a self,
        mark: &'a Mark,
        within: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Mark, &'a str)> {
        let is_after = move |commit: &Commit, key: &str| {
            commit.mark.revision > mark.revision
                || (commit.mark.revision == mark.revision && within.is_some_and(|within| key > within))
        };
        self.commits.iter().flat_map(move |commit| {
            let keys = commit.keys.iter().filter(move |key| is_after(commit, key));
            keys.map(move |key| (&commit.mark, &**key))
        })
    }

    /// Notes that a commit has stored this state and has changed the live documents of these keys, which are in their
    /// order. If other documents have taken the place of the live ones, no earlier change counts any more.
    pub(in crate::handler) fn note(&mut self, state: &State, keys: Vec<Rc<str>>) {
        let (mark, end) = (Mark::of(state), self.end());
        if mark.generation != end.generation {
            *self = Self { news: true, ..Self::since(state) };
            return;
        }
        // A change of the status alone is none for followers.
        self.news |= !keys.is_empty() || mark.checkpoint != end.checkpoint;
        if !keys.is_empty() {
            for commit in &mut self.commits {
                commit.keys.retain(|key| keys.binary_search(key).is_err());
            }
        }
        self.commits.push_back(Commit { mark, keys });
        let mut bytes: usize = self.commits.iter().map(Commit::bytes).sum();
        while bytes > RECENT_CHANGES_BYTES {
            let Some(oldest) = self.commits.pop_front() else { break };
            bytes -= oldest.bytes();
            self.start = oldest.mark;
        }
    }

    /// Forgets all changes, unless the last commit has stored this state. Call it after the state was read again.
    pub(in crate::handler) fn resume(&mut self, state: &State) {
        if *self.end() != Mark::of(state) {
            *self = Self { news: true, ..Self::since(state) };
        }
    }

    /// The revision of the last commit, if there is something new for followers since the last call.
    pub(in crate::handler) fn take_news(&mut self) -> Option<u64> {
        std::mem::take(&mut self.news).then(|| self.end().revision)
    }
}
