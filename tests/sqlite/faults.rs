//! Faults. Every storage call fails once before it has written and once after it. Then the stream is opened again, and
//! the writer repeats its step. Nothing is lost, nothing is doubled, and the chain is intact.

use crate::database::Database;
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    Append, AppendAllError, AppendError, EventId, EventStore, IdempotencyKey, JsonText, NewEvent, ReadRange,
    RecordedTime, StorageError, StreamId, StreamLog, Version,
};
use sillok::testing::{FaultMoment, Faulty};

/// More than the storage calls of all steps together.
const MOST_CALLS: u32 = 100;

fn stream() -> StreamId {
    StreamId::new("account-42").unwrap()
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

/// The append of two events under key `number`, with `number` and a letter as data.
fn append<L: StreamLog>(store: &mut EventStore<L>, number: u64) -> Result<(), StorageError> {
    let event = |letter| {
        NewEvent::new("Counted", JsonText::from_value(&format!("{number}{letter}")).unwrap()).unwrap()
    };
    let key = IdempotencyKey::new(&number.to_string()).unwrap();
    let append = Append::to(stream(), vec![event('a'), event('b')]).keyed(key);
    match store.append(append, RecordedTime::from_millis(number), &mut EventId::default) {
        Ok(appended) => {
            assert_eq!(appended.version.get(), 2 * number);
            Ok(())
        }
        Err(AppendError::Storage(error)) => Err(error),
        Err(refused) => panic!("refused: {refused}"),
    }
}

/// One step of the writer. Each step may be repeated until it is done.
fn step<L: StreamLog>(store: &mut EventStore<L>, number: u64) -> Result<(), StorageError> {
    match number {
        1..=5 => append(store, number),
        6 => match store.truncate(&stream(), version(4)) {
            Err(sillok::store::TruncateError::Storage(error)) => Err(error),
            other => {
                assert_eq!(other.unwrap().first_version.get(), 4);
                Ok(())
            }
        },
        _ => append(store, 6),
    }
}

/// Runs all steps on one database in which one call fails. Returns `false` if there are fewer calls.
fn run(fails_at: u32, fault: FaultMoment) -> bool {
    let database = Database::in_memory();
    let mut faulty = Faulty::after(fails_at, fault, database.clone());
    let mut failed = false;
    for number in 1..=7 {
        let done = step(&mut EventStore::new(StreamTable::new(&faulty)), number);
        if done.is_err() {
            assert!(faulty.has_failed() && !failed, "a failure that was not injected: {done:?}");
            failed = true;
            // The object starts again on the durable data. The writer has no answer, and sends the same append again.
            faulty = Faulty::after(MOST_CALLS, fault, database.clone());
            step(&mut EventStore::new(StreamTable::new(&faulty)), number).unwrap();
        }
    }
    check(database);
    failed
}

fn check(database: Database) {
    let mut statement = database.0.prepare("SELECT version FROM commits_v1 ORDER BY version").unwrap();
    let rows: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [0, 4, 6, 8, 10, 12], "what was forgotten is gone");
    drop(statement);
    let store = EventStore::new(StreamTable::new(database));
    let page = store.read(&stream(), &ReadRange::all()).unwrap();
    let data: Vec<_> =
        page.events.iter().map(|event| event.data.as_str().trim_matches('"').to_owned()).collect();
    assert_eq!(data, ["2b", "3a", "3b", "4a", "4b", "5a", "5b", "6a", "6b"]);
    let found = store.verify(&stream()).unwrap();
    assert_eq!((found.version.get(), found.broken), (12, None));
}

#[test]
fn nothing_is_lost_or_doubled_when_any_call_fails() {
    for fault in [FaultMoment::Before, FaultMoment::After] {
        let calls = (0..MOST_CALLS).take_while(|call| run(*call, fault)).count();
        assert!((25..90).contains(&calls), "{calls} calls failed, one after the other");
    }
}

/// Runs all steps on a database of many streams. The store lives until a call fails, so it remembers its writes.
/// Returns `false` if there are fewer calls.
fn run_remembering(fails_at: u32, fault: FaultMoment) -> bool {
    let database = Database::in_memory();
    let faulty = Faulty::after(fails_at, fault, database.clone());
    let mut store = EventStore::new(StreamsTable::new(&faulty));
    let failed = (1..=7).find(|number| step(&mut store, *number).is_err());
    let healthy = Faulty::after(MOST_CALLS, fault, database.clone());
    let mut store = EventStore::new(StreamsTable::new(&healthy));
    for number in failed.unwrap_or(8)..=7 {
        step(&mut store, number).unwrap();
    }
    let rows = "SELECT group_concat(version || ':' || position) FROM (SELECT * FROM log_v1 ORDER BY version)";
    let rows: String = database.0.query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, "4:4,6:6,8:8,10:10,12:12");
    assert_eq!(store.verify(&stream()).unwrap().broken, None);
    failed.is_some()
}

#[test]
fn nothing_is_lost_or_doubled_with_a_remembered_head() {
    for fault in [FaultMoment::Before, FaultMoment::After] {
        let calls = (0..MOST_CALLS).take_while(|call| run_remembering(*call, fault)).count();
        assert!((15..90).contains(&calls), "{calls} calls failed, one after the other");
    }
}

/// Appends two events to each of three streams in one act.
fn append_all<L: StreamLog>(store: &mut EventStore<L>) -> Result<Vec<u64>, StorageError> {
    let event = || NewEvent::new("Moved", JsonText::null()).unwrap();
    let to = |name| {
        let append = Append::to(StreamId::new(name).unwrap(), vec![event(), event()]);
        append.keyed(IdempotencyKey::new("move").unwrap())
    };
    let appends = ["account-1", "account-2", "account-3"].map(to).into();
    match store.append_all(appends, RecordedTime::from_millis(1), &mut EventId::default) {
        Ok(appended) => {
            Ok(appended.iter().filter_map(|one| one.position).map(sillok::store::Position::get).collect())
        }
        Err(AppendAllError::Refused { error: AppendError::Storage(error), .. }) => Err(error),
        Err(refused) => panic!("refused: {refused}"),
    }
}

/// Appends to several streams of a database in which one call fails. Returns `false` if there are fewer calls.
fn run_several(fails_at: u32, fault: FaultMoment) -> bool {
    let database = Database::in_memory();
    let faulty = Faulty::after(fails_at, fault, database.clone());
    let mut store = EventStore::new(StreamsTable::new(&faulty));
    let failed = append_all(&mut store).is_err();
    let rows = || {
        let rows = "SELECT count(*) FROM log_v1";
        database.0.query_row(rows, [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    assert!(matches!(rows(), 0 | 3), "a part was written: {}", rows());
    // The program starts again, and sends the same again.
    let mut store = EventStore::new(StreamsTable::new(database.clone()));
    assert_eq!(append_all(&mut store).unwrap(), [2, 4, 6]);
    assert_eq!(rows(), 3);
    failed
}

#[test]
fn appends_to_several_streams_are_written_together_when_any_call_fails() {
    for fault in [FaultMoment::Before, FaultMoment::After] {
        let calls = (0..MOST_CALLS).take_while(|call| run_several(*call, fault)).count();
        assert!((8..90).contains(&calls), "{calls} calls failed, one after the other");
    }
}
