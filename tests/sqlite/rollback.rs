//! A transaction that is rolled back takes back the tables that it has made. The next write makes them again.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use sillok::store::sqlite::{Row, Sql, StreamTable, StreamsTable, Value};
use sillok::store::{
    Commit, CommitHash, DecisionLog, DecisionParts, JsonText, PendingChange, PendingCommand, PendingKey,
    PendingState, RecordedTime, StorageError, StreamId, Version,
};

use crate::database::Database;

/// A database whose transactions cannot commit for a while, as if the disk were full.
#[derive(Clone)]
struct Full(Database, Rc<Cell<bool>>);

impl Sql for Full {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.0.execute(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.0.query(statement, values, visit)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.0.transaction(&mut || {
            work()?;
            if self.1.get() { Err(StorageError::failed("the disk is full")) } else { Ok(()) }
        })
    }

    fn size(&self) -> u64 {
        0
    }
}

fn timer(key: &str) -> PendingChange {
    let at = RecordedTime::from_millis(7);
    PendingChange::Put(PendingCommand {
        key: PendingKey::timer(key).unwrap(),
        receiver: None,
        command: JsonText::parse(r#"{"type":"Ring","data":null,"metadata":{}}"#).unwrap(),
        at,
        failed: 0,
        state: PendingState::Due(at),
        error: None,
    })
}

/// Stores one event with two timers.
fn decide<L: DecisionLog>(log: &mut L) -> Result<(), StorageError> {
    let stream = StreamId::new("reminder-1").unwrap();
    let version = Version::new(1).unwrap();
    let commit = Commit {
        first_version: version,
        version,
        time: RecordedTime::from_millis(1),
        hash: CommitHash::default(),
        key: None,
        events: "[]".into(),
    };
    let pending = [timer("a"), timer("b")];
    let parts = DecisionParts { commit: Some(commit), outcome: None, pending: &pending };
    log.exclusively(|log| log.insert_decision(&stream, parts))
}

fn decide_again<L: DecisionLog>(open: impl Fn(Full) -> L) {
    let full = Rc::new(Cell::new(true));
    let mut log = open(Full(Database::in_memory(), Rc::clone(&full)));
    let stream = StreamId::new("reminder-1").unwrap();
    let key = PendingKey::timer("b").unwrap();
    assert!(decide(&mut log).is_err());
    assert_eq!(log.head(&stream).unwrap().version, Version::EMPTY);
    assert_eq!(log.pending(&stream, &key).unwrap(), None);
    full.set(false);
    decide(&mut log).unwrap();
    assert!(log.pending(&stream, &key).unwrap().is_some());
}

#[test]
fn a_decision_is_stored_after_one_that_was_rolled_back() {
    decide_again(StreamTable::new);
    decide_again(StreamsTable::new);
}
