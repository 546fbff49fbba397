//! Bounds of pages. For every stored history, a page looks at no more than its budget and one commit. A reader that
//! follows `next` reaches all events, on every log. The tests print the seeds and the number of cases. `SILLOK_BOUNDED_SEED`
//! runs one seed.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

#[path = "../sqlite/database.rs"]
#[allow(dead_code)]
mod database;
mod history;
mod looked;
#[path = "../sim/random.rs"]
#[allow(dead_code)]
mod random;

use history::History;
use looked::{CountedSql, Looked, Rows};
use random::Random;
use sillok::gateway::Journal;
use sillok::store::sqlite::StreamsTable;
use sillok::store::{
    Category, Direction, DirectoryRange, EventStore, EventType, Exported, FeedLog, FeedRange, MemoryLog,
    Position, ReadError, ReadRange, StreamDirectory, StreamId, StreamLog, Verifier, Version, read_directory,
    visit_feed,
};

const CASES: u64 = 3;

/// Runs a check for some seeds, each with a history of its own.
fn each_case(name: &str, check: impl Fn(&History, &mut Random)) {
    let chosen = std::env::var("SILLOK_BOUNDED_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds: Vec<u64> = chosen.map_or_else(|| (1..=CASES).collect(), |seed| vec![seed]);
    println!("{name}: {} cases, seeds {seeds:?}", seeds.len());
    for seed in seeds {
        println!("{name}: seed {seed}");
        let mut random = Random::seeded(seed);
        check(&History::hostile(&mut random), &mut random);
    }
}

/// The positions and streams of the events in a range, page after page.
fn events_of<L: FeedLog>(
    log: &Looked<L>,
    range_after: &dyn Fn(Position) -> FeedRange,
) -> Vec<(u64, String, String)> {
    let (mut found, mut after) = (Vec::new(), Position::START);
    loop {
        let end = visit_feed(log, &range_after(after), &mut |found_event| {
            let (stream, name) = (found_event.stream.to_owned(), found_event.event.event_type.to_owned());
            found.push((found_event.position.get(), stream, name));
        });
        let end = end.unwrap();
        log.page_is_bounded("a page of the feed");
        assert!(end.checkpoint > after || !end.more, "the page has not come on from {after}");
        after = end.checkpoint;
        if !end.more {
            assert_eq!(after, end.end);
            return found;
        }
    }
}

fn the_feed_is_bounded<L: FeedLog>(log: &Looked<L>, history: &History) {
    let all = events_of(log, &FeedRange::after);
    assert_eq!(all.len(), history.shown());
    for (category, types, limit) in [
        (Some("rare"), false, 1000),
        (None, true, 3),
        (Some("noise"), true, 1000),
        (Some("none"), false, 1000),
    ] {
        let range_after = |after| {
            let types = if types { vec![EventType::new("Rare").unwrap()] } else { Vec::new() };
            let range = FeedRange::after(after).limited(limit).unwrap().of_types(types);
            match category {
                Some(category) => range.of_category(Category::new(category).unwrap()),
                None => range,
            }
        };
        let wanted = all.iter().filter(|(_, stream, name)| {
            category.is_none_or(|category| stream.starts_with(&format!("{category}-")))
                && (!types || name == "Rare")
        });
        let wanted: Vec<_> = wanted.cloned().collect();
        assert_eq!(events_of(log, &range_after), wanted, "{category:?} {types}");
    }
}

fn the_directory_is_bounded<L: StreamDirectory>(log: &Looked<L>, history: &History) {
    let (mut names, mut next) = (Vec::new(), Some(String::new()));
    while let Some(after) = next {
        let range = DirectoryRange::new("", &after).limited(7).unwrap();
        let page = read_directory(log, &range).unwrap();
        log.page_is_bounded("a page of the directory");
        names.extend(page.streams.into_iter().map(|entry| entry.stream));
        next = page.next;
    }
    assert_eq!(names, history.names());
}

/// Checks every reader of a stream.
fn streams_are_bounded<L: StreamLog>(store: &EventStore<Looked<L>>, history: &History) {
    for stream in history.names() {
        let head = store.head(&stream).unwrap();
        let all = ReadRange::all();
        let rare = all.clone().of_type(EventType::new("Rare").unwrap());
        let backward = ReadRange::new(None, None, Some(1000), Direction::Backward).unwrap();
        for (range, is_all) in [(all, true), (rare, false), (backward, true)] {
            let (mut count, mut next) = (0, Some(range));
            while let Some(range) = next {
                let end = store.visit(&stream, &range, &mut |_| count += 1).unwrap();
                store.log().page_is_bounded("a page of a stream");
                next = end.next;
            }
            assert!(!is_all || count == head.version.get() - head.hidden.get(), "{stream}: {count}");
        }
        let mut verifier = Verifier::new(stream.clone());
        let mut more = true;
        while more {
            more = store.verify_page(&mut verifier).unwrap();
            store.log().page_is_bounded("a page of a verification");
        }
        assert_eq!((verifier.found().version, verifier.found().broken), (head.version, None));
        let (mut last, mut next) = (Version::EMPTY, None);
        loop {
            let end = store.export(&stream, next, Version::MAX, &mut |part| match part {
                Exported::Base { version, .. } => last = version,
                Exported::Commit { commit, .. } => last = commit.version,
            });
            next = end.unwrap().next;
            // If a truncation ends within a commit, the export reads this commit for its hash.
            store.log().page_is_bounded_behind(1, "a page of an export");
            if next.is_none() {
                break;
            }
        }
        assert_eq!(last, head.version, "{stream}");
    }
}

/// Forgets everything, page by page.
fn forgetting_is_bounded<L: StreamLog>(
    store: &mut EventStore<Looked<L>>,
    history: &History,
    random: &mut Random,
) {
    for stream in history.names() {
        let head = store.head(&stream).unwrap();
        store.log().page_is_bounded("a head");
        // The truncation first checks that the last commit can be read.
        let mut before = 0;
        let truncates = random.chance(500);
        if truncates {
            store.truncate(&stream, head.version.after(1).unwrap()).unwrap();
            before = 1;
        } else {
            store.delete(&stream).unwrap();
        }
        store.log().page_is_bounded_behind(before, "what is forgotten at once");
        let shown = |store: &EventStore<Looked<L>>| match store.read(&stream, &ReadRange::all()) {
            Ok(page) if truncates => {
                assert_eq!((page.version, page.events.len(), page.next), (head.version, 0, None));
            }
            Err(ReadError::StreamDeleted { .. }) if !truncates => {}
            other => panic!("{stream}: {other:?}"),
        };
        shown(store);
        store.log().begin();
        let mut more = true;
        while more {
            more = store.remove_forgotten(&stream).unwrap();
            store.log().page_is_bounded("a page of what is forgotten");
            shown(store);
            store.log().begin();
        }
        assert_eq!(store.verify(&stream).unwrap().broken, None);
        let base = store.log().base(&stream).unwrap();
        assert_eq!((base.version, base.hidden), (head.version, head.version), "{stream}: something is left");
    }
}

/// Checks every reader of a store with this history, page by page.
fn a_store_is_bounded<L: StreamLog + FeedLog + StreamDirectory>(
    log: Looked<L>,
    history: &History,
    random: &mut Random,
) {
    let mut store = EventStore::new(log);
    history.write(&mut store);
    store.log().begin();
    the_feed_is_bounded(store.log(), history);
    the_directory_is_bounded(store.log(), history);
    streams_are_bounded(&store, history);
    forgetting_is_bounded(&mut store, history, random);
}

#[test]
fn in_memory() {
    each_case("in memory", |history, random| {
        a_store_is_bounded(Looked::at(MemoryLog::new(), Rows::default()), history, random);
    });
}

#[test]
fn in_a_file() {
    each_case("in a file", |history, random| {
        let rows = Rows::default();
        let table = StreamsTable::new(CountedSql::new(&rows));
        a_store_is_bounded(Looked::at(table, rows), history, random);
    });
}

#[test]
fn in_a_journal() {
    each_case("in a journal", |history, _| {
        let rows = Rows::default();
        let mut journal = Journal::new(CountedSql::new(&rows), 1);
        history.forward(&mut journal);
        let journal = Looked::at(journal, rows);
        journal.begin();
        the_feed_is_bounded(&journal, history);
        the_directory_is_bounded(&journal, history);
    });
}

/// The stream of this name.
fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}
