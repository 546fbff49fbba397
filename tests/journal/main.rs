//! The journal over SQLite. It records forwards once and in order, whatever happens to the messages.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

mod clock;
#[path = "../sqlite/database.rs"]
#[allow(dead_code)]
mod database;
mod forwarding;
#[path = "../sim/jumping.rs"]
mod jumping;
mod waking;

use database::Database;
use sillok::gateway::{Forward, Journal, RecordError};
use sillok::store::{Commit, CommitHash, FeedRange, Position, RecordedTime, StreamId, Version, visit_feed};

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

fn commit(first: u64, last: u64) -> Commit {
    let event = |version| format!("{{\"id\":\"{version}\",\"type\":\"Counted\",\"data\":{version}}}");
    let events: Vec<String> = (first..=last).map(event).collect();
    Commit {
        first_version: version(first),
        version: version(last),
        time: RecordedTime::from_millis(last),
        events: format!("[{}]", events.join(",")).into(),
        hash: CommitHash::NONE,
        key: None,
    }
}

fn forward(stream: &str, commits: &[(u64, u64)]) -> Forward {
    Forward {
        stream: StreamId::new(stream).unwrap(),
        base: Version::EMPTY,
        hidden: Version::EMPTY,
        deleted: false,
        commits: commits.iter().map(|(first, last)| commit(*first, *last)).collect(),
    }
}

fn events(journal: &Journal<Database>) -> Vec<(u64, String, u64)> {
    let mut found = Vec::new();
    let end = visit_feed(journal, &FeedRange::after(Position::START), &mut |event| {
        found.push((event.position.get(), event.stream.to_owned(), event.event.version.get()));
    });
    assert!(!end.unwrap().more);
    found
}

fn versions(journal: &mut Journal<Database>, forwards: &[Forward]) -> Vec<u64> {
    journal.record(forwards).unwrap().versions.into_iter().map(Version::get).collect()
}

#[test]
fn a_repeated_forward_is_recorded_once_and_a_gap_is_asked_for() {
    let mut journal = Journal::new(Database::in_memory(), 1);
    assert_eq!(versions(&mut journal, &[forward("a", &[(1, 2)]), forward("b", &[(1, 1)])]), [2, 1]);
    assert_eq!(versions(&mut journal, &[forward("a", &[(1, 2), (3, 3)])]), [3]);
    assert_eq!(versions(&mut journal, &[forward("a", &[(5, 5)])]), [3], "version 4 is missing");
    assert_eq!(versions(&mut journal, &[forward("a", &[(1, 2)])]), [3], "an old one, overtaken");
    let repeated = [forward("a", &[(4, 4)]), forward("a", &[(4, 4), (5, 5)])];
    assert_eq!(versions(&mut journal, &repeated), [4, 5]);
    let expected = [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("a", 4), ("a", 5)];
    let expected: Vec<_> = (1..)
        .zip(expected)
        .map(|(position, (stream, version))| (position, stream.to_owned(), version))
        .collect();
    assert_eq!(events(&journal), expected);
}

#[test]
fn a_group_is_one_row_and_a_stream_one_more() {
    let database = Database::in_memory();
    let mut journal = Journal::new(database.clone(), 1);
    let names: Vec<String> = (0..100).map(|number| format!("account-{number}")).collect();
    let forwards: Vec<Forward> = names.iter().map(|name| forward(name, &[(1, 1)])).collect();
    journal.record(&forwards).unwrap();
    let count = |table: &str| -> u32 {
        database.0.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("groups_v1"), count("streams_v1")), (1, 100));
    journal.record(&forwards).unwrap();
    assert_eq!((count("groups_v1"), count("streams_v1")), (1, 100));
}

/// A commit whose stored events have this many bytes.
fn large(version: u64, bytes: usize) -> Commit {
    let frame = r#"[{"id":"e","type":"Large","data":""}]"#.len();
    let data = "x".repeat(bytes - frame);
    let events = format!(r#"[{{"id":"e","type":"Large","data":"{data}"}}]"#).into();
    Commit { events, ..commit(version, version) }
}

#[test]
fn no_row_is_larger_than_a_row_may_be() {
    // The database refuses rows above the limit. Commits of more than 1 MiB are from the time before this limit applied
    // to the stored form.
    let database = Database::in_memory();
    let mut journal = Journal::new(database.clone(), 1);
    let sizes = [524_000, 1_048_576, 524_000, 1_900_000, 100, 100, 1_995_900];
    let commits: Vec<Commit> = (1..).zip(sizes).map(|(version, bytes)| large(version, bytes)).collect();
    let forward = Forward { commits, ..forward("a", &[]) };
    assert_eq!(versions(&mut journal, &[forward]), [7]);
    let mut statement = database.0.prepare("SELECT position FROM groups_v1 ORDER BY position").unwrap();
    let rows: Vec<u32> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [2, 3, 4, 6, 7]);
}

