//! Faults of decisions with pending commands. Every storage call fails once before it has written and once after it. All
//! parts of a decision are stored, or none.

use std::cell::Cell;
use std::ops::ControlFlow;

use sillok::store::sqlite::{Row, Sql, StreamTable, StreamsTable, Value};
use sillok::store::{
    CommandHash, Decided, DecisionLog, DecisionParts, IdempotencyKey, Outcome, PendingChange, RecordedTime,
    StorageError, Version,
};
use sillok::testing::{FaultMoment, Faulty};

use crate::database::Database;
use crate::pending::{commit, sent, stream, timer};

/// More than the storage calls of the decisions together.
const MOST_CALLS: u32 = 100;

fn id(number: u64) -> IdempotencyKey {
    IdempotencyKey::new(&format!("k-{number}")).unwrap()
}

/// The decision of this number: an event, an outcome, a timer, a sent command, and an answer to the one before.
fn decide<L: DecisionLog>(log: &mut L, number: u64) -> Result<(), StorageError> {
    let version = Version::new(number).unwrap();
    let outcome = Outcome {
        command: CommandHash::default(),
        time: RecordedTime::default(),
        version,
        decided: Decided::Events { first_version: version },
    };
    let pending = [
        PendingChange::Put(timer("lapse", number)),
        PendingChange::Put(sent(&format!("id-{number}"), number)),
        PendingChange::Remove(sent(&format!("id-{}", number - 1), 0).key),
    ];
    log.exclusively(|log| {
        let commit = commit(log)?;
        let parts =
            DecisionParts { commit: Some(commit), outcome: Some((&id(number), &outcome)), pending: &pending };
        log.insert_decision(&stream(), parts)
    })
}

/// The number of decisions of which all parts are stored. Fails if a part is stored without the others.
fn stored<L: DecisionLog>(log: &L) -> u64 {
    let number = log.head(&stream()).unwrap().version.get();
    for decided in 1..=4 {
        let outcome = log.outcome(&stream(), &id(decided)).unwrap();
        assert_eq!(outcome.is_some(), decided <= number, "the outcome of {decided} after {number}");
        let sent = log.pending(&stream(), &sent(&format!("id-{decided}"), 0).key).unwrap();
        assert_eq!(sent.is_some(), decided == number, "what {decided} has sent, after {number}");
    }
    let timer = log.pending(&stream(), &timer("lapse", 0).key).unwrap();
    assert_eq!(timer.map_or(0, |timer| timer.at.as_millis()), number);
    number
}

/// Runs the decisions. The call after `calls` calls fails. Returns whether one has failed.
fn run<L: DecisionLog, H: DecisionLog>(
    faulty: &Faulty<Database>,
    mut log: L,
    healthy: impl Fn() -> H,
) -> bool {
    for number in 1..=4 {
        let decided = decide(&mut log, number);
        assert_eq!(decided.is_err(), faulty.has_failed(), "{decided:?}");
        if decided.is_err() {
            // The object starts again on what is stored, and the sender repeats what is not.
            let mut log = healthy();
            for number in stored(&log) + 1..=4 {
                decide(&mut log, number).unwrap();
            }
            break;
        }
    }
    assert_eq!(stored(&healthy()), 4);
    faulty.has_failed()
}

fn every_call_fails_once(run: impl Fn(FaultMoment, u32) -> bool) {
    for fault in [FaultMoment::Before, FaultMoment::After] {
        let failed = (0..MOST_CALLS).take_while(|calls| run(fault, *calls)).count();
        assert!((20..MOST_CALLS as usize).contains(&failed), "{failed} calls failed");
    }
}

#[test]
fn one_stream_has_all_parts_of_a_decision_or_none() {
    every_call_fails_once(|fault, calls| {
        let database = Database::in_memory();
        let faulty = Faulty::after(calls, fault, database.clone());
        run(&faulty, StreamTable::new(&faulty), || StreamTable::new(database.clone()))
    });
}

#[test]
fn many_streams_have_all_parts_of_a_decision_or_none() {
    every_call_fails_once(|fault, calls| {
        let database = Database::in_memory();
        let faulty = Faulty::after(calls, fault, database.clone());
        run(&faulty, StreamsTable::new(&faulty), || StreamsTable::new(database.clone()))
    });
}

/// A database of which one call fails before it has written. Those after it succeed.
struct Once(Database, Cell<u32>);

impl Once {
    fn call(&self) -> Result<(), StorageError> {
        self.1.set(self.1.get().wrapping_sub(1));
        if self.1.get() == 0 { Err(StorageError::failed("injected")) } else { Ok(()) }
    }
}

impl Sql for &Once {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.call()?;
        self.0.execute(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.call()?;
        self.0.query(statement, values, visit)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.0.transaction(work)
    }

    fn size(&self) -> u64 {
        self.0.size()
    }
}

/// Runs the decisions in a log of which one call fails during the first. Returns whether it has failed.
fn goes_on<L: DecisionLog>(mut log: L) -> bool {
    if decide(&mut log, 1).is_ok() {
        return false;
    }
    (stored(&log) + 1..=4).for_each(|number| decide(&mut log, number).unwrap());
    assert_eq!(stored(&log), 4);
    true
}

/// The first decision makes the tables. If it is rolled back, they are gone, and the log must not trust that they exist.
#[test]
fn a_log_goes_on_after_a_failed_call() {
    let once = |call| Once(Database::in_memory(), Cell::new(call));
    let one = (1..MOST_CALLS).take_while(|call| goes_on(StreamTable::new(&once(*call)))).count();
    let many = (1..MOST_CALLS).take_while(|call| goes_on(StreamsTable::new(&once(*call)))).count();
    assert!((9..30).contains(&one) && (9..30).contains(&many), "{one} and {many} calls failed");
}
