//! Who is woken when the journal has grown.

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
    consumers: Option<Vec<Known>>,
    /// Those that need not be registered.
    unregistered: Vec<ConsumerName>,
}

#[derive(Debug)]
struct Known {
    name: ConsumerName,
    waking: Waking,
    /// How often in a row it could not be woken.
    failures: u32,
}

/// How it stands with a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waking {
    /// It has read to the end, or nothing is known of it.
    Asleep,
    /// It could not be woken: the alarm is to try again, at this time.
    Due(Due),
    /// It is being woken.
    Called,
    /// It has the duty to read to the end.
    Awake,
}

impl<S: Sql, A: Alarm> Wakes<S, A> {
    /// The consumers that `sql` holds, which may be the journal's own database.
    pub fn new(sql: S, alarm: A) -> Self {
        Self { table: Table::new(sql, &SCHEMA), alarm, consumers: None, unregistered: Vec::new() }
    }

    /// Also wakes these, which are not registered: whoever runs the journal knows them by itself.
    pub fn also_wake(&mut self, names: Vec<ConsumerName>) {
        for name in &names {
            insert(self.consumers.as_mut(), name);
        }
        self.unregistered.extend(names);
    }

    /// Makes durable that a consumer of this name is to be woken.
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

    /// Makes durable that a consumer is not to be woken any more, unless it need not be registered.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn unregister(&mut self, name: &ConsumerName) -> Result<(), StorageError> {
        if place(self.consumers()?, name).is_ok() {
            self.table.create()?;
            self.table.sql.execute(REMOVE, &[Value::Text(name.as_str())])?;
            // It is woken on where it need not be registered.
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

    /// Who has to be woken now that something was forwarded. The caller wakes each, and tells what came of it by
    /// [`woken`](Self::woken) or [`not_woken`](Self::not_woken) before it acknowledges. One that could not be woken is left
    /// to the alarm, so that it does not hold up every forward; unless its time lies further ahead than any wait.
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

    /// Who has to be woken now that the alarm has rung: those whose next attempt it is. The alarm is set for the others
    /// that could not be woken. A journal that has started anew does not know who they were, and wakes everyone.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn rang(&mut self, now: RecordedTime) -> Result<Vec<ConsumerName>, StorageError> {
        let Some(consumers) = &mut self.consumers else { return self.to_wake(now) };
        let is_due = |waking| matches!(waking, Waking::Due(due) if due.is_reached(now));
        let due: Vec<_> = consumers.iter_mut().filter_map(|known| known.call_if(is_due)).collect();
        let set = self.set_alarm();
        if set.is_err() {
            // Nobody is going to call them: the next forward does.
            for known in self.consumers.iter_mut().flatten().filter(|known| due.contains(&known.name)) {
                known.waking = Waking::Asleep;
            }
        }
        set.map(|()| due)
    }

    /// Tells of the alarm that an object finds set when it starts whether it should have rung, or is set further ahead than
    /// any: then it is to be taken for rung.
    pub fn found_alarm(&self, at: RecordedTime, now: RecordedTime) -> bool {
        is_lost(at, LONGEST_MILLIS, now)
    }

    /// Takes note that a consumer has made the duty to read its own.
    pub fn woken(&mut self, name: &ConsumerName) {
        if let Some(known) = self.known(name) {
            known.failures = 0;
            if known.waking == Waking::Called {
                known.waking = Waking::Awake;
            }
        }
    }

    /// Takes note that a consumer may not have heard, and sees to another attempt. `jitter` is a random number.
    ///
    /// # Errors
    /// [`StorageError`] where the alarm cannot be set.
    pub fn not_woken(
        &mut self,
        name: &ConsumerName,
        now: RecordedTime,
        jitter: u64,
    ) -> Result<(), StorageError> {
        let Some(known) = self.known(name) else { return Ok(()) };
        known.failures = known.failures.saturating_add(1);
        // It may have read to the end meanwhile.
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

    /// Takes note that a consumer was given a page of the feed, in whatever lane, and whether there was more: one that has
    /// read to the end is to be woken for what comes.
    pub fn was_read(&mut self, name: &ConsumerName, more: bool) {
        if let Some(known) = self.known(name).filter(|_| !more) {
            (known.waking, known.failures) = (Waking::Asleep, 0);
        }
    }

    /// Sets the alarm to the first attempt that is due.
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

    /// The consumers, read from the table the first time.
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

    /// Has it woken if it stands with it as is asked for, and then gives its name.
    fn call_if(&mut self, stands: impl Fn(Waking) -> bool) -> Option<ConsumerName> {
        stands(self.waking).then(|| {
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

/// Where a consumer is, or would have to be.
fn place(consumers: &[Known], name: &ConsumerName) -> Result<usize, usize> {
    consumers.binary_search_by(|known| known.name.cmp(name))
}
