//! Who is woken when the journal has grown.

use std::collections::BTreeMap;
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
    consumers: Option<BTreeMap<String, Waking>>,
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
        self.known = names;
        self.consumers = None;
    }

    /// Makes durable that a consumer of this name is to be woken.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn register(&mut self, name: &str) -> Result<(), StorageError> {
        if !self.consumers()?.contains_key(name) {
            self.table.create()?;
            self.table.sql.execute(ADD, &[Value::Text(name)])?;
            self.consumers()?.insert(name.to_owned(), Waking::Asleep);
        }
        Ok(())
    }

    /// Makes durable that a consumer is not to be woken any more.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn unregister(&mut self, name: &str) -> Result<(), StorageError> {
        if self.consumers()?.contains_key(name) {
            self.table.sql.execute(REMOVE, &[Value::Text(name)])?;
            self.consumers()?.remove(name);
        }
        Ok(())
    }

    /// The names of all consumers.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn names(&mut self) -> Result<Vec<String>, StorageError> {
        Ok(self.consumers()?.keys().cloned().collect())
    }

    /// Who has to be woken now that something was forwarded, or that the alarm [has rung](Self::rang). The caller wakes
    /// each, and tells what came of it by [`woken`](Self::woken) or [`not_woken`](Self::not_woken) before it acknowledges.
    /// One that could not be woken is left to the alarm, so that it does not hold up every forward.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn to_wake(&mut self) -> Result<Vec<String>, StorageError> {
        let asleep = self.consumers()?.iter_mut().filter(|(_, waking)| **waking == Waking::Asleep);
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
        for waking in self.consumers.iter_mut().flat_map(BTreeMap::values_mut) {
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
        let waking = self.consumers.as_mut().and_then(|consumers| consumers.get_mut(name));
        if let Some(waking) = waking.filter(|waking| **waking == from) {
            *waking = to;
        }
    }

    /// The consumers, read from the table the first time.
    fn consumers(&mut self) -> Result<&mut BTreeMap<String, Waking>, StorageError> {
        let mut found = BTreeMap::new();
        if self.consumers.is_none() {
            self.table.rows(ALL, &[], &mut |row| {
                found.insert(row.text(0).unwrap_or_default().to_owned(), Waking::Asleep);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        let known = self.known.iter().map(|name| (name.clone(), Waking::Asleep));
        // Collected, they would be sorted at once, by code that is not worth its size here.
        Ok(self.consumers.get_or_insert_with(|| {
            found.extend(known);
            found
        }))
    }
}
