//! A database that fails when it is told to.

use std::cell::Cell;
use std::ops::ControlFlow;

use crate::store::StorageError;
use crate::store::sqlite::{Row, Sql, Value};

/// When a storage call fails: before it did anything, or after it did all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and nothing landed.
    Before,
    /// The call fails although what it wrote landed.
    After,
}

/// A database of which one call fails, as the real one does at the worst of moments.
#[derive(Debug)]
pub struct Faulty<S> {
    sql: S,
    fault: Fault,
    calls_left: Cell<u32>,
}

impl<S: Sql> Faulty<S> {
    /// The database `sql`, of which the call after the next `calls` ones fails.
    pub fn after(calls: u32, fault: Fault, sql: S) -> Self {
        Self { sql, fault, calls_left: Cell::new(calls + 1) }
    }

    /// Whether the fault has happened.
    pub fn has_failed(&self) -> bool {
        self.calls_left.get() == 0
    }

    fn call(&self, work: impl FnOnce() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let injected = || Err(StorageError::failed("injected"));
        match (self.calls_left.get(), self.fault) {
            (0, _) => injected(), // the object is gone until it is opened anew
            (1, Fault::Before) => {
                self.calls_left.set(0);
                injected()
            }
            (1, Fault::After) => {
                self.calls_left.set(0);
                work().and_then(|()| injected())
            }
            (calls, _) => {
                self.calls_left.set(calls - 1);
                work()
            }
        }
    }
}

impl<S: Sql> Sql for &Faulty<S> {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.call(|| self.sql.execute(statement, values))
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.call(|| self.sql.query(statement, values, visit))
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.sql.reading(work)
    }

    /// The calls inside are calls of this database too, so that each of them fails once; and then the transaction, after
    /// it was committed.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.sql.transaction(work)?;
        self.call(|| Ok(()))
    }

    fn size(&self) -> u64 {
        self.sql.size()
    }
}