#[test]
fn as_many_streams_as_wait_are_recorded_at_once() {
    let database = Database::in_memory();
    let mut journal = Journal::new(database.clone(), 1);
    // The names alone are larger than a row.
    let name = |number: u64| format!("{number:05}{}", "\"".repeat(195));
    let forwards: Vec<Forward> = (0..6000).map(|number| forward(&name(number), &[(1, 1)])).collect();
    for _ in 0..2 {
        assert_eq!(versions(&mut journal, &forwards), vec![1; 6000]);
    }
    let streams: u32 = database.0.query_row("SELECT count(*) FROM streams_v1", [], |row| row.get(0)).unwrap();
    assert_eq!(streams, 6000);
}

#[test]
fn forgotten_events_are_hidden_and_their_positions_stay() {
    let mut journal = Journal::new(Database::in_memory(), 1);
    journal.record(&[forward("a", &[(1, 3)]), forward("b", &[(1, 1)])]).unwrap();
    journal.record(&[Forward { hidden: version(2), ..forward("a", &[(4, 4)]) }]).unwrap();
    let shown = |journal: &Journal<Database>| {
        events(journal).into_iter().map(|(position, ..)| position).collect::<Vec<_>>()
    };
    assert_eq!(shown(&journal), [3, 4, 5]);
    let deleted = Forward { base: version(4), hidden: version(4), deleted: true, ..forward("a", &[]) };
    assert_eq!(versions(&mut journal, &[deleted]), [4]);
    assert_eq!(shown(&journal), [4]);
    journal.record(&[forward("b", &[(2, 2)])]).unwrap();
    assert_eq!(shown(&journal), [4, 6]);
}

#[test]
fn a_stream_whose_beginning_is_gone_is_recorded_from_there() {
    let mut journal = Journal::new(Database::in_memory(), 1);
    let cut = Forward { base: version(7), hidden: version(8), ..forward("a", &[(8, 9)]) };
    assert_eq!(versions(&mut journal, &[cut]), [9]);
    assert_eq!(events(&journal), [(2, "a".to_owned(), 9)]);
}

#[test]
fn the_number_of_partitions_cannot_change() {
    let database = Database::in_memory();
    Journal::new(database.clone(), 2).record(&[forward("a", &[(1, 1)])]).unwrap();
    let refused = Journal::new(database.clone(), 3).record(&[forward("a", &[(2, 2)])]);
    assert_eq!(refused.unwrap_err(), RecordError::PartitionsChanged { begun: 2, now: 3 });
    Journal::new(database, 2).record(&[forward("a", &[(2, 2)])]).unwrap();
}

#[test]
fn the_sequence_gap_a_reader_never_sees_a_position_before_all_smaller_ones() {
    // If positions came from a sequence, a reader could see 8 before the transaction with 7 commits, and would never
    // see 7. Here a reader always sees exactly the positions up to the end, and continues from there.
    let database = Database::in_memory();
    let mut journal = Journal::new(database.clone(), 1);
    let reader = Journal::new(database, 1);
    let (mut seen, mut after) = (Vec::new(), Position::START);
    for round in 1..=50 {
        let forwards: Vec<Forward> = (0..=round % 4)
            .map(|stream| forward(&format!("s-{stream}"), &[(1, 1)]))
            .chain([forward("busy", &[(round, round)])])
            .collect();
        journal.record(&forwards).unwrap();
        let end = visit_feed(&reader, &FeedRange::after(after), &mut |event| seen.push(event.position.get()));
        after = end.unwrap().checkpoint;
        assert!(seen.iter().copied().eq(1..=after.get()), "{seen:?}");
        assert_eq!(after, journal.record(&[]).unwrap().end);
    }
}
