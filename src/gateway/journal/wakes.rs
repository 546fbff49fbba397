//! The consumers that the journal wakes after it has grown.

use std::ops::ControlFlow;

use crate::gateway::alarm::{Alarm, is_lost};
use crate::gateway::backoff::{LONGEST_MILLIS, backoff};
use crate::gateway::due::Due;
use crate::handler::ConsumerName;
use crate::store::sqlite::{Row, Schema, Sql, Table, Value};
use crate::store::{RecordedTime, StorageError};

const SCHEMA: Schema = Schema {
    create: &["CREATE TABLE IF NOT EXISTS consumers_v1 (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID"],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumers_v1'",
};
const ALL: &str = "SELECT name FROM consumers_v1";
const ADD: &str = "INSERT OR IGNORE INTO consumers_v1 (name) VALUES (?1)";
const REMOVE: &str = "DELETE FROM consumers_v1 WHERE name = ?1";

/// The consumers of a journal, and which of them the journal must wake.
///
/// A consumer that is woken makes its duty to read the feed durable before it answers. It has this duty until it has
/// read to the end, so until then the journal need not wake it again. The journal answers a forward only after it has
/// woken the consumers. If the journal crashes in between, the aggregate sends the forward again. The journal remembers
/// only in memory which consumers are awake. After a restart, it wakes all consumers.
#[derive(Debug)]
pub struct Wakes<S, A> {
    table: Table<S>,
    alarm: A,
    /// The consumers in the order of their names. `None` until they are read.
    consumers: Option<Vec<Known>>,
    /// The consumers that need no registration.
    unregistered: Vec<ConsumerName>,
}

#[derive(Debug)]
struct Known {
    name: ConsumerName,
    waking: Waking,
    /// How many attempts to wake it have failed in a row.
    failures: u32,
}

/// Whether a consumer must be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waking {
    /// It has read to the end, or its state is unknown.
    Asleep,
    /// It could not be woken. The alarm starts the next attempt at this time.
    Due(Due),
    /// A call to wake it is under way.
    Called,
    /// It is awake, and has the duty to read to the end.
    Awake,
}

impl<S: Sql, A: Alarm> Wakes<S, A> {
    /// The consumers that are registered in the database `sql`, which may be the journal's own database.
    pub fn new(sql: S, alarm: A) -> Self {
        Self { table: Table::new(sql, &SCHEMA), alarm, consumers: None, unregistered: Vec::new() }
    }

    /// Adds consumers that the journal also wakes. They need no registration, because the object itself knows them.
    pub fn also_wake(&mut self, names: Vec<ConsumerName>) {
        for name in &names {
            insert(self.consumers.as_mut(), name);
        }
        self.unregistered.extend(names);
    }

