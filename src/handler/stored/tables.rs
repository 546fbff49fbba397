//! The state, documents and dead letters of consumers in SQLite. Several consumers may share a database: every row has
//! its consumer's name.

use std::ops::ControlFlow;

use super::state::{FIRST_VERSION, Round, State};
use super::state_row::{columns, error_text, state};
use super::storage::{ConsumerStore, NextLetter};
use crate::handler::consumer::dead_letters::{DeadLetter, LetterError};
use crate::handler::consumer::policy::Kind;
use crate::store::sqlite::{Schema, Sql, Table, Value};
use crate::store::{RecordedTime, StorageError, StreamId};

// The names of the tables contain the version of the stored format. With a row as its own primary key, each write
// writes one row.
const SCHEMA: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS consumers_v1 (consumer TEXT PRIMARY KEY, revision INTEGER NOT NULL, \
            status TEXT NOT NULL, letters INTEGER NOT NULL, error TEXT, error_time INTEGER, \
            live INTEGER NOT NULL, live_checkpoint TEXT NOT NULL, live_failures INTEGER NOT NULL, \
            live_until INTEGER NOT NULL, live_partition INTEGER NOT NULL, rebuild INTEGER, rebuild_checkpoint TEXT, \
            rebuild_failures INTEGER, rebuild_until INTEGER, rebuild_partition INTEGER, round_after INTEGER, round_to INTEGER, round_failures INTEGER, \
            round_until INTEGER) STRICT, WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS documents_v1 (consumer TEXT, generation INTEGER, key TEXT, \
            document TEXT NOT NULL, PRIMARY KEY (consumer, generation, key)) STRICT, WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS dead_letters_v1 (consumer TEXT, generation INTEGER, id INTEGER, \
            partition INTEGER NOT NULL, position INTEGER NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL, \
            event_id TEXT NOT NULL, event_type TEXT NOT NULL, event TEXT NOT NULL, reason TEXT NOT NULL, \
            error TEXT NOT NULL, attempts INTEGER NOT NULL, time INTEGER NOT NULL, \
            PRIMARY KEY (consumer, generation, id)) STRICT, WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS dead_letters_v1_by_stream ON dead_letters_v1 (consumer, generation, stream, id)",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'dead_letters_v1_by_stream'",
};
// This table is separate because it was added later. Databases without it can still be read.
const KINDS: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS consumer_kinds_v1 (consumer TEXT PRIMARY KEY, kind TEXT NOT NULL) \
            STRICT, WITHOUT ROWID",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumer_kinds_v1'",
};
// This table was added later too. It has no row of a consumer that has always had the first version.
const VERSIONS: Schema = Schema {
    create: &[
        "CREATE TABLE IF NOT EXISTS consumer_versions_v1 (consumer TEXT PRIMARY KEY, version INTEGER NOT NULL) \
            STRICT, WITHOUT ROWID",
    ],
    exists: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumer_versions_v1'",
};
const VERSION: &str = "SELECT version FROM consumer_versions_v1 WHERE consumer = ?1";
const PUT_VERSION: &str = "INSERT INTO consumer_versions_v1 (consumer, version) VALUES (?1, ?2) \
    ON CONFLICT (consumer) DO UPDATE SET version = excluded.version";
const KIND: &str = "SELECT kind FROM consumer_kinds_v1 WHERE consumer = ?1";
const PUT_KIND: &str = "INSERT INTO consumer_kinds_v1 (consumer, kind) VALUES (?1, ?2)";
const REVISION: &str = "SELECT revision FROM consumers_v1 WHERE consumer = ?1";
const LOAD: &str = "SELECT revision, status, letters, error, error_time, \
        live, live_checkpoint, live_failures, live_until, live_partition, \
        rebuild, rebuild_checkpoint, rebuild_failures, rebuild_until, rebuild_partition, \
        round_after, round_to, round_failures, round_until \
    FROM consumers_v1 WHERE consumer = ?1";
// An update in place writes one row; a replacement writes two.
const SAVE: &str = "INSERT INTO consumers_v1 (consumer, revision, status, letters, error, error_time, \
        live, live_checkpoint, live_failures, live_until, live_partition, \
        rebuild, rebuild_checkpoint, rebuild_failures, rebuild_until, rebuild_partition, \
        round_after, round_to, round_failures, round_until) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
    ON CONFLICT (consumer) DO UPDATE SET revision = excluded.revision, status = excluded.status, letters = excluded.letters, \
        error = excluded.error, error_time = excluded.error_time, live = excluded.live, \
        live_checkpoint = excluded.live_checkpoint, live_failures = excluded.live_failures, \
        live_until = excluded.live_until, live_partition = excluded.live_partition, rebuild = excluded.rebuild, \
        rebuild_checkpoint = excluded.rebuild_checkpoint, rebuild_failures = excluded.rebuild_failures, \
        rebuild_until = excluded.rebuild_until, rebuild_partition = excluded.rebuild_partition, \
        round_after = excluded.round_after, \
        round_to = excluded.round_to, round_failures = excluded.round_failures, \
        round_until = excluded.round_until";
