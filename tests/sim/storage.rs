//! An object's storage: a real SQLite database that survives the object. Its calls fail at the worst moments.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use sillok::gateway::Alarm;
use sillok::store::sqlite::{Row, Sql, Value};
use sillok::store::{PendingKey, RecordedTime, StorageError};
use sillok::testing::FaultMoment;

use crate::breaks::{Alteration, Break};
use crate::checkers::rows;
use crate::database::Database;

const SET_ALARM: &str = "INSERT OR REPLACE INTO alarm_of_the_object (id, at) VALUES (1, ?1)";

/// The storage of one object, as its machine uses it. The alarm is a row of the same database, so it becomes durable
/// together with the writes beside it. Clones share the storage.
#[derive(Clone)]
pub struct Storage {
    database: Database,
    crash: Rc<Cell<Crash>>,
    broken: Option<Break>,
    /// The highest position that was ever given. The journal must not use it.
    sequence: Rc<Cell<u64>>,
}

/// The last call of the object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crash {
    Never,
    /// The call after this many more. It fails, and may have written or not.
    After(u32, FaultMoment),
    /// The object has crashed. No call does anything.
    Gone,
}

impl Storage {
    pub fn new(broken: Option<Break>) -> Self {
        let database = Database::in_memory();
        database
            .0
            .execute_batch(
                "CREATE TABLE alarm_of_the_object (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT",
            )
            .unwrap();
        Self { database, crash: Rc::new(Cell::new(Crash::Never)), broken, sequence: Rc::default() }
    }

    /// The database itself, which never fails.
    pub fn plain(&self) -> Database {
        self.database.clone()
    }

    pub fn database(&self) -> &rusqlite::Connection {
        &self.database.0
    }

    /// Begins a turn of the object, in which the call after `calls` others fails.
    pub fn begin(&self, crash: Option<(u32, FaultMoment)>) {
        self.crash.set(crash.map_or(Crash::Never, |(calls, fault)| Crash::After(calls, fault)));
        self.run("BEGIN");
    }

    /// Ends the turn. Its writes are durable, or are undone.
    pub fn end(&self, durable: bool) {
        self.run(if durable { "COMMIT" } else { "ROLLBACK" });
    }

    pub fn is_gone(&self) -> bool {
        self.crash.get() == Crash::Gone
    }

    /// The time of the alarm.
    pub fn alarm(&self) -> Option<u64> {
        let mut statement = self.database().prepare_cached("SELECT at FROM alarm_of_the_object").unwrap();
        let found = statement.query_row([], |row| row.get(0));
        found.ok().map(|at: i64| u64::try_from(at).unwrap())
    }

    pub fn set_alarm(&self, at: u64) {
        let mut statement = self.database().prepare_cached(SET_ALARM).unwrap();
        statement.execute([i64::try_from(at).unwrap()]).unwrap();
    }

    /// The keys of the parked timers and sent commands of an aggregate.
    pub fn parked(&self) -> Vec<PendingKey> {
        let query = "SELECT kind, key FROM pending_v1 WHERE state = 'parked'";
        rows(self.database(), query, |row| {
            let (kind, key): (String, String) = (row.get(0)?, row.get(1)?);
            let key = if kind == "timer" { PendingKey::timer(&key) } else { PendingKey::sent(&key) };
            Ok(key.unwrap())
        })
    }

    pub fn clear_alarm(&self) {
        self.run("DELETE FROM alarm_of_the_object");
    }

    fn run(&self, statement: &str) {
        self.database().prepare_cached(statement).unwrap().execute([]).unwrap();
    }

    fn call(&self, work: impl FnOnce() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let gone = || Err(StorageError::failed("the object is gone"));
        match self.crash.get() {
            Crash::Never => work(),
            Crash::Gone => gone(),
            Crash::After(0, fault) => {
                self.crash.set(Crash::Gone);
                if fault == FaultMoment::After {
                    work()?;
                }
                gone()
            }
            Crash::After(calls, fault) => {
                self.crash.set(Crash::After(calls - 1, fault));
                work()
            }
        }
    }
}

impl Sql for Storage {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        let Some(broken) = self.broken else { return self.call(|| self.database.execute(statement, values)) };
        if let (true, [Value::Integer(position), ..]) = (broken.gives_position(statement), values) {
            self.sequence.set(*position);
        }
        let mut values = values.to_vec();
        match broken.alters(statement, &mut values) {
            Alteration::Lost => self.call(|| Ok(())),
            Alteration::None => self.call(|| self.database.execute(statement, &values)),
        }
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        if self.broken.is_some_and(|broken| broken.asks_sequence(statement)) {
            return self.call(|| {
                let _ = visit(&Number(self.sequence.get()));
                Ok(())
            });
        }
        self.call(|| self.database.query(statement, values, visit))
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.run("SAVEPOINT work");
        let mut committed = false;
        // The calls inside fail one by one. After them the commit fails, before or after it has written.
        let outcome = work().and_then(|()| {
            self.call(|| {
                committed = true;
                Ok(())
            })
        });
        if !committed && !self.broken.is_some_and(Break::leaves_pieces) {
            self.run("ROLLBACK TO work");
        }
        self.run("RELEASE work");
        outcome
    }

    fn size(&self) -> u64 {
        0
    }
}

/// A row of one number.
struct Number(u64);

impl Row for Number {
    fn integer(&self, _: usize) -> Option<u64> {
        Some(self.0)
    }

    fn text(&self, _: usize) -> Option<&str> {
        None
    }

    fn blob(&self, _: usize) -> Option<&[u8]> {
        None
    }
}

/// The object's alarm. A broken one is not set, or is not set together with the writes beside it.
#[derive(Clone)]
pub struct ObjectAlarm {
    pub storage: Storage,
    /// The time of an alarm that is still to be set, if it is set apart from the writes.
    pub apart: Rc<Cell<Option<u64>>>,
}

impl Alarm for ObjectAlarm {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        let at = at.as_millis();
        match self.storage.broken {
            Some(Break::AlarmNeverSet) => Ok(()),
            Some(Break::AlarmSetApart) => {
                self.apart.set(Some(at));
                Ok(())
            }
            _ => self.storage.call(|| {
                self.storage.set_alarm(at);
                Ok(())
            }),
        }
    }
}
