//! Who is woken when the journal has grown.

use std::ops::ControlFlow;

use super::alarm::Alarm;
use super::backoff::backoff;
use crate::store::sqlite::{Schema, Sql, Table, Value};
use crate::store::{RecordedTime, StorageError};

const SCHEMA: Schema = Schema {
    create: &["CREATE TABLE IF NOT EXISTS consumers_v1 (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID"],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumers_v1'",
};
const ALL: &str = "SELECT name FROM consumers_v1";
const ADD: &str = "INSERT OR IGNORE INTO consumers_v1 (name) VALUES (?1)";
const REMOVE: &str = "DELETE FROM consumers_v1 WHERE name = ?1";

/// The consumers of a journal, and which of them have to be woken.
///
/// A consumer that was woken has made the duty to read its own before it answers, and keeps it until it has read to the
/// end: until then it need not be woken again. A forward is acknowledged only after those whom it concerns were woken,
/// so that a journal that dies in between is reminded by the forward's next attempt. Who is awake is remembered in memory
/// only: a journal that starts anew wakes everyone.
#[derive(Debug)]
pub struct Wakes<S, A> {
    table: Table<S>,
    alarm: A,
    /// In the order of their names.
    consumers: Option<Vec<(String, Waking)>>,
    /// Those that need not be registered.
    known: Vec<String>,
    failures: u32,
}

/// How it stands with a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waking {
    /// It has read to the end, or nothing is known of it.
    Asleep,
    /// It could not be woken: the alarm is to try again.
    Due,
    /// It is being woken.
    Called,
    /// It has the duty to read to the end.
    Awake,
}

impl<S: Sql, A: Alarm> Wakes<S, A> {
    /// The consumers that `sql` holds, which may be the journal's own database.
    pub fn new(sql: S, alarm: A) -> Self {
        Self { table: Table::new(sql, &SCHEMA), alarm, consumers: None, known: Vec::new(), failures: 0 }
    }

    /// Also wakes these, which are not registered: whoever runs the journal knows them by itself.
    pub fn also_wake(&mut self, names: Vec<String>) {
        self.known.extend(names);
        self.consumers = None;
    }

    /// Makes durable that a consumer of this name is to be woken.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn register(&mut self, name: &str) -> Result<(), StorageError> {
        if let Err(place) = place(self.consumers()?, name) {
            self.table.create()?;
            self.table.sql.execute(ADD, &[Value::Text(name)])?;
            self.consumers()?.insert(place, (name.to_owned(), Waking::Asleep));
        }
        Ok(())
    }

    /// Makes durable that a consumer is not to be woken any more, unless it need not be registered.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn unregister(&mut self, name: &str) -> Result<(), StorageError> {
        if place(self.consumers()?, name).is_ok() {
            self.table.create()?;
            self.table.sql.execute(REMOVE, &[Value::Text(name)])?;
            // It is woken on where it need not be registered.
            self.consumers = None;
        }
        Ok(())
    }

    /// The names of all consumers.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn names(&mut self) -> Result<Vec<String>, StorageError> {
        Ok(self.consumers()?.iter().map(|(name, _)| name.clone()).collect())
    }

    /// Who has to be woken now that something was forwarded, or that the alarm [has rung](Self::rang). The caller wakes
    /// each, and tells what came of it by [`woken`](Self::woken) or [`not_woken`](Self::not_woken) before it acknowledges.
    /// One that could not be woken is left to the alarm, so that it does not hold up every forward.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn to_wake(&mut self) -> Result<Vec<String>, StorageError> {
        let asleep = self.consumers()?.iter_mut().filter(|(_, waking)| *waking == Waking::Asleep);
        Ok(asleep
            .map(|(name, waking)| {
                *waking = Waking::Called;
                name.clone()
            })
            .collect())
    }

    /// Takes note that a consumer has made the duty to read its own.
    pub fn woken(&mut self, name: &str) {
        self.failures = 0;
        self.turn(name, Waking::Called, Waking::Awake);
    }

    /// Takes note that a consumer may not have heard, and sees to another attempt. `jitter` is a random number.
    ///
    /// # Errors
    /// [`StorageError`] where the alarm cannot be set.
    pub fn not_woken(&mut self, name: &str, now: RecordedTime, jitter: u64) -> Result<(), StorageError> {
        self.failures = self.failures.saturating_add(1);
        let wait = backoff(self.failures, jitter);
        let set = self.alarm.set(RecordedTime::from_millis(now.as_millis().saturating_add(wait)));
        self.turn(name, Waking::Called, if set.is_ok() { Waking::Due } else { Waking::Asleep });
        set
    }

    /// Takes note that the alarm has rung: who could not be woken is tried again.
    pub fn rang(&mut self) {
        for (_, waking) in self.consumers.iter_mut().flatten() {
            if *waking == Waking::Due {
                *waking = Waking::Asleep;
            }
        }
    }

    /// Takes note that a consumer has read to the end.
    pub fn caught_up(&mut self, name: &str) {
        for waking in [Waking::Due, Waking::Called, Waking::Awake] {
            self.turn(name, waking, Waking::Asleep);
        }
    }

    fn turn(&mut self, name: &str, from: Waking, to: Waking) {
        let mut consumers = self.consumers.iter_mut().flatten();
        if let Some((_, waking)) = consumers.find(|(known, waking)| known == name && *waking == from) {
            *waking = to;
        }
    }

    /// The consumers, read from the table the first time.
    fn consumers(&mut self) -> Result<&mut Vec<(String, Waking)>, StorageError> {
        let mut found = Vec::new();
        let mut add = |name: &str| {
            if let Err(place) = place(&found, name) {
                found.insert(place, (name.to_owned(), Waking::Asleep));
            }
        };
        if self.consumers.is_none() {
            self.table.rows(ALL, &[], &mut |row| {
                add(row.text(0).unwrap_or_default());
                Ok(ControlFlow::Continue(()))
            })?;
            self.known.iter().for_each(|name| add(name));
        }
        Ok(self.consumers.get_or_insert(found))
    }
}

/// Where a consumer is, or would have to be.
fn place(consumers: &[(String, Waking)], name: &str) -> Result<usize, usize> {
    consumers.binary_search_by(|(known, _)| known.as_str().cmp(name))
}
