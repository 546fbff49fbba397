//! The stored bytes of timers and sent commands, and their price in rows. A row that cannot be read is named.

use std::ops::ControlFlow;

use ::rusqlite::Row;
use sillok::ErrorCode;
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    Append, Commit, CommitHash, DecisionLog, DecisionParts, EventId, EventStore, JsonText, NewEvent,
    PendingChange, PendingCommand, PendingKey, PendingKind, PendingLog, PendingState, Receiver, RecordedTime,
    StorageError, StreamId, StreamLog, Version,
};

use crate::database::Database;

pub fn stream() -> StreamId {
    StreamId::new("transfer-é").unwrap()
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

pub fn timer(key: &str, due: u64) -> PendingCommand {
    let at = RecordedTime::from_millis(due);
    PendingCommand {
        key: PendingKey::timer(key).unwrap(),
        receiver: None,
        command: json(r#"{"type":"Lapse","data":{ "n" : 1 },"metadata":{"correlationId":"c-1"}}"#),
        at,
        failed: 0,
        state: PendingState::Due(at),
        error: None,
    }
}

pub fn sent(id: &str, time: u64) -> PendingCommand {
    let receiver = Some(Receiver { stream: StreamId::new("account-b").unwrap(), name: "debit".into() });
    PendingCommand { key: PendingKey::sent(id).unwrap(), receiver, ..timer("other", time) }
}

pub fn put<L: DecisionLog>(log: &mut L, pending: &[PendingCommand]) -> Result<(), StorageError> {
    let changes: Vec<_> = pending.iter().cloned().map(PendingChange::Put).collect();
    change(log, None, &changes)
}

fn change<L: DecisionLog>(
    log: &mut L,
    commit: Option<Commit>,
    pending: &[PendingChange],
) -> Result<(), StorageError> {
    let parts = DecisionParts { commit, outcome: None, pending };
    log.exclusively(|log| log.insert_decision(&stream(), parts))
}

/// A commit of one event, after the head of the stream.
pub fn commit<L: StreamLog>(log: &L) -> Result<Commit, StorageError> {
    let version = log.head(&stream())?.version.after(1).unwrap();
    let (time, hash, key) = (RecordedTime::from_millis(1000), CommitHash::default(), None);
    let events = r#"[{"id":"e","type":"Counted","data":1}]"#.into();
    Ok(Commit { first_version: version, version, time, hash, key, events })
}

/// The columns: stream, kind, key, state, due, at, failed, receiver, name, error, command.
type PendingRow = (
    (String, String, String),
    (String, Option<i64>, i64, i64),
    (Option<String>, Option<String>, Option<String>, String),
);

fn rows(database: &Database) -> Vec<PendingRow> {
    let query =
        "SELECT stream, kind, key, state, due, at, failed, receiver, name, error, command FROM pending_v1";
    let mut statement = database.0.prepare(query).unwrap();
    let read = |row: &Row<'_>| {
        let place = (row.get(0)?, row.get(1)?, row.get(2)?);
        let progress = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
        Ok((place, progress, (row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?)))
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

fn pending_commands_are_stored_as_these_bytes<L: DecisionLog>(database: &Database, mut log: L) {
    let rejection = Some(json(r#"{"code":"too_late","data":null}"#));
    let error = Some(json(r#"{"code":"unavailable","detail":"x"}"#));
    let (parked, rejected) = (PendingState::Parked, PendingState::Rejected);
    let pending = [
        timer("lapse", 1_795_395_723_456),
        PendingCommand { state: rejected, error: rejection, ..timer("é", 7) },
        sent("id-1", 5000),
        PendingCommand { failed: 8, state: parked, error: error.clone(), ..sent("id-2", 5000) },
        PendingCommand {
            failed: 2,
            error,
            state: PendingState::Due(RecordedTime::from_millis(6500)),
            ..sent("id-3", 5000)
        },
    ];
    put(&mut log, &pending).unwrap();

    let text = |text: &str| Some(text.to_owned());
    let command = r#"{"type":"Lapse","data":{ "n" : 1 },"metadata":{"correlationId":"c-1"}}"#;
    let place = |kind: &str, key: &str| ("transfer-é".to_owned(), kind.to_owned(), key.to_owned());
    let of_timer = |error: Option<String>| (None, None, error, command.to_owned());
    let of_sent = |error: Option<String>| (text("account-b"), text("debit"), error, command.to_owned());
    let unavailable = || text(r#"{"code":"unavailable","detail":"x"}"#);
    let progress = |state: &str, due, at, failed| (state.to_owned(), due, at, failed);
    let expected: [PendingRow; 5] = [
        (place("sent", "id-1"), progress("due", Some(5000), 5000, 0), of_sent(None)),
        (place("sent", "id-2"), progress("parked", None, 5000, 8), of_sent(unavailable())),
        (place("sent", "id-3"), progress("due", Some(6500), 5000, 2), of_sent(unavailable())),
        (
            place("timer", "lapse"),
            progress("due", Some(1_795_395_723_456), 1_795_395_723_456, 0),
            of_timer(None),
        ),
        (
            place("timer", "é"),
            progress("rejected", None, 7, 0),
            of_timer(text(r#"{"code":"too_late","data":null}"#)),
        ),
    ];
    assert_eq!(rows(database), expected);
    for pending in pending {
        assert_eq!(log.pending(&stream(), &pending.key).unwrap(), Some(pending));
    }
}

#[test]
fn the_pending_commands_of_one_stream_are_stored_as_these_bytes() {
    let database = Database::in_memory();
    pending_commands_are_stored_as_these_bytes(&database, StreamTable::new(database.clone()));
    assert_eq!(indexes(&database), [""; 0], "an index would cost a row for each timer");
}

#[test]
fn the_pending_commands_of_many_streams_are_stored_as_these_bytes() {
    let database = Database::in_memory();
    pending_commands_are_stored_as_these_bytes(&database, StreamsTable::new(database.clone()));
    assert_eq!(indexes(&database), ["pending_v1_by_due"]);
}

/// The indexes of the table that are not its primary key.
fn indexes(database: &Database) -> Vec<String> {
    let query = "SELECT name FROM pragma_index_list('pending_v1') WHERE origin = 'c'";
    let mut statement = database.0.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The statements in `docs/format.md`, and a database that was written by them, are those of the store.
#[test]
fn the_table_is_as_the_format_describes_it() {
    let format = include_str!("../../docs/format.md");
    for (many, names) in [(false, 1), (true, 2)] {
        let database = Database::in_memory();
        match many {
            true => put(&mut StreamsTable::new(database.clone()), &[timer("a", 1)]).unwrap(),
            false => put(&mut StreamTable::new(database.clone()), &[timer("a", 1)]).unwrap(),
        }
        let query = "SELECT sql FROM sqlite_master WHERE tbl_name = 'pending_v1' AND sql IS NOT NULL";
        let mut statement = database.0.prepare(query).unwrap();
        let made: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(made.len(), names);
        for statement in made {
            assert!(format.contains(&format!("{statement};\n")), "docs/format.md lacks {statement}");
        }
    }
}

#[test]
fn a_database_of_format_1_with_pending_commands_is_read_and_changed() {
    let format = include_str!("../../docs/format.md");
    let database = Database::in_memory();
    let create = format.lines().find(|line| line.starts_with("CREATE TABLE pending_v1")).unwrap();
    database.0.execute_batch(create).unwrap();
    let insert = "INSERT INTO pending_v1 VALUES \
        ('transfer-é', 'sent', 'id-1', 'due', 5000, 5000, 0, 'account-b', 'debit', NULL, \
            '{\"type\":\"Lapse\",\"data\":{ \"n\" : 1 },\"metadata\":{\"correlationId\":\"c-1\"}}'), \
        ('transfer-é', 'timer', 'lapse', 'due', 7000, 7000, 0, NULL, NULL, NULL, \
            '{\"type\":\"Lapse\",\"data\":{ \"n\" : 1 },\"metadata\":{\"correlationId\":\"c-1\"}}')";
    database.0.execute(insert, []).unwrap();
    let mut log = StreamTable::new(database.clone());
    assert_eq!(log.pending(&stream(), &timer("lapse", 0).key).unwrap(), Some(timer("lapse", 7000)));
    assert_eq!(log.pending(&stream(), &sent("id-1", 0).key).unwrap(), Some(sent("id-1", 5000)));
    put(&mut log, &[timer("lapse", 9000)]).unwrap();
    change(&mut log, None, &[PendingChange::Remove(sent("id-1", 0).key)]).unwrap();
    assert_eq!(rows(&database).len(), 1);
}

#[test]
fn each_pending_command_is_one_row_beside_the_commit() {
    let database = Database::in_memory();
    let mut log = StreamTable::new(database.clone());
    // The first decision makes the tables, and the second finds them.
    for key in ["a", "b"] {
        let commit = commit(&log).unwrap();
        change(&mut log, Some(commit), &[PendingChange::Put(timer(key, 5000))]).unwrap();
    }
    let mut written = |with_events: bool, pending: &[PendingChange]| {
        let before = database.0.total_changes();
        let commit = with_events.then(|| commit(&log).unwrap());
        change(&mut log, commit, pending).unwrap();
        database.0.total_changes() - before
    };
    let put = |pending| PendingChange::Put(pending);
    assert_eq!(written(true, &[]), 1, "events alone");
    assert_eq!(written(true, &[put(timer("c", 5000))]), 2, "events and a timer");
    assert_eq!(
        written(false, &[put(timer("d", 5000)), put(sent("id-1", 1))]),
        2,
        "a timer and a sent command"
    );
    assert_eq!(written(true, &[PendingChange::Remove(timer("d", 0).key)]), 2, "a timer runs");
    assert_eq!(written(false, &[PendingChange::Remove(timer("d", 0).key)]), 0, "there is none");
    assert_eq!(written(true, &[PendingChange::Remove(sent("id-1", 0).key)]), 2, "an answer is taken");
}

#[test]
fn a_database_without_pending_commands_has_no_table_for_them() {
    for many in [false, true] {
        let database = Database::in_memory();
        match many {
            true => touch(StreamsTable::new(database.clone())),
            false => touch(StreamTable::new(database.clone())),
        }
        let query = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'pending%'";
        assert_eq!(database.0.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

/// Does everything that needs no table.
fn touch<L: DecisionLog>(mut log: L) {
    let commit = commit(&log).unwrap();
    change(&mut log, Some(commit), &[PendingChange::Remove(timer("a", 0).key)]).unwrap();
    assert_eq!(log.pending(&stream(), &timer("a", 0).key).unwrap(), None);
    log.agenda(&stream(), &mut |_, _| panic!("nothing is pending")).unwrap();
    let first = PendingKey::first(PendingKind::Timer);
    log.scan_pending(&stream(), &first, &mut |_| panic!("nothing is pending")).unwrap();
    let mut store = EventStore::new(log);
    store.delete(&stream()).unwrap();
    assert!(store.head(&stream()).unwrap().deleted);
}

/// Whether the error names the row.
fn names(error: &StorageError, key: &str) -> bool {
    error.code() == ErrorCode::StoredDataCorrupt && error.to_string().contains(&format!("{key:?}"))
}

#[test]
fn a_row_that_cannot_be_read_is_an_error_that_names_it_and_holds_up_no_other() {
    // What no reader accepts, and what only a read of the whole command finds.
    let everywhere = [
        "state = 'late'",
        "state = 'due', due = NULL",
        "state = 'parked', due = 5",
        "due = -1",
        "key = char(9)",
        "kind = 'other'",
    ];
    let whole = ["at = -1", "failed = 4294967296", "receiver = NULL", "name = NULL", "receiver = char(10)"];
    for corruption in everywhere.into_iter().chain(whole) {
        let database = Database::in_memory();
        let mut log = StreamsTable::new(database.clone());
        put(&mut log, &[sent("id-1", 5000), timer("lapse", 5000)]).unwrap();
        let update = format!("UPDATE pending_v1 SET {corruption} WHERE kind = 'sent'");
        database.0.execute(&update, []).unwrap();
        let key = if corruption.starts_with("key") { "\t" } else { "id-1" };
        let kind = if corruption.starts_with("kind") { "other" } else { "sent" };
        let is_whole = whole.contains(&corruption);
        let mut agenda = Vec::new();
        log.agenda(&stream(), &mut |key, state| agenda.push((key, state))).unwrap();
        // A row without a valid key is left out. One without a valid state waits for an operator.
        let state =
            if is_whole { PendingState::Due(RecordedTime::from_millis(5000)) } else { PendingState::Parked };
        let known = (kind == "sent" && key == "id-1").then(|| (sent("id-1", 0).key, state));
        let lapse = (timer("lapse", 0).key, PendingState::Due(RecordedTime::from_millis(5000)));
        assert_eq!(agenda, known.into_iter().chain([lapse]).collect::<Vec<_>>(), "{corruption}");
        if kind == "sent" {
            let first = PendingKey::first(PendingKind::Sent);
            let scanned = log.scan_pending(&stream(), &first, &mut |_| ControlFlow::Continue(()));
            assert!(scanned.as_ref().is_err_and(|error| names(error, key)), "{corruption}: {scanned:?}");
        }
        // The other rows can still be read.
        assert_eq!(log.pending(&stream(), &timer("lapse", 0).key).unwrap(), Some(timer("lapse", 5000)));
        let timers = PendingKey::first(PendingKind::Timer);
        log.scan_pending(&stream(), &timers, &mut |_| ControlFlow::Continue(())).unwrap();
    }
    let database = Database::in_memory();
    let mut log = StreamsTable::new(database.clone());
    put(&mut log, &[timer("lapse", 5000)]).unwrap();
    database.0.execute("UPDATE pending_v1 SET stream = ''", []).unwrap();
    put(&mut log, &[timer("other", 6000)]).unwrap();
    let mut due = Vec::new();
    log.scan_due(None, &mut |place| {
        due.push(place.key);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(due, [timer("other", 0).key], "the row without a stream is left out");
}

#[test]
fn a_deletion_removes_rows_that_cannot_be_read() {
    let database = Database::in_memory();
    let mut store = EventStore::new(StreamTable::new(database.clone()));
    let counted = NewEvent::new("Counted", json("1")).unwrap();
    store
        .append(Append::to(stream(), vec![counted]), RecordedTime::default(), &mut EventId::default)
        .unwrap();
    let mut log = StreamTable::new(database.clone());
    put(&mut log, &[timer("a", 5000)]).unwrap();
    database.0.execute("UPDATE pending_v1 SET state = 'late'", []).unwrap();
    store.delete(&stream()).unwrap();
    assert_eq!(rows(&database), []);
    assert_eq!(store.head(&stream()).unwrap().version, Version::FIRST);
}
