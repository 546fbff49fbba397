//! The stored bytes: they are pinned here, with their price. Altered bytes are found.

use crate::database::Database;
use sha2::{Digest, Sha256};
use sillok::ErrorCode;
use sillok::store::limits::STREAM_BYTES;
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    Append, AppendError, EventStore, EventView, ExpectedVersion, IdempotencyKey, JsonText, NewEvent,
    ReadError, ReadRange, StorageFault, StreamId, Version,
};
use sillok::testing::Subject;

fn account() -> StreamId {
    StreamId::new("account-42").unwrap()
}

fn event(event_type: &str, data: &str) -> NewEvent {
    NewEvent::new(event_type, JsonText::parse(data).unwrap()).unwrap()
}

/// A database with one commit of two events.
fn database_with_a_commit() -> (Database, Subject<StreamTable<Database>>) {
    let database = Database::in_memory();
    let mut subject = Subject::new(EventStore::new(StreamTable::new(database.clone())));
    subject.set_clock(1_795_395_723_456);
    let metadata = JsonText::parse(r#"{"correlationId":"c-1"}"#).unwrap();
    let deposited = event("Deposited", "{ \"amount\" : 1e400 }").with_id("d-1").unwrap();
    let events = vec![event("Opened \"é\"", "null"), deposited.with_metadata(metadata).unwrap()];
    subject.append(&account(), ExpectedVersion::NoStream, events).unwrap();
    (database, subject)
}

#[test]
fn a_commit_is_stored_as_these_bytes() {
    type Stored = (i64, i64, Vec<u8>, String, Option<String>);
    let (database, mut subject) = database_with_a_commit();
    let closed =
        Append::to(account(), vec![event("Closed", "{}")]).keyed(IdempotencyKey::new("k-1").unwrap());
    subject.send(closed).unwrap();
    let mut statement = database.0.prepare("SELECT * FROM commits_v1 ORDER BY version").unwrap();
    let read =
        |row: &::rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let rows: Vec<Stored> = statement.query_map([], read).unwrap().map(Result::unwrap).collect();

    let first = r#"[{"id":"id-1","type":"Opened \"é\"","data":null},{"id":"d-1","type":"Deposited","data":{ "amount" : 1e400 },"metadata":{"correlationId":"c-1"}}]"#;
    let second = r#"[{"id":"id-2","type":"Closed","data":{}}]"#;
    // The test computes the hashes from the words of the format, and not by the store's code.
    let head = sha256(&[&[0; 32], b"account-42\n2\n1795395723456\n\n", first.as_bytes()]);
    let next = sha256(&[&head, b"account-42\n3\n1795395723456\nclient\tk-1\n", second.as_bytes()]);
    let expected: [Stored; 2] = [
        (2, 1_795_395_723_456, head, first.to_owned(), None),
        (3, 1_795_395_723_456, next, second.to_owned(), Some("client\tk-1".to_owned())),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_note_of_the_stores_own_is_stored_as_these_bytes() {
    let database = Database::in_memory();
    let mut subject = Subject::new(EventStore::new(StreamTable::new(database.clone())));
    let json = |text| JsonText::parse(text).unwrap();
    let forged = |metadata| event("Forged", "1").with_metadata(json(metadata)).unwrap();
    let events = vec![
        event("Saved", "{}").saved_with(json("[]")),
        forged(r#"{"a":1}"#).saved_with(json(r#"[["\ud83d","at"]]"#)),
        forged(r#"{"saved":{"dates":[["at"]]}}"#),
        forged(r#"{ "saved":{}}"#),
    ];
    subject.append(&account(), ExpectedVersion::Any, events).unwrap();
    let stored: String = database.0.query_row("SELECT events FROM commits_v1", [], |row| row.get(0)).unwrap();
    let expected = concat!(
        r#"[{"id":"id-1","type":"Saved","data":{},"saved":[]},"#,
        r#"{"id":"id-2","type":"Forged","data":1,"metadata":{"a":1},"saved":[["\ud83d","at"]]},"#,
        r#"{"id":"id-3","type":"Forged","data":1,"metadata":{"saved":{"dates":[["at"]]}},"saved":false},"#,
        r#"{"id":"id-4","type":"Forged","data":1,"metadata":{ "saved":{}}}]"#,
    );
    assert_eq!(stored, expected);
    let mut notes = Vec::new();
    let mut visit = |event: EventView<'_>| notes.push(event.saved.map(str::to_owned));
    let store = EventStore::new(StreamTable::new(database));
    store.visit(&account(), &ReadRange::all(), &mut visit).unwrap();
    assert_eq!(notes, [Some("[]".to_owned()), Some(r#"[["\ud83d","at"]]"#.to_owned()), None, None]);
    assert_eq!(store.verify(&account()).unwrap().broken, None);
}

#[test]
fn an_append_that_was_stored_before_notes_had_their_place_is_still_a_repeat() {
    let (database, mut subject) = database_with_a_commit();
    let metadata = JsonText::parse(r#"{"saved":{}}"#).unwrap();
    let noted = || {
        let event = event("Closed", "{}").with_metadata(metadata.clone()).unwrap();
        Append::to(account(), vec![event]).keyed(IdempotencyKey::new("k-1").unwrap())
    };
    subject.send(noted()).unwrap();
    let mark = "UPDATE commits_v1 SET events = replace(events, ',\"saved\":false', '') WHERE key = 'k-1'";
    for _ in 0..2 {
        assert!(subject.send(noted()).unwrap().replayed);
        database.0.execute(mark, []).unwrap();
    }
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    Sha256::digest(parts.concat()).to_vec()
}

#[test]
fn a_commit_with_any_number_of_events_is_one_row() {
    let (database, mut subject) = database_with_a_commit();
    let before = database.0.total_changes();
    let events = (0..1000).map(|_| event("Counted", "1")).collect();
    subject.append(&account(), ExpectedVersion::Any, events).unwrap();
    assert_eq!(database.0.total_changes() - before, 1);
}

#[test]
fn reading_a_stream_that_was_never_written_leaves_no_trace() {
    let database = Database::in_memory();
    let subject = Subject::new(EventStore::new(StreamTable::new(database.clone())));
    assert_eq!(subject.read(&account(), &ReadRange::all()).unwrap().version.get(), 0);
    let tables: i64 =
        database.0.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn a_store_opened_anew_finds_what_was_written() {
    let (database, _) = database_with_a_commit();
    let mut reopened = Subject::new(EventStore::new(StreamTable::new(database)));
    assert_eq!(reopened.versions(&account(), &ReadRange::all()).unwrap(), [1, 2]);
    let appended = reopened.append(&account(), ExpectedVersion::StreamExists, vec![event("Closed", "{}")]);
    assert_eq!(appended.unwrap().version.get(), 3);
}

#[test]
fn corrupt_data_is_reported_with_its_version() {
    let corruptions = [
        "UPDATE commits_v1 SET events = '[{\"id\":1}]'",
        "UPDATE commits_v1 SET events = '[]'",
        "UPDATE commits_v1 SET events = 'not json'",
        "UPDATE commits_v1 SET events = substr(events, 1, length(events) - 1)",
        "UPDATE commits_v1 SET time = -1",
    ];
    for corruption in corruptions {
        let (database, subject) = database_with_a_commit();
        database.0.execute(corruption, []).unwrap();
        let error = subject.read(&account(), &ReadRange::all()).unwrap_err();
        let ReadError::Storage(error) = error else { panic!("{corruption}: {error:?}") };
        assert!(matches!(error.fault(), StorageFault::Corrupt { version: 2, .. }), "{corruption}: {error:?}");
    }
}

#[test]
fn a_failing_database_is_an_error_and_not_an_empty_stream() {
    let (database, mut subject) = database_with_a_commit();
    assert_eq!(subject.versions(&account(), &ReadRange::all()).unwrap(), [1, 2]);
    database.0.execute("DROP TABLE commits_v1", []).unwrap();
    let error = subject.read(&account(), &ReadRange::all()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StorageFailed);
    let appended = subject.append(&account(), ExpectedVersion::Any, vec![event("Closed", "{}")]);
    assert_eq!(appended.unwrap_err().code(), ErrorCode::StorageFailed);
}

#[test]
fn a_key_adds_one_row_to_the_index_and_no_key_none() {
    let (database, mut subject) = database_with_a_commit();
    subject.append(&account(), ExpectedVersion::Any, vec![event("Closed", "{}")]).unwrap();
    let keyed = Append::to(account(), vec![event("Closed", "{}")]).keyed(IdempotencyKey::new("k").unwrap());
    subject.send(keyed).unwrap();
    let indexed = "SELECT count(*) FROM commits_v1 INDEXED BY commits_v1_by_key WHERE key IS NOT NULL";
    let rows: i64 = database.0.query_row(indexed, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_full_stream_takes_no_more_and_can_be_truncated() {
    let (database, mut subject) = database_with_a_commit();
    for bytes_after_it in [STREAM_BYTES, STREAM_BYTES + 1] {
        database.1.set(bytes_after_it);
        subject.append(&account(), ExpectedVersion::Any, vec![event("Closed", "{}")]).unwrap();
    }
    let refused = subject.append(&account(), ExpectedVersion::Any, vec![event("Closed", "{}")]);
    assert_eq!(refused, Err(AppendError::StreamFull { stream: account() }));
    assert_eq!(subject.versions(&account(), &ReadRange::all()).unwrap(), [1, 2, 3, 4]);
    subject.store().truncate(&account(), Version::new(3).unwrap()).unwrap();
}

#[test]
fn truncated_and_deleted_events_are_removed_from_the_table() {
    let (database, mut subject) = database_with_a_commit();
    let versions = || -> Vec<i64> {
        let mut statement = database.0.prepare("SELECT version FROM commits_v1 ORDER BY version").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    subject.fill(&account(), 2).unwrap();
    subject.store().truncate(&account(), Version::new(2).unwrap()).unwrap();
    assert_eq!(versions(), [0, 2, 3, 4]);
    subject.store().truncate(&account(), Version::new(4).unwrap()).unwrap();
    assert_eq!(versions(), [0, 4]);
    subject.store().delete(&account()).unwrap();
    assert_eq!(versions(), [0]);
}

#[test]
fn any_altered_byte_of_any_commit_is_found_and_named() {
    for version in [2, 3, 4] {
        for (column, length) in [("events", 12), ("hash", 32), ("key", 10)] {
            for place in 1..=length {
                let (database, mut subject) = database_with_a_commit();
                for number in 3..=4 {
                    let key = IdempotencyKey::new(&format!("k-{number}")).unwrap();
                    subject.send(Append::to(account(), vec![event("Closed", "{}")]).keyed(key)).unwrap();
                }
                assert_eq!(subject.store().verify(&account()).unwrap().broken, None);
                let altered = alter(&database, version, column, place);
                let broken = subject.store().verify(&account()).unwrap().broken;
                let expected = altered.then_some(version);
                assert_eq!(broken.map(|broken| broken.version), expected, "{column} {place} of {version}");
            }
        }
    }
}

/// Flips a bit of one byte (counted from 1) in a column. Returns `false` if there is no such byte.
fn alter(database: &Database, version: u64, column: &str, place: usize) -> bool {
    let version = i64::try_from(version).unwrap();
    let select = format!("SELECT CAST({column} AS BLOB) FROM commits_v1 WHERE version = {version}");
    let bytes: Option<Vec<u8>> = database.0.query_row(&select, [], |row| row.get(0)).unwrap();
    let Some(mut bytes) = bytes.filter(|bytes| place <= bytes.len()) else {
        return false;
    };
    bytes[place - 1] ^= 1;
    let kind = if column == "hash" { "BLOB" } else { "TEXT" };
    let update = format!("UPDATE commits_v1 SET {column} = CAST(?1 AS {kind}) WHERE version = {version}");
    database.0.execute(&update, [bytes]).unwrap() == 1
}

#[test]
fn an_altered_version_or_time_is_found() {
    for corruption in [
        "UPDATE commits_v1 SET version = 5 WHERE version = 4",
        "UPDATE commits_v1 SET time = time + 1 WHERE version = 4",
        "DELETE FROM commits_v1 WHERE version = 3",
    ] {
        let (database, mut subject) = database_with_a_commit();
        subject.fill(&account(), 2).unwrap();
        database.0.execute(corruption, []).unwrap();
        let broken = subject.store().verify(&account()).unwrap().broken;
        assert!(broken.is_some_and(|broken| broken.version >= 4), "{corruption}");
    }
}
