//! The stored bytes of outcomes, of snapshots and of schema versions.

use ::rusqlite::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sillok::gateway::{Commands, Step};
use sillok::handler::{Command, CommandContext, Decider, Decision, Event, Refusal, TypedBehaviour, reject};
use sillok::handler::{Failed, UnknownEvents, Upcasts};
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    DecisionLog, EventId, EventStore, IdempotencyKey, JsonText, ReadRange, RecordedTime, StreamId,
};

use crate::database::Database;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Count {
    Add { number: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Counted {
    Added { number: u64 },
}

impl Event for Counted {
    const UPCASTS: Upcasts = &[("Added", &[from_a_bare_number])];
}

fn from_a_bare_number(data: JsonText) -> Result<JsonText, Failed> {
    Ok(JsonText::parse(&format!(r#"{{"number":{}}}"#, data.as_str()))?)
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub enum Refused {
    TooLarge { most: u64 },
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Sum {
    sum: u64,
}

pub struct Counter;

impl Decider for Counter {
    type State = Sum;
    type Command = Count;
    type Event = Counted;
    type Rejection = Refused;
    const CATEGORY: &str = "counter";
    const STATE_VERSION: u32 = 2;
    const SNAPSHOT_EVERY: u64 = 1;
    const UNKNOWN_EVENTS: UnknownEvents = UnknownEvents::Skip;

    fn initial_state() -> Sum {
        Sum { sum: 0 }
    }

    fn decide(
        Count::Add { number }: Count,
        _: &Sum,
        _: &CommandContext<'_>,
    ) -> Result<Decision<Counted>, Refusal<Refused>> {
        match number {
            0 => Ok(Decision::nothing()),
            1..100 => Ok(Counted::Added { number }.into()),
            _ => reject(Refused::TooLarge { most: 99 }),
        }
    }

    fn evolve(state: Sum, Counted::Added { number }: Counted) -> Sum {
        Sum { sum: state.sum + number }
    }
}

/// Executes commands that add these numbers, each under its number as id.
pub fn add<L: DecisionLog>(store: &mut EventStore<L>, stream: &StreamId, numbers: &[u64]) -> String {
    let mut commands = Commands::new(Box::new(TypedBehaviour::<Counter>::new(stream.clone())));
    for number in numbers {
        let id = IdempotencyKey::new(&format!("k-{number}")).unwrap();
        let command = Command::of(&Count::Add { number: *number }).unwrap().with_id(id);
        let now = RecordedTime::from_millis(1_795_395_723_456 + number);
        let mut fresh_id = || EventId::new(&format!("id-{number}")).unwrap();
        while commands.execute(store, stream, &command, now, &mut fresh_id).unwrap() == Step::More {}
    }
    while commands.load(store, stream).unwrap() == Step::More {}
    commands.state().unwrap().as_str().to_owned()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    Sha256::digest(parts.concat()).to_vec()
}

fn rows<T>(database: &Database, query: &str, read: impl Fn(&Row<'_>) -> ::rusqlite::Result<T>) -> Vec<T> {
    let mut statement = database.0.prepare(query).unwrap();
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// The columns of an outcome: stream, id, version, time, command, first version, rejection.
type OutcomeRow = (String, String, i64, i64, Vec<u8>, Option<i64>, Option<String>);
/// The columns of a snapshot: stream, code, version, number, hash, state.
type SnapshotRow = (String, String, i64, i64, Vec<u8>, String);

fn decisions_are_stored_as_these_bytes<L: DecisionLog>(database: &Database, log: L) {
    let stream = StreamId::new("counter-é").unwrap();
    let mut store = EventStore::new(log);
    assert_eq!(add(&mut store, &stream, &[0, 7, 100]), r#"{"sum":7}"#);

    let command = |number: u64| sha256(&[format!("Add\n{{\"number\":{number}}}").as_bytes()]);
    let name = || "counter-é".to_owned();
    let rejection = r#"{"code":"too_large","data":{"most":99}}"#.to_owned();
    let outcomes: [OutcomeRow; 3] = [
        (name(), "client\tk-0".to_owned(), 0, 1_795_395_723_456, command(0), None, None),
        (name(), "client\tk-100".to_owned(), 1, 1_795_395_723_556, command(100), None, Some(rejection)),
        (name(), "client\tk-7".to_owned(), 1, 1_795_395_723_463, command(7), Some(1), None),
    ];
    let query =
        "SELECT stream, id, version, time, command, first_version, rejection FROM outcomes_v1 ORDER BY id";
    let read = |row: &Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
    };
    assert_eq!(rows(database, query, read), outcomes);

    let events = r#"[{"id":"id-7","type":"Added","schemaVersion":2,"data":{"number":7},"metadata":{"correlationId":"k-7","causationId":"k-7"}}]"#;
    // The test computes the hash from the words of the format, and not by the store's code.
    let head = sha256(&[&[0; 32], "counter-é\n1\n1795395723463\n\n".as_bytes(), events.as_bytes()]);
    let snapshot: SnapshotRow = (name(), "2;Added=2|Added".to_owned(), 1, 1, head, r#"{"sum":7}"#.to_owned());
    let query = "SELECT stream, code, version, number, hash, state FROM snapshots_v1";
    let read =
        |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?));
    assert_eq!(rows(database, query, read), [snapshot]);

    let page = store.read(&stream, &ReadRange::all()).unwrap();
    assert_eq!((page.events[0].schema_version, page.events.len()), (2, 1));
    assert_eq!(store.verify(&stream).unwrap().broken, None);
}

#[test]
fn the_decisions_of_one_stream_are_stored_as_these_bytes() {
    let database = Database::in_memory();
    decisions_are_stored_as_these_bytes(&database, StreamTable::new(database.clone()));
    let query = "SELECT events FROM commits_v1";
    let events: Vec<String> = rows(&database, query, |row| row.get(0));
    assert!(events[0].starts_with(r#"[{"id":"id-7","type":"Added","schemaVersion":2,"data":"#), "{events:?}");
}

#[test]
fn the_decisions_of_many_streams_are_stored_as_these_bytes() {
    let database = Database::in_memory();
    decisions_are_stored_as_these_bytes(&database, StreamsTable::new(database.clone()));
}

#[test]
fn a_database_without_commands_has_no_tables_for_them() {
    let database = Database::in_memory();
    let mut store = EventStore::new(StreamTable::new(database.clone()));
    let append = sillok::store::Append::to(
        StreamId::new("counter-1").unwrap(),
        vec![sillok::store::NewEvent::new("Added", JsonText::parse("1").unwrap()).unwrap()],
    );
    store.append(append, RecordedTime::default(), &mut EventId::default).unwrap();
    let query = "SELECT name FROM sqlite_master WHERE name IN ('outcomes_v1', 'snapshots_v1')";
    assert_eq!(rows::<String>(&database, query, |row| row.get(0)), [""; 0]);
}
