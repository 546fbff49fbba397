//! Limits on the stored form. Each row of an accepted append fits into a Durable Object, in the stream and in the
//! journal, and every event can be read again.

use crate::database::Database;
use crate::random::Random;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::gateway::{Forward, Journal};
use sillok::store::limits::{COMMIT_BYTES, COMMIT_EVENTS, METADATA_BYTES, ROW_BYTES};
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    Append, AppendError, Appended, Cause, Commit, Direction, EventId, EventStore, FeedRange, IdempotencyKey,
    InvalidEvent, JsonText, KeyOrigin, NewEvent, Position, ReadRange, RecordedTime, StreamId, StreamLog,
    Version, visit_feed,
};
use sillok::testing::Subject;

const CASES: u64 = 120;

/// A text of this many bytes, with characters that JSON escapes or with others.
fn text(random: &mut Random, bytes: usize) -> String {
    random.pick(&["x", "\"", "\\"]).repeat(bytes)
}

/// A number near one of these bounds, or anywhere below the last.
fn near(random: &mut Random, bounds: &[usize]) -> usize {
    let bound = random.pick(bounds);
    match random.below(3) {
        0 => random.index(bound + 1),
        1 => bound.saturating_sub(random.index(2000)),
        _ => bound + random.index(100),
    }
}

fn name(random: &mut Random) -> String {
    let bytes = random.pick(&[1, 30, 200]);
    text(random, bytes)
}

fn event(random: &mut Random, data_bytes: usize) -> NewEvent {
    let data = "x".repeat(data_bytes.max(2) - 2);
    let mut event = NewEvent::new(&name(random), JsonText::from_value(&data).unwrap()).unwrap();
    if random.chance(300) {
        event = event.with_id(&name(random)).unwrap();
    }
    if random.chance(500) {
        let note_bytes = random.pick(&[0, 10, 8000]);
        let note = text(random, note_bytes);
        let metadata = format!("{{ \"note\":{} }}", serde_json::to_string(&note).unwrap());
        event = event.clone().with_metadata(JsonText::parse(&metadata).unwrap()).unwrap_or(event);
    }
    event
}

/// An append of any size, with or without a key, with or without a cause.
fn append(random: &mut Random) -> Append {
    let count = near(random, &[1, 3, 1024]).max(1);
    let bytes = near(random, &[100, 20_000, COMMIT_BYTES]) / count;
    let events = (0..count).map(|_| event(random, bytes)).collect();
    let append = Append::to(StreamId::new(&name(random)).unwrap(), events);
    if random.chance(300) {
        return append.keyed(IdempotencyKey::new(&name(random)).unwrap());
    }
    if random.chance(300) {
        return append;
    }
    let correlation_bytes = near(random, &[1, 1000, METADATA_BYTES]);
    let correlation = text(random, correlation_bytes);
    let cause = Cause::within(EventId::new(&name(random)).unwrap(), &correlation);
    append.keyed(IdempotencyKey::of(KeyOrigin::Reactor, &name(random)).unwrap()).caused_by(cause)
}

/// The stored text of the commits.
fn commits<L: StreamLog>(store: &EventStore<L>, stream: &StreamId) -> Vec<Commit> {
    let mut found = Vec::new();
    let mut first_version = Version::FIRST;
    let end = store.export(stream, None, Version::MAX, &mut |part| {
        let sillok::store::Exported::Commit { first_version: first, commit } = part else { return };
        first_version = first;
        found.push(Commit {
            first_version,
            version: commit.version,
            time: commit.time,
            events: commit.events.into(),
            hash: commit.hash,
            key: None,
        });
    });
    end.unwrap();
    found
}

fn all_metadata<L: StreamLog>(subject: &Subject<L>, stream: &StreamId) -> Vec<JsonText> {
    let (mut metadata, mut next) = (Vec::new(), Some(ReadRange::all()));
    while let Some(range) = next {
        let page = subject.read(stream, &range).unwrap();
        metadata.extend(page.events.into_iter().map(|event| event.metadata));
        next = page.next;
    }
    metadata
}

/// The number of events in a journal with these commits. The database checks the journal's rows.
fn journaled(stream: &StreamId, commits: Vec<Commit>) -> usize {
    let mut journal = Journal::new(Database::in_memory(), 1);
    // The row beside it is as full as a row may be before it takes another commit.
    let filling = "x".repeat(500 * 1024);
    let filling = Commit {
        first_version: Version::FIRST,
        version: Version::FIRST,
        time: RecordedTime::default(),
        events: format!("[{{\"id\":\"f\",\"type\":\"F\",\"data\":\"{filling}\"}}]").into(),
        hash: sillok::store::CommitHash::NONE,
        key: None,
    };
    let forward = |stream: StreamId, commits| {
        let (base, hidden) = (Version::EMPTY, Version::EMPTY);
        Forward { stream, base, hidden, deleted: false, commits }
    };
    let other = StreamId::new("filling").unwrap();
    journal.record(&[forward(other, vec![filling]), forward(stream.clone(), commits)]).unwrap();
    let (mut found, mut range) = (0, Some(FeedRange::after(Position::START)));
    while let Some(next) = range {
        let end = visit_feed(&journal, &next, &mut |_| found += 1).unwrap();
        range = end.more.then(|| FeedRange::after(end.checkpoint));
    }
    found - 1
}

