//! Keys of different origins are different keys. Rows from before there were origins count for each of them.

use crate::database::Database;
use sillok::ErrorCode;
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    Append, Appended, Cause, EventId, EventStore, IdempotencyKey, JsonText, KeyOrigin, NewEvent, StreamId,
    StreamLog,
};
use sillok::testing::Subject;

fn stream() -> StreamId {
    StreamId::new("account-42").unwrap()
}

fn append(origin: KeyOrigin, key: &str) -> Append {
    let event = NewEvent::new("Opened", JsonText::null()).unwrap();
    let append = Append::to(stream(), vec![event]).keyed(IdempotencyKey::of(origin, key).unwrap());
    match origin {
        KeyOrigin::Reactor => append.caused_by(Cause::new(EventId::new("cause").unwrap(), "{}")),
        _ => append,
    }
}

/// Changes every key into one that was stored before keys had an origin.
fn without_origins(database: &Database, table: &str) {
    let update =
        format!("UPDATE {table} SET key = substr(key, instr(key, char(9)) + 1) WHERE key IS NOT NULL");
    assert!(database.0.execute(&update, []).unwrap() > 0);
}

/// Repeats the appends from before the update, from both origins, and then sends new ones.
fn repeats_are_recognised_after_the_update<L: StreamLog>(
    before: &mut Subject<L>,
    update: impl Fn(),
    after: &mut Subject<L>,
) {
    let client = before.send(append(KeyOrigin::Client, "request-7")).unwrap();
    let reactor = before.send(append(KeyOrigin::Reactor, "delivery:0")).unwrap();
    update();
    // A store that remembers the head of the stream looks for the old key too.
    for subject in [before, after] {
        let repeated = |appended: &Appended| Ok(Appended { replayed: true, ..appended.clone() });
        assert_eq!(subject.send(append(KeyOrigin::Client, "request-7")), repeated(&client));
        assert_eq!(subject.send(append(KeyOrigin::Reactor, "delivery:0")), repeated(&reactor));
        // The origin of the old key is unknown, so it counts for both.
        assert_eq!(subject.send(append(KeyOrigin::Reactor, "request-7")), repeated(&client));
        let other = subject.send(append(KeyOrigin::Client, "delivery:0"));
        assert_eq!(other.map_err(|error| error.code()), Err(ErrorCode::IdempotencyKeyReused));
        assert_eq!(subject.store().head(&stream()).unwrap().version.get(), 2);
    }
}

#[test]
fn the_keys_of_a_stream_from_before_origins_still_count() {
    let database = Database::in_memory();
    let open = || Subject::new(EventStore::new(StreamTable::new(database.clone())));
    let update = || without_origins(&database, "commits_v1");
    repeats_are_recognised_after_the_update(&mut open(), update, &mut open());
}

#[test]
fn the_keys_of_a_file_from_before_origins_still_count() {
    let database = Database::in_memory();
    let open = || Subject::new(EventStore::new(StreamsTable::new(database.clone())));
    let update = || without_origins(&database, "log_v1");
    repeats_are_recognised_after_the_update(&mut open(), update, &mut open());
}

#[test]
fn the_longest_key_of_every_origin_is_stored() {
    let database = Database::in_memory();
    let mut subject = Subject::new(EventStore::new(StreamTable::new(database)));
    let longest = "é".repeat(100);
    for (place, origin) in [KeyOrigin::Client, KeyOrigin::Reactor].into_iter().enumerate() {
        for replayed in [false, true] {
            let appended = subject.send(append(origin, &longest)).unwrap();
            assert_eq!((appended.version.get(), appended.replayed), (place as u64 + 1, replayed));
        }
        assert!(IdempotencyKey::of(origin, &format!("{longest}x")).is_err());
    }
}

#[test]
fn a_key_is_found_by_one_look_into_the_index() {
    for (table, place) in [("commits_v1", "key IN (?1, ?2)"), ("log_v1", "stream = ?1 AND key IN (?2, ?3)")] {
        let database = Database::in_memory();
        match table {
            "log_v1" => Subject::new(EventStore::new(StreamsTable::new(database.clone()))).fill(&stream(), 1),
            _ => Subject::new(EventStore::new(StreamTable::new(database.clone()))).fill(&stream(), 1),
        }
        .unwrap();
        let explain = format!("EXPLAIN QUERY PLAN SELECT version FROM {table} WHERE {place}");
        let mut statement = database.0.prepare(&explain).unwrap();
        let parameters = statement.parameter_count();
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(vec!["x"; parameters]), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(plan.len(), 1, "{plan:?}");
        assert!(plan[0].contains(&format!("INDEX {table}_by_key")), "{plan:?}");
    }
}
