//! The SQLite store keeps the contract, writes the bytes that are written down here and reports what is corrupt.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

mod database;

use database::{Database, Databases};
use sillok::store::sqlite::StreamTable;
use sillok::store::{EventStore, ExpectedVersion, JsonText, NewEvent, ReadRange, StorageError, StreamId};
use sillok::testing::Subject;

sillok::store_contract!(#[test], EventStore::new(Databases::default()));

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
    let (database, _) = database_with_a_commit();
    let row: (i64, i64, String) = database
        .0
        .query_row("SELECT * FROM commits_v1", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    let events = r#"[{"id":"id-1","type":"Opened \"é\"","data":null},{"id":"d-1","type":"Deposited","data":{ "amount" : 1e400 },"metadata":{"correlationId":"c-1"}}]"#;
    assert_eq!(row, (2, 1_795_395_723_456, events.to_owned()));
}

#[test]
fn a_commit_is_one_row_whatever_the_number_of_its_events() {
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
fn what_is_corrupt_is_reported_with_its_version() {
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
        assert!(matches!(error, StorageError::Corrupt { version: 2, .. }), "{corruption}: {error:?}");
    }
}

#[test]
fn a_failing_database_is_an_error_and_not_an_empty_stream() {
    let (database, mut subject) = database_with_a_commit();
    database.0.execute("DROP TABLE commits_v1", []).unwrap();
    let error = subject.read(&account(), &ReadRange::all()).unwrap_err();
    assert!(matches!(error, StorageError::Failed { .. }), "{error:?}");
    let appended = subject.append(&account(), ExpectedVersion::Any, vec![event("Closed", "{}")]);
    assert_eq!(appended.unwrap_err().code(), "storage_failed");
}
