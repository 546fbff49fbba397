//! Histories that are expensive to read: many unwanted events before a few wanted ones.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sillok::gateway::{Forward, Journal};
use sillok::store::{
    Append, Commit, CommitHash, Direction, EventId, EventStore, JsonText, MemoryLog, NewEvent, RecordedTime,
    StreamId, StreamLog, Version,
};

use crate::looked::CountedSql;
use crate::random::Random;
use crate::stream;

/// Equal commits of one stream.
struct Part {
    stream: StreamId,
    event_type: &'static str,
    commits: u64,
    /// The number of events in a commit, and the length of each.
    events: usize,
    bytes: usize,
}

/// The parts in their order, and the version before which each stream is truncated. `None` means that the stream is
/// deleted.
pub struct History {
    parts: Vec<Part>,
    forgotten: BTreeMap<StreamId, Option<u64>>,
    /// The number of events in each stream.
    versions: BTreeMap<StreamId, u64>,
}

impl History {
    pub fn hostile(random: &mut Random) -> Self {
        let mut parts = Vec::new();
        // Each shape spends another part of the budget.
        for shape in 0..5 {
            let number = random.below(3);
            let (commits, events, bytes) = match shape {
                0 => (10_500, 1, 0),
                1 => (7, 1, 1_000_000),
                2 => (12, 1024, random.index(30)),
                3 => (30, 1, 150_000 + random.index(150_000)),
                _ => (random.between(1, 5), random.index(3) + 1, 10),
            };
            let category = random.pick(&["noise", "noise", "other", "rare"]);
            let stream = stream(&format!("{category}-{number}"));
            parts.push(Part { stream, event_type: "Common", commits, events, bytes });
            if random.chance(700) {
                let stream = crate::stream(&format!("{}-{number}", random.pick(&["rare", "noise"])));
                parts.push(Part { stream, event_type: "Rare", commits: 1, events: 1, bytes: 0 });
            }
        }
        let mut versions = BTreeMap::new();
        for part in &parts {
            let count = part.commits * u64::try_from(part.events).unwrap();
            *versions.entry(part.stream.clone()).or_default() += count;
        }
        let mut forgotten = BTreeMap::new();
        for (stream, version) in &versions {
            if random.chance(400) {
                let before = random.chance(700).then(|| random.between(1, version + 1));
                forgotten.insert(stream.clone(), before);
            }
        }
        Self { parts, forgotten, versions }
    }

    /// The number of events that readers can see.
    pub fn shown(&self) -> usize {
        let shown = self.versions.iter().map(|(stream, version)| version - self.hidden(stream));
        usize::try_from(shown.sum::<u64>()).unwrap()
    }

    /// The streams that readers can see, in order.
    pub fn names(&self) -> Vec<StreamId> {
        let is_shown = |stream: &&StreamId| self.forgotten.get(*stream) != Some(&None);
        self.versions.keys().filter(is_shown).cloned().collect()
    }

    fn hidden(&self, stream: &StreamId) -> u64 {
        match self.forgotten.get(stream) {
            None => 0,
            Some(None) => self.versions[stream],
            Some(Some(before)) => before - 1,
        }
    }

    pub fn write<L: StreamLog>(&self, store: &mut EventStore<L>) {
        for part in &self.parts {
            part.write(store);
        }
        for (stream, before) in &self.forgotten {
            match before {
                Some(before) => {
                    store.truncate(stream, Version::new(*before).unwrap()).unwrap();
                }
                None => store.delete(stream).unwrap(),
            }
            // Some streams still have rows of forgotten events, which readers skip.
            if stream.as_str().ends_with('0') {
                while store.remove_forgotten(stream).unwrap() {}
            }
        }
    }

    /// Records the same commits in a journal, in the same order.
    pub fn forward(&self, journal: &mut Journal<CountedSql>) {
        let mut store = EventStore::new(MemoryLog::new());
        for part in &self.parts {
            let before = store.head(&part.stream).unwrap().version;
            part.write(&mut store);
            let commits = commits_after(&store, &part.stream, before);
            journal.record(&[forward_of(&part.stream, commits, Version::EMPTY, false)]).unwrap();
        }
        for (stream, before) in &self.forgotten {
            let hidden = Version::new(self.hidden(stream)).unwrap();
            journal.record(&[forward_of(stream, Vec::new(), hidden, before.is_none())]).unwrap();
        }
    }
}

impl Part {
    fn write<L: StreamLog>(&self, store: &mut EventStore<L>) {
        let data = JsonText::parse(&format!("\"{}\"", "x".repeat(self.bytes))).unwrap();
        let event = NewEvent::new(self.event_type, data).unwrap();
        for _ in 0..self.commits {
            let append = Append::to(self.stream.clone(), vec![event.clone(); self.events]);
            store.append(append, RecordedTime::default(), &mut EventId::default).unwrap();
        }
    }
}

fn commits_after(store: &EventStore<MemoryLog>, stream: &StreamId, mut last: Version) -> Vec<Commit> {
    let (mut commits, start) = (Vec::new(), last.after(1).unwrap());
    let scanned = store.log().scan(stream, start, Direction::Forward, &mut |commit| {
        commits.push(Commit {
            first_version: last.after(1).unwrap(),
            version: commit.version,
            time: commit.time,
            events: commit.events.into(),
            hash: CommitHash::NONE,
            key: None,
        });
        last = commit.version;
        ControlFlow::Continue(())
    });
    scanned.unwrap();
    commits
}

fn forward_of(stream: &StreamId, commits: Vec<Commit>, hidden: Version, deleted: bool) -> Forward {
    Forward { stream: stream.clone(), base: Version::EMPTY, hidden, deleted, commits }
}