    /// Registers a consumer. The journal wakes it from now on, also after a restart.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn register(&mut self, name: &ConsumerName) -> Result<(), StorageError> {
        if place(self.consumers()?, name).is_err() {
            self.table.create()?;
            self.table.sql.execute(ADD, &[Value::Text(name.as_str())])?;
            insert(self.consumers.as_mut(), name);
        }
        Ok(())
    }

    /// Removes the registration of a consumer. The journal does not wake it any more, unless it needs no registration.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn unregister(&mut self, name: &ConsumerName) -> Result<(), StorageError> {
        if place(self.consumers()?, name).is_ok() {
            self.table.create()?;
            self.table.sql.execute(REMOVE, &[Value::Text(name.as_str())])?;
            // A consumer that needs no registration is still woken.
            if !self.unregistered.iter().any(|known| known == name) {
                self.consumers()?.retain(|known| known.name != *name);
            }
        }
        Ok(())
    }

    /// The names of all consumers.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn names(&mut self) -> Result<Vec<ConsumerName>, StorageError> {
        Ok(self.consumers()?.iter().map(|Known { name, .. }| name.clone()).collect())
    }

    /// Returns the consumers to wake after a forward was recorded. Wake each of them, and call [`woken`](Self::woken)
    /// or [`not_woken`](Self::not_woken) before you answer the forward. A consumer that could not be woken waits for
    /// the alarm instead, so that it does not delay every forward. If its time lies further ahead than any wait, it is
    /// returned too.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn to_wake(&mut self, now: RecordedTime) -> Result<Vec<ConsumerName>, StorageError> {
        let wanted = |waking| match waking {
            Waking::Asleep => true,
            Waking::Due(due) => due.is_beyond(now),
            Waking::Called | Waking::Awake => false,
        };
        Ok(self.consumers()?.iter_mut().filter_map(|known| known.call_if(wanted)).collect())
    }

    /// Returns the consumers to wake after the alarm has rung: those whose next attempt is due. It sets the alarm for
    /// the other consumers that could not be woken. After a restart, the journal does not know these consumers, and
    /// wakes all.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn rang(&mut self, now: RecordedTime) -> Result<Vec<ConsumerName>, StorageError> {
        let Some(consumers) = &mut self.consumers else { return self.to_wake(now) };
        let is_due = |waking| matches!(waking, Waking::Due(due) if due.is_reached(now));
        let due: Vec<_> = consumers.iter_mut().filter_map(|known| known.call_if(is_due)).collect();
        let set = self.set_alarm();
        if set.is_err() {
            // No alarm will wake these consumers, so the next forward must.
            for known in self.consumers.iter_mut().flatten().filter(|known| due.contains(&known.name)) {
                known.waking = Waking::Asleep;
            }
        }
        set.map(|()| due)
    }

    /// Returns whether an alarm that an object finds when it starts was lost: it is overdue, or is set further ahead
    /// than any alarm may be. Treat a lost alarm as one that rings now.
    pub fn found_alarm(&self, at: RecordedTime, now: RecordedTime) -> bool {
        is_lost(at, LONGEST_MILLIS, now)
    }

    /// Notes that a consumer has made its duty to read the feed durable.
    pub fn woken(&mut self, name: &ConsumerName) {
        if let Some(known) = self.known(name) {
            known.failures = 0;
            if known.waking == Waking::Called {
                known.waking = Waking::Awake;
            }
        }
    }

    /// Notes that a wake may not have arrived, and sets the alarm for another attempt. `jitter` is a random number.
    ///
    /// # Errors
    /// [`StorageError`] if the alarm cannot be set.
    pub fn not_woken(
        &mut self,
        name: &ConsumerName,
        now: RecordedTime,
        jitter: u64,
    ) -> Result<(), StorageError> {
        let Some(known) = self.known(name) else { return Ok(()) };
        known.failures = known.failures.saturating_add(1);
        // The consumer may have read to the end meanwhile.
        if known.waking != Waking::Called {
            return Ok(());
        }
        let wait = backoff(known.failures, jitter);
        known.waking = Waking::Due(Due::new(now.later(wait), LONGEST_MILLIS));
        let set = self.set_alarm();
        if let (Err(_), Some(known)) = (&set, self.known(name)) {
            known.waking = Waking::Asleep;
        }
        set
    }

    /// Notes that a consumer has received a page of the feed, in either lane, and whether there was more. A consumer
    /// that has read to the end must be woken for the next events.
    pub fn was_read(&mut self, name: &ConsumerName, more: bool) {
        if let Some(known) = self.known(name).filter(|_| !more) {
            (known.waking, known.failures) = (Waking::Asleep, 0);
        }
    }

    /// Sets the alarm to the first due attempt.
    fn set_alarm(&self) -> Result<(), StorageError> {
        let due = self.consumers.iter().flatten().filter_map(|known| match known.waking {
            Waking::Due(due) => Some(due.at()),
            _ => None,
        });
        due.min().map_or(Ok(()), |first| self.alarm.set(first))
    }

    fn known(&mut self, name: &ConsumerName) -> Option<&mut Known> {
        self.consumers.iter_mut().flatten().find(|known| known.name == *name)
    }

    /// The consumers. The first call reads them from the table.
    fn consumers(&mut self) -> Result<&mut Vec<Known>, StorageError> {
        let mut found = Vec::new();
        let mut add = |name: &ConsumerName| insert(Some(&mut found), name);
        if self.consumers.is_none() {
            self.table.rows(ALL, &[], &mut |row| {
                add(&name_in(row)?);
                Ok(ControlFlow::Continue(()))
            })?;
            self.unregistered.iter().for_each(add);
        }
        Ok(self.consumers.get_or_insert(found))
    }
}

impl Known {
    fn new(name: &ConsumerName) -> Self {
        Self { name: name.clone(), waking: Waking::Asleep, failures: 0 }
    }

    /// Marks the consumer as called and returns its name, if its state is wanted.
    fn call_if(&mut self, is_wanted: impl Fn(Waking) -> bool) -> Option<ConsumerName> {
        is_wanted(self.waking).then(|| {
            self.waking = Waking::Called;
            self.name.clone()
        })
    }
}

fn name_in(row: &dyn Row) -> Result<ConsumerName, StorageError> {
    ConsumerName::new(row.text(0).unwrap_or_default())
        .map_err(|_| StorageError::corrupt(0, "the name of a consumer is not valid"))
}

fn insert(consumers: Option<&mut Vec<Known>>, name: &ConsumerName) {
    if let Some(consumers) = consumers
        && let Err(place) = place(consumers, name)
    {
        consumers.insert(place, Known::new(name));
    }
}

/// The index of a consumer, or the index at which to insert it.
fn place(consumers: &[Known], name: &ConsumerName) -> Result<usize, usize> {
    consumers.binary_search_by(|known| known.name.cmp(name))
}
