//! A database that fails at a chosen call.

use std::cell::Cell;
use std::ops::ControlFlow;

use crate::store::StorageError;
use crate::store::sqlite::{Row, Sql, Value};

/// The moment at which a storage call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultMoment {
    /// The call fails before it has written anything.
    Before,
    /// The call fails after it has written everything.
    After,
}

/// A database in which one call fails, as a real one may fail at the worst moment.
#[derive(Debug)]
pub struct Faulty<S> {
    sql: S,
    fault: FaultMoment,
    calls_left: Cell<u32>,
}

impl<S: Sql> Faulty<S> {
    /// The database `sql`. The next `calls` calls succeed, and the call after them fails.
    pub fn after(calls: u32, fault: FaultMoment, sql: S) -> Self {
        Self { sql, fault, calls_left: Cell::new(calls + 1) }
    }

    /// Whether the call has failed.
    pub fn has_failed(&self) -> bool {
        self.calls_left.get() == 0
    }

    fn call(&self, work: impl FnOnce() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let injected = || Err(StorageError::failed("injected"));
        match (self.calls_left.get(), self.fault) {
            (0, _) => injected(), // the object is gone until it is opened again
            (1, FaultMoment::Before) => {
                self.calls_left.set(0);
                injected()
            }
            (1, FaultMoment::After) => {
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

    /// The calls inside are calls of this database too, so each of them fails once. After them, the transaction fails
    /// after its commit.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.sql.transaction(work)?;
        self.call(|| Ok(()))
    }

    fn size(&self) -> u64 {
        self.sql.size()
    }
}
