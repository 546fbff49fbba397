//! Two stores over one file, each over a connection of its own.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::TransactionBehavior;
use sillok::store::sqlite::{Row, Sql, StreamsTable, Value};
use sillok::store::{EventStore, StorageError};
use sillok::testing::{self, Subject};

use crate::database::Database;

fn stores<S: Sql + Clone>(
    (one, other): (S, S),
) -> (EventStore<StreamsTable<S>>, EventStore<StreamsTable<S>>) {
    (EventStore::new(StreamsTable::new(one)), EventStore::new(StreamsTable::new(other)))
}

sillok::shared_contract!(#[test], stores(Database::shared()));

/// A database whose transactions take the write lock only with the first write, or never.
#[derive(Clone)]
struct Late(Database, bool);

impl Sql for Late {
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
        let Self(database, begins) = self;
        if *begins { database.within(TransactionBehavior::Deferred, work) } else { work() }
    }

    fn size(&self) -> u64 {
        self.0.size()
    }
}

type Tested = Subject<StreamsTable<Late>>;

/// Whether two stores have this behaviour over databases that begin late.
fn holds(begins: bool, behaviour: fn(&mut Tested, &mut Tested) -> testing::Outcome) -> bool {
    let (one, other) = Database::shared();
    let (one, other) = stores((Late(one, begins), Late(other, begins)));
    let (mut one, mut other) = (Subject::new(one), Subject::new(other));
    // The tables exist already, so that no lock is taken to make them.
    one.store().delete(&sillok::store::StreamId::new("elsewhere").unwrap()).unwrap();
    catch_unwind(AssertUnwindSafe(|| behaviour(&mut one, &mut other))).is_ok_and(|outcome| outcome.is_ok())
}

#[test]
fn a_transaction_that_takes_the_lock_late_breaks_the_contract() {
    for begins in [true, false] {
        assert!(!holds(begins, testing::nobody_writes_between_a_decision_and_its_write), "begins: {begins}");
    }
    // With a remembered head, the one statement decides and writes without a transaction.
    assert!(holds(true, testing::a_key_is_used_once_by_two_stores));
}