const PUT: &str = "INSERT INTO documents_v1 (consumer, generation, key, document) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (consumer, generation, key) DO UPDATE SET document = excluded.document";
const DELETE: &str = "DELETE FROM documents_v1 WHERE consumer = ?1 AND generation = ?2 AND key = ?3";
const GET: &str = "SELECT document FROM documents_v1 WHERE consumer = ?1 AND generation = ?2 AND key = ?3";
// SQLite uses only one of two bounds and scans past the other, so the statement gives it the higher one. The next
// possible key is the key followed by the least character.
const LIST: &str = "SELECT key, document FROM documents_v1 \
    WHERE consumer = ?1 AND generation = ?2 AND key >= max(?3, ?4 || char(0)) ORDER BY key";
// Generations are numbered upwards. So rows of generations below the live one, or between it and the rebuild's, are old
// rows.
const LEFT_OVER: &str = "SELECT 1 FROM documents_v1 WHERE consumer = ?1 AND generation BETWEEN ?2 AND ?3 \
    UNION ALL SELECT 1 FROM dead_letters_v1 WHERE consumer = ?1 AND generation BETWEEN ?2 AND ?3 LIMIT 1";
const TIDY_DOCUMENTS: &str = "DELETE FROM documents_v1 WHERE (consumer, generation, key) IN \
    (SELECT consumer, generation, key FROM documents_v1 \
        WHERE consumer = ?1 AND generation BETWEEN ?2 AND ?3 LIMIT 500)";
const TIDY_LETTERS: &str = "DELETE FROM dead_letters_v1 WHERE (consumer, generation, id) IN \
    (SELECT consumer, generation, id FROM dead_letters_v1 \
        WHERE consumer = ?1 AND generation BETWEEN ?2 AND ?3 LIMIT 500)";
const PUT_LETTER: &str = "INSERT INTO dead_letters_v1 (consumer, generation, id, partition, position, stream, version, \
        event_id, event_type, event, reason, error, attempts, time) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const LETTER_FAILED: &str = "UPDATE dead_letters_v1 SET reason = 'failed', error = ?4, attempts = attempts + ?5, time = ?6 \
    WHERE consumer = ?1 AND generation = ?2 AND id = ?3";
const REMOVE_LETTERS: &str = "DELETE FROM dead_letters_v1 WHERE (consumer, generation, id) IN \
    (SELECT consumer, generation, id FROM dead_letters_v1 \
        WHERE consumer = ?1 AND generation = ?2 AND id BETWEEN ?3 AND ?4 LIMIT 500)";
const HOLDS: &str =
    "SELECT 1 FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND stream = ?3 LIMIT 1";
const COUNT_LETTERS: &str = "SELECT count(*) FROM \
    (SELECT 1 FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 LIMIT 10000)";
const LIST_LETTERS: &str = "SELECT id, partition, position, stream, version, event_id, event_type, event, reason, error, \
        attempts, time \
    FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND id > ?3 ORDER BY id";
// A round also retries held letters that were stored after its start, so that their streams are released. If streams
// are held in order, a letter waits for the earlier letters of its stream.
const NEXT_LETTER: &str = "SELECT id, partition, position, stream, version, event_id, event_type, event, reason, error, \
        attempts, time \
    FROM (SELECT * FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND id > ?3 ORDER BY id LIMIT 500) \
        AS letter WHERE (id <= ?4 OR reason = 'held') \
        AND (?5 = 0 OR NOT EXISTS (SELECT 1 FROM dead_letters_v1 AS earlier WHERE earlier.consumer = ?1 \
            AND earlier.generation = ?2 AND earlier.stream = letter.stream AND earlier.id < letter.id)) \
    ORDER BY id LIMIT 1";
// The last letter that the search looked at, if it has looked at 500.
const LAST_LOOKED_AT: &str = "SELECT id FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND id > ?3 \
    ORDER BY id LIMIT 1 OFFSET 499";

/// The rows of one consumer in the tables.
#[derive(Debug, Clone)]
pub(in crate::handler) struct Tables<S> {
    table: Table<S>,
    kinds: Table<S>,
    versions: Table<S>,
    consumer: Box<str>,
}

impl<S: Sql + Clone> Tables<S> {
    pub(in crate::handler) fn new(sql: S, consumer: &str) -> Self {
        let kinds = Table::new(sql.clone(), &KINDS);
        let versions = Table::new(sql.clone(), &VERSIONS);
        Self { table: Table::new(sql, &SCHEMA), kinds, versions, consumer: consumer.into() }
    }
}

