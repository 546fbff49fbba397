//! Tests of exports. A verified export has the same result as the store, and each change of an export is found and named.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use proptest::prelude::*;
use proptest::sample::Index;
use sillok::store::{
    Append, EventId, EventStore, IdempotencyKey, KeyOrigin, MemoryLog, RecordedTime, StreamId, Verification,
    Version,
};
use sillok_bridge::{LineVerifier, parse_events, read_commits};

const KEY: &str = "request \"7\"";

/// The verification and the export of a stream of four commits, with the versions 1, 3, 4 and 5, that is truncated before a
/// version.
fn exported(before: u64) -> (Verification, String) {
    let (mut store, stream) = (EventStore::new(MemoryLog::new()), StreamId::new("account \"é\"").unwrap());
    for (time, events, key) in [
        (1000, r#"{"type":"Opened","data":{ "a" : 1e400,"b":"\u0000\n" },"id":"1"}"#, None),
        (2000, "[{\"type\":\"A\",\"id\":\"2\",\"data\":[1,\n\t2]},{\"type\":\"B\",\"id\":\"3\"}]", Some(KEY)),
        (1500, r#"{"type":"세종","metadata":{"m":"🦀"},"id":"4"}"#, None),
        (3000, r#"{"type":"Closed","id":"5"}"#, None),
    ] {
        let key = key.map(|key| IdempotencyKey::new(key).unwrap());
        let append = Append { key, ..Append::to(stream.clone(), parse_events(events).unwrap()) };
        store.append(append, RecordedTime::from_millis(time), &mut EventId::default).unwrap();
    }
    store.truncate(&stream, Version::new(before).unwrap()).unwrap();
    let commits = read_commits(&store, &stream, None).unwrap();
    assert_eq!((commits.version, commits.next), (5, None));
    (store.verify(&stream).unwrap(), commits.text)
}

fn found(lines: &str) -> Verification {
    let mut verifier = LineVerifier::default();
    let _ = lines.split('\n').all(|line| verifier.add(line));
    verifier.found()
}

#[test]
fn an_export_is_these_lines() {
    let (_, lines) = exported(2);
    let expected = [
        r#"{"stream":"account \"é\"","base":{"version":1,"hash":"#,
        r#"{"stream":"account \"é\"","firstVersion":2,"version":3,"time":2000,"key":"request \"7\"","keyOrigin":"client","hash":"#,
        r#"{"stream":"account \"é\"","firstVersion":4,"version":4,"time":2000,"hash":"#,
        r#"{"stream":"account \"é\"","firstVersion":5,"version":5,"time":3000,"hash":"#,
    ];
    assert!(lines.ends_with('\n'));
    assert_eq!(lines.lines().count(), expected.len());
    for (line, expected) in lines.lines().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    let events = r#","events":"[{\"id\":\"2\",\"type\":\"A\",\"data\":[1,\n\t2]},{\"id\":\"3\",\"type\":\"B\",\"data\":null}]"}"#;
    assert!(lines.lines().nth(1).unwrap().ends_with(events), "{lines}");
}

/// A line of an export from the time before keys had an origin.
const WITHOUT_ORIGIN: &str = concat!(
    r#"{"stream":"account-42","firstVersion":1,"version":1,"time":1795414193187,"key":"k-1","#,
    r#""hash":"7b0948261ab25ceaccbc0c8ef51a17aa3b55ea5006ab3395ca623c4bac5c452b","#,
    r#""events":"[{\"id\":\"01a20706-7424-73ce-91a2-b961b0cb8c00\",\"type\":\"Opened\",\"data\":{\"owner\":\"세종\"}}]"}"#
);

#[test]
fn an_export_from_before_keys_had_an_origin_is_still_verified() {
    let verified = found(WITHOUT_ORIGIN);
    assert_eq!((verified.broken, verified.commits), (None, 1));
    let with = |members: &str| WITHOUT_ORIGIN.replace(r#""key":"k-1""#, members);
    for members in [
        r#""key":"k-1","keyOrigin":"client""#,
        r#""keyOrigin":"client""#,
        r#""key":"client\tk-1""#,
        r#""key":"k-1","keyOrigin":"","#,
        r#""key":"k-1","other":1"#,
    ] {
        assert!(found(&with(members)).broken.is_some(), "{members}");
    }
}

#[test]
fn the_origin_of_a_key_is_exported_and_verified() {
    let (mut store, stream) = (EventStore::new(MemoryLog::new()), StreamId::new("s").unwrap());
    for origin in [KeyOrigin::Client, KeyOrigin::Reactor] {
        let events = parse_events(r#"{"type":"A"}"#).unwrap();
        let append = Append::to(stream.clone(), events).keyed(IdempotencyKey::of(origin, "k").unwrap());
        store.append(append, RecordedTime::default(), &mut EventId::default).unwrap();
    }
    let lines = read_commits(&store, &stream, None).unwrap().text;
    assert_eq!(found(&lines), store.verify(&stream).unwrap());
    for (version, origin, other) in [(1, "client", "reactor"), (2, "reactor", "client")] {
        let members = format!(r#""key":"k","keyOrigin":"{origin}","#);
        assert!(lines.lines().nth(version - 1).unwrap().contains(&members), "{lines}");
        for forged in [members.replace(origin, other), r#""key":"k","#.to_owned(), String::new()] {
            let broken = found(&lines.replace(&members, &forged)).broken.unwrap();
            assert_eq!(broken.version, version as u64, "{forged}");
        }
    }
}

#[test]
fn an_export_is_as_intact_as_its_store() {
    for before in 1..=6 {
        let (verified, lines) = exported(before);
        // Version 2 of the commit of versions 2 and 3 is forgotten, so this commit is not in the export.
        let commits = if before == 3 { verified.commits - 1 } else { verified.commits };
        assert_eq!(found(&lines), Verification { commits, ..verified }, "before {before}");
    }
    assert_eq!(found(""), Verification::default());
}

#[test]
fn every_altered_byte_is_found_and_named() {
    for before in [1, 2] {
        let (_, lines) = exported(before);
        for place in 0..lines.len() {
            for change in [1, 2, 0x20] {
                let mut bytes = lines.clone().into_bytes();
                bytes[place] ^= change;
                // Lines are text. Bytes that are not text never reach the verifier.
                let Ok(altered) = String::from_utf8(bytes) else { continue };
                let line = lines.bytes().take(place).filter(|byte| *byte == b'\n').count();
                let found = found(&altered);
                assert!(found.broken.is_some(), "byte {place} is not found:\n{altered}");
                // Exactly the commits before this line are verified.
                let commits = u64::try_from(line).unwrap().saturating_sub(before - 1);
                assert_eq!(found.commits, commits, "byte {place}: {altered}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn lines_that_are_lost_repeated_or_moved_are_found(from: Index, to: Index, before in 1..3_u64) {
        let (whole, lines) = exported(before);
        let mut lines: Vec<&str> = lines.lines().collect();
        let moved = lines.remove(from.index(lines.len()));
        let lost = found(&lines.join("\n"));
        // Lost lines at the end leave no gap. There the head differs.
        prop_assert!(lost.broken.is_some() || lost.head != whole.head);
        let place = to.index(lines.len() + 1);
        lines.insert(place, moved);
        prop_assert_eq!(found(&lines.join("\n")).broken.is_some(), place != from.index(lines.len()));
        lines.insert(to.index(lines.len()), moved);
        prop_assert!(found(&lines.join("\n")).broken.is_some());
    }

    #[test]
    fn any_lines_are_intact_or_broken(lines in prop::collection::vec(any::<String>(), 0..4)) {
        let mut verifier = LineVerifier::default();
        for line in &lines {
            let holds = verifier.add(line);
            prop_assert_eq!(holds, line.trim().is_empty() && verifier.found().broken.is_none());
        }
    }
}
