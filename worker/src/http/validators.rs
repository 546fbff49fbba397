//! A validator changes whenever the content behind it may have changed. The test appends to random streams, truncates and
//! deletes them, and compares everything that reads return. A failure names its seed.

#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::HashMap;

use sillok::ErrorCode;
use sillok::store::{
    Append, Direction, EventId, EventStore, EventType, ExpectedVersion, JsonText, MemoryLog, NewEvent,
    ReadRange, RecordedTime, StreamId, Version,
};
use sillok_bridge::{read_commits, read_page};

use super::precondition::{EntityTag, expected_version, is_known};

const SEEDS: u64 = 500;
const STEPS: u64 = 40;

/// A source of random numbers. The same seed returns the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Subject {
    store: EventStore<MemoryLog>,
    stream: StreamId,
    random: Random,
    now: u64,
}

impl Subject {
    fn new(seed: u64) -> Self {
        let random = Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let stream = StreamId::new("s").unwrap();
        Self { store: EventStore::new(MemoryLog::new()), stream, random, now: 0 }
    }

    /// Appends or truncates at random.
    fn step(&mut self) {
        self.now += 1;
        let version = self.store.head(&self.stream).unwrap().version.get();
        if version > 0 && self.random.below(4) == 0 {
            let before = Version::new(1 + self.random.below(version + 1)).unwrap();
            self.store.truncate(&self.stream, before).unwrap();
        } else {
            let count = 1 + self.random.below(3);
            let event = |_| NewEvent::new("A", JsonText::from_value(&self.now).unwrap()).unwrap();
            let append = Append::to(self.stream.clone(), (0..count).map(event).collect());
            self.store.append(append, RecordedTime::from_millis(self.now), &mut EventId::default).unwrap();
        }
    }

    fn entity_tag(&self) -> EntityTag {
        let head = self.store.head(&self.stream).unwrap();
        EntityTag::new(head.version.get(), head.first_version().get())
    }

    /// Everything that reads under a validator return: the head, pages, and the commits.
    fn shown(&self) -> String {
        let head = self.store.head(&self.stream).unwrap();
        let mut shown = format!("{} {} {:?}", head.version, head.first_version(), head.time);
        let bounds = [(None, None, None), (Some(3), None, Some(2)), (None, Some(5), Some(3))];
        for ((from, to, limit), direction) in bounds
            .into_iter()
            .flat_map(|bounds| [(bounds, Direction::Forward), (bounds, Direction::Backward)])
        {
            let range = ReadRange::new(from, to, limit, direction).unwrap();
            for range in [range.clone(), range.of_type(EventType::new("B").unwrap())] {
                let page = read_page(&self.store, &self.stream, &range).unwrap();
                assert_eq!(EntityTag::from(&page), self.entity_tag());
                shown.push_str(&format!("{} {:?}", page.events, page.next));
            }
        }
        let exported = read_commits(&self.store, &self.stream, None).unwrap();
        assert_eq!(exported.first_version, Some(head.first_version().get()));
        shown + &exported.text
    }
}

#[test]
fn a_validator_stands_for_one_representation() {
    eprintln!("{SEEDS} streams, of the seeds from 0 on, with {STEPS} steps each");
    for seed in 0..SEEDS {
        let mut subject = Subject::new(seed);
        let mut shown_under: HashMap<String, String> = HashMap::new();
        for _ in 0..STEPS {
            let tag = subject.entity_tag();
            let shown = subject.shown();
            let known = shown_under.entry(tag.to_string()).or_insert_with(|| shown.clone());
            assert_eq!(*known, shown, "seed {seed}: {tag} stands for two things");
            assert!(is_known(&tag.to_string(), tag), "seed {seed}: {tag}");
            subject.step();
            let changed = subject.shown() != shown;
            let is_known = is_known(&tag.to_string(), subject.entity_tag());
            assert!(!(changed && is_known), "seed {seed}: {tag} is known, but not what it stands for");
        }
        // Every earlier tag still names its version.
        for tag in shown_under.keys() {
            let version = tag.trim_matches('"').split('.').next().and_then(|version| version.parse().ok());
            let exactly = version.and_then(Version::new).map(ExpectedVersion::Exactly);
            assert_eq!(expected_version(Some(tag), None).ok(), exactly, "seed {seed}: {tag}");
        }
        subject.store.delete(&subject.stream).unwrap();
        let refused = read_page(&subject.store, &subject.stream, &ReadRange::all());
        assert_eq!(
            refused.map_err(|error| error.code()).err(),
            Some(ErrorCode::StreamDeleted),
            "seed {seed}"
        );
    }
}