#[test]
fn every_accepted_append_is_stored_within_the_limits() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..CASES {
        let random = &mut Random::seeded(seed);
        let append = append(random);
        let (stream, count) = (append.stream.clone(), append.events.len());
        let mut many = Subject::new(EventStore::new(StreamsTable::new(Database::in_memory())));
        let mut one = Subject::new(EventStore::new(StreamTable::new(Database::in_memory())));
        let outcome = many.send(append.clone());
        // Only a database with many streams has positions.
        let without_position = outcome.clone().map(|appended| Appended { position: None, ..appended });
        assert_eq!(one.send(append), without_position, "seed {seed}");
        match outcome {
            Ok(appended) => {
                accepted += 1;
                assert_eq!(appended.version.get(), count as u64, "seed {seed}");
                let stored = commits(one.store(), &stream);
                assert!(stored.iter().all(|commit| commit.events.len() <= COMMIT_BYTES), "seed {seed}");
                let metadata = all_metadata(&many, &stream);
                assert_eq!(metadata.len(), count, "seed {seed}");
                assert!(metadata.iter().all(|text| text.as_str().len() <= METADATA_BYTES), "seed {seed}");
                assert_eq!(journaled(&stream, stored), count, "seed {seed}");
            }
            Err(error) => {
                refused += 1;
                let expected =
                    [ErrorCode::CommitTooLarge, ErrorCode::MetadataTooLarge, ErrorCode::TooManyEvents]
                        .contains(&error.code());
                assert!(expected, "seed {seed}: {error}");
                assert_eq!(one.store().head(&stream).unwrap().version, Version::EMPTY, "seed {seed}");
            }
        }
    }
    println!("{CASES} appends of the seeds 0 to {}: {accepted} accepted, {refused} refused", CASES - 1);
    assert!(accepted > CASES / 4 && refused > CASES / 4, "{accepted} accepted, {refused} refused");
}

/// A reaction to an event with a large correlation id.
fn reaction(count: usize, correlation_bytes: usize) -> Append {
    let event = NewEvent::new("Reacted", JsonText::null()).unwrap();
    let cause = Cause::within(EventId::new("cause").unwrap(), &"c".repeat(correlation_bytes));
    let stream = StreamId::new("account-42").unwrap();
    let key = IdempotencyKey::of(KeyOrigin::Reactor, "delivery:0").unwrap();
    Append::to(stream, vec![event; count]).keyed(key).caused_by(cause)
}

#[test]
fn the_ids_of_a_cause_count_towards_the_commit() {
    let mut subject = Subject::new(EventStore::new(StreamTable::new(Database::in_memory())));
    // In their stored form, these would be rows of 3 MB and 16 MB.
    for (count, correlation_bytes) in [(300, 10_000), (COMMIT_EVENTS, 16_000)] {
        let refused = subject.send(reaction(count, correlation_bytes));
        let bytes = match &refused {
            Err(AppendError::CommitTooLarge { bytes }) => *bytes,
            other => panic!("{other:?}"),
        };
        assert!(bytes > ROW_BYTES, "{bytes}");
    }
    assert_eq!(subject.send(reaction(60, 10_000)).unwrap().version.get(), 60);
}

#[test]
fn metadata_without_room_for_the_ids_of_a_cause_is_refused_and_named() {
    let mut subject = Subject::new(EventStore::new(StreamTable::new(Database::in_memory())));
    let frame = r#"{"correlationId":"","causationId":"cause"}"#.len();
    let refused = subject.send(reaction(2, METADATA_BYTES - frame + 1)).unwrap_err();
    let reason = InvalidEvent::MetadataTooLarge { bytes: METADATA_BYTES + 1 };
    assert_eq!(refused, AppendError::InvalidWithCause { event: 0, reason });
    assert_eq!(refused.code(), ErrorCode::MetadataTooLarge);
    assert_eq!(subject.store().head(&reaction(1, 1).stream).unwrap().version, Version::EMPTY);
    assert_eq!(subject.send(reaction(2, METADATA_BYTES - frame)).unwrap().version.get(), 2);
    // An append that took effect is answered, although it would be refused today.
    let again = subject.send(reaction(2, METADATA_BYTES)).unwrap();
    assert_eq!((again.version.get(), again.replayed), (2, true));
}

#[test]
fn an_event_that_fills_its_commit_is_read_from_either_end() {
    let mut subject = Subject::new(EventStore::new(StreamTable::new(Database::in_memory())));
    let stream = StreamId::new("account-42").unwrap();
    let frame = r#"[{"id":"own","type":"Large","data":""}]"#.len();
    let large = |bytes: usize| {
        let data = JsonText::from_value(&"x".repeat(bytes - frame)).unwrap();
        vec![NewEvent::new("Large", data).unwrap().with_id("own").unwrap()]
    };
    let refused = subject.send(Append::to(stream.clone(), large(COMMIT_BYTES + 1)));
    assert_eq!(refused, Err(AppendError::CommitTooLarge { bytes: COMMIT_BYTES + 1 }));
    subject.send(Append::to(stream.clone(), large(COMMIT_BYTES))).unwrap();
    for direction in [Direction::Forward, Direction::Backward] {
        let range = ReadRange::new(None, None, None, direction).unwrap();
        assert_eq!(subject.versions(&stream, &range).unwrap(), [1]);
    }
    assert_eq!(commits(subject.store(), &stream)[0].events.len(), COMMIT_BYTES);
    let stored: Vec<Box<RawValue>> =
        serde_json::from_str(&commits(subject.store(), &stream)[0].events).unwrap();
    assert_eq!(stored.len(), 1);
}