impl<S: Sql> Tables<S> {
    fn consumer(&self) -> Value<'_> {
        Value::Text(&self.consumer)
    }

    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.table.sql.execute(statement, values)
    }

    /// Whether a query has a row.
    fn any(&self, statement: &'static str, values: &[Value<'_>]) -> Result<bool, StorageError> {
        self.table.one(statement, values, |_| Ok(true))
    }
}

impl<S: Sql> ConsumerStore for Tables<S> {
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let committed = self.table.sql.transaction(&mut || {
            self.table.create()?;
            work()
        });
        if committed.is_err() {
            self.table.doubt();
            self.kinds.doubt();
            self.versions.doubt();
        }
        committed
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.table.sql.reading(work)
    }

    fn revision(&self) -> Result<u64, StorageError> {
        self.table.one(REVISION, &[self.consumer()], |row| Ok(row.integer(0).unwrap_or_default()))
    }

    fn load(&self) -> Result<Option<State>, StorageError> {
        let unreadable = || corrupt("the state of the consumer cannot be read");
        let mut loaded = None;
        // The transaction reads all statements at one moment. Otherwise another connection could save the first state
        // and its kind between them.
        self.reading(&mut || {
            let kind = self.kinds.one(KIND, &[self.consumer()], |row| {
                row.text(0).and_then(Kind::parse).map(Some).ok_or_else(unreadable)
            })?;
            let version = self.versions.one(VERSION, &[self.consumer()], |row| {
                row.integer(0).and_then(|version| version.try_into().ok()).map(Some).ok_or_else(unreadable)
            })?;
            let version = version.unwrap_or(FIRST_VERSION);
            loaded = self.table.one(LOAD, &[self.consumer()], |row| {
                state(row).map(|state| Some(State { kind, version, ..state })).ok_or_else(unreadable)
            })?;
            Ok(())
        })?;
        Ok(loaded)
    }

    fn save_kind(&self, kind: Kind) -> Result<(), StorageError> {
        self.kinds.create()?;
        self.execute(PUT_KIND, &[self.consumer(), Value::Text(kind.as_str())])
    }

    fn save_version(&self, version: u32) -> Result<(), StorageError> {
        self.versions.create()?;
        self.execute(PUT_VERSION, &[self.consumer(), Value::Integer(version.into())])
    }

    fn save(&self, state: &State) -> Result<(), StorageError> {
        let live = state.live.checkpoint.to_string();
        let rebuild = state.rebuild.as_ref().map(|track| (track, track.checkpoint.to_string()));
        let rebuild = match &rebuild {
            Some((track, checkpoint)) => columns(track, checkpoint),
            None => [Value::Null; 5],
        };
        let live = columns(&state.live, &live);
        let number = |number: Option<u64>| number.map_or(Value::Null, Value::Integer);
        let (round, error) = (state.round.as_ref(), state.error.as_ref());
        let text = error.map(error_text);
        let about = [
            self.consumer(),
            Value::Integer(state.revision),
            Value::Text(state.status.as_str()),
            Value::Integer(state.letters),
            text.as_deref().map_or(Value::Null, Value::Text),
            number(error.map(|error| error.time.as_millis())),
        ];
        let round = [
            number(round.map(|round| round.after)),
            number(round.map(|round| round.to)),
            number(round.map(|round| round.trouble.failures.into())),
            number(round.map(|round| round.trouble.until.as_millis())),
        ];
        self.execute(SAVE, &[&about[..], &live, &rebuild, &round].concat())
    }

    fn document(&self, generation: u64, key: &str) -> Result<Option<String>, StorageError> {
        let values = [self.consumer(), Value::Integer(generation), Value::Text(key)];
        self.table.one(GET, &values, |row| {
            let text = row.text(0).ok_or_else(|| corrupt("a document is not text"))?;
            Ok(Some(text.to_owned()))
        })
    }

    fn documents(
        &self,
        generation: u64,
        prefix: &str,
        after: &str,
        visit: &mut dyn FnMut(&str, &str) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let values = [self.consumer(), Value::Integer(generation), Value::Text(prefix), Value::Text(after)];
        self.table.rows(LIST, &values, &mut |row| match row.text(0).zip(row.text(1)) {
            Some((key, document)) if key.starts_with(prefix) => Ok(visit(key, document)),
            Some(_) => Ok(ControlFlow::Break(())),
            None => Err(corrupt("a document is not text")),
        })
    }

    fn put(&self, generation: u64, key: &str, document: Option<&str>) -> Result<(), StorageError> {
        let (generation, key) = (Value::Integer(generation), Value::Text(key));
        match document {
            Some(document) => self.execute(PUT, &[self.consumer(), generation, key, Value::Text(document)]),
            None => self.execute(DELETE, &[self.consumer(), generation, key]),
        }
    }

    fn tidy(&self, state: &State) -> Result<bool, StorageError> {
        let live = state.live.generation;
        let rebuild = state.rebuild.as_ref().map_or(live, |track| track.generation);
        for (from, to) in [(0, live.saturating_sub(1)), (live + 1, rebuild.saturating_sub(1))] {
            let values = [self.consumer(), Value::Integer(from), Value::Integer(to)];
            if self.any(LEFT_OVER, &values)? {
                self.execute(TIDY_DOCUMENTS, &values)?;
                self.execute(TIDY_LETTERS, &values)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn put_letter(&self, generation: u64, letter: &DeadLetter) -> Result<(), StorageError> {
        let event = &letter.event;
        let values = [
            self.consumer(),
            Value::Integer(generation),
            Value::Integer(letter.id.get()),
            Value::Integer(letter.partition.try_into().unwrap_or_default()),
            Value::Integer(event.position.get()),
            Value::Text(event.stream.as_str()),
            Value::Integer(event.version.get()),
            Value::Text(event.id.as_str()),
            Value::Text(event.event_type.as_str()),
            Value::Text(&event.json),
            Value::Text(letter.reason.as_str()),
            Value::Text(&letter.error.to_text()),
            Value::Integer(letter.attempts),
            Value::Integer(letter.time.as_millis()),
        ];
        self.execute(PUT_LETTER, &values)
    }

    fn letter_failed(
        &self,
        (generation, id): (u64, u64),
        error: &LetterError,
        attempts: u32,
        time: RecordedTime,
    ) -> Result<(), StorageError> {
        let values = [
            self.consumer(),
            Value::Integer(generation),
            Value::Integer(id),
            Value::Text(&error.to_text()),
            Value::Integer(attempts.into()),
            Value::Integer(time.as_millis()),
        ];
        self.execute(LETTER_FAILED, &values)
    }

    fn remove_letters(&self, generation: u64, from: u64, to: u64) -> Result<(), StorageError> {
        let [generation, from, to] = [generation, from, to].map(Value::Integer);
        self.execute(REMOVE_LETTERS, &[self.consumer(), generation, from, to])
    }

    fn holds(&self, generation: u64, stream: &StreamId) -> Result<bool, StorageError> {
        self.any(HOLDS, &[self.consumer(), Value::Integer(generation), Value::Text(stream.as_str())])
    }

    fn count_letters(&self, generation: u64) -> Result<u64, StorageError> {
        let values = [self.consumer(), Value::Integer(generation)];
        self.table.one(COUNT_LETTERS, &values, |row| Ok(row.integer(0).unwrap_or_default()))
    }

    fn next_letter(
        &self,
        generation: u64,
        round: &Round,
        in_order: bool,
    ) -> Result<NextLetter, StorageError> {
        let values = [
            self.consumer(),
            Value::Integer(generation),
            Value::Integer(round.after),
            Value::Integer(round.to),
            Value::Integer(in_order.into()),
        ];
        let found = self.table.one(NEXT_LETTER, &values, |row| DeadLetter::of_row(row).map(Some))?;
        if let Some(letter) = found {
            return Ok(NextLetter::Found(letter));
        }
        let [consumer, generation, after, ..] = values;
        let last =
            self.table.one(LAST_LOOKED_AT, &[consumer, generation, after], |row| Ok(row.integer(0)))?;
        Ok(last.map_or(NextLetter::None, NextLetter::Behind))
    }

    fn scan_letters(
        &self,
        generation: u64,
        after: u64,
        visit: &mut dyn FnMut(DeadLetter) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let values = [self.consumer(), Value::Integer(generation), Value::Integer(after)];
        self.table.rows(LIST_LETTERS, &values, &mut |row| Ok(visit(DeadLetter::of_row(row)?)))
    }
}

fn corrupt(reason: &str) -> StorageError {
    StorageError::corrupt(0, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::limits::{LETTERS_LOOKED_AT, PAGE_LOOKED_AT, REMOVED_ROWS};

    #[test]
    fn the_bounds_in_the_statements_are_the_limits() {
        for (statement, bound) in [
            (TIDY_DOCUMENTS, format!("LIMIT {REMOVED_ROWS})")),
            (TIDY_LETTERS, format!("LIMIT {REMOVED_ROWS})")),
            (REMOVE_LETTERS, format!("LIMIT {REMOVED_ROWS})")),
            (COUNT_LETTERS, format!("LIMIT {PAGE_LOOKED_AT})")),
            (NEXT_LETTER, format!("LIMIT {LETTERS_LOOKED_AT})")),
            (LAST_LOOKED_AT, format!("OFFSET {}", LETTERS_LOOKED_AT - 1)),
        ] {
            assert!(statement.contains(&bound), "{statement}: {bound}");
        }
    }
}
