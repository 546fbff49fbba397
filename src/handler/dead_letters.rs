//! Events that a consumer gave up, kept until they are retried.

use std::ops::ControlFlow;

use super::feed::FeedEvent;
use super::state::Round;
use super::tables::{Tables, corrupt};
use crate::store::limits::{PAGE_BYTES, PAGE_EVENTS};
use crate::store::sqlite::{Row, Sql, Value};
use crate::store::{EventId, EventType, Position, RecordedTime, StorageError, StreamId, Version};

const PUT: &str = "INSERT INTO dead_letters_v1 (consumer, generation, id, partition, position, stream, version, \
        event_id, event_type, event, reason, error, attempts, time) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const FAILED: &str = "UPDATE dead_letters_v1 SET reason = 'failed', error = ?4, attempts = attempts + ?5, time = ?6 \
    WHERE consumer = ?1 AND generation = ?2 AND id = ?3";
const REMOVE: &str = "DELETE FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND id = ?3";
const HOLDS: &str =
    "SELECT 1 FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND stream = ?3 LIMIT 1";
const COUNT: &str = "SELECT count(*) FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2";
const LIST: &str = "SELECT id, partition, position, stream, version, event_id, event_type, event, reason, error, \
        attempts, time \
    FROM dead_letters_v1 WHERE consumer = ?1 AND generation = ?2 AND id > ?3 ORDER BY id";
// What is held goes on being retried after the letters that there were at first, so that its stream is released. Where
// streams are held, a letter waits for the earlier ones of its stream.
const NEXT: &str = "SELECT id, partition, position, stream, version, event_id, event_type, event, reason, error, \
        attempts, time \
    FROM dead_letters_v1 AS letter WHERE consumer = ?1 AND generation = ?2 AND id > ?3 \
        AND (id <= ?4 OR reason = 'held') \
        AND (?5 = 0 OR NOT EXISTS (SELECT 1 FROM dead_letters_v1 AS earlier WHERE earlier.consumer = ?1 \
            AND earlier.generation = ?2 AND earlier.stream = letter.stream AND earlier.id < letter.id)) \
    ORDER BY id LIMIT 1";

/// Why an event lies among the dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Every attempt at it failed.
    Failed,
    /// An earlier event of its stream lies there.
    Held,
}

impl Reason {
    /// The word for it: `failed` or `held`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }
}

/// An event that a consumer gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place among the consumer's dead letters, in the order in which they came.
    pub id: u64,
    /// The partition of the feed that holds the event.
    pub partition: usize,
    /// The event.
    pub event: FeedEvent,
    /// Why it lies here.
    pub reason: Reason,
    /// What the last attempt said; empty where there was none.
    pub error: String,
    /// How many attempts there were.
    pub attempts: u64,
    /// When it came here, or was last given up.
    pub time: RecordedTime,
}

/// Some dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// The letters, in the order of their ids.
    pub letters: Vec<DeadLetter>,
    /// The id after which there are more.
    pub next: Option<u64>,
}

impl<S: Sql> Tables<S> {
    pub(super) fn put_letter(&self, generation: u64, letter: &DeadLetter) -> Result<(), StorageError> {
        let event = &letter.event;
        let values = [
            self.consumer(),
            Value::Integer(generation),
            Value::Integer(letter.id),
            Value::Integer(letter.partition.try_into().unwrap_or_default()),
            Value::Integer(event.position.get()),
            Value::Text(event.stream.as_str()),
            Value::Integer(event.version.get()),
            Value::Text(event.id.as_str()),
            Value::Text(event.event_type.as_str()),
            Value::Text(&event.json),
            Value::Text(letter.reason.as_str()),
            Value::Text(&letter.error),
            Value::Integer(letter.attempts),
            Value::Integer(letter.time.as_millis()),
        ];
        self.execute(PUT, &values)
    }

    /// Writes down one more series of attempts that failed.
    pub(super) fn letter_failed(
        &self,
        (generation, id): (u64, u64),
        error: &str,
        attempts: u32,
        time: RecordedTime,
    ) -> Result<(), StorageError> {
        let values = [
            self.consumer(),
            Value::Integer(generation),
            Value::Integer(id),
            Value::Text(error),
            Value::Integer(attempts.into()),
            Value::Integer(time.as_millis()),
        ];
        self.execute(FAILED, &values)
    }

    pub(super) fn remove_letter(&self, generation: u64, id: u64) -> Result<(), StorageError> {
        self.execute(REMOVE, &[self.consumer(), Value::Integer(generation), Value::Integer(id)])
    }

    /// Whether an event of the stream lies among the dead letters.
    pub(super) fn holds(&self, generation: u64, stream: &StreamId) -> Result<bool, StorageError> {
        self.any(HOLDS, &[self.consumer(), Value::Integer(generation), Value::Text(stream.as_str())])
    }

    pub(super) fn count_letters(&self, generation: u64) -> Result<u64, StorageError> {
        let values = [self.consumer(), Value::Integer(generation)];
        self.table.one(COUNT, &values, |row| Ok(row.integer(0).unwrap_or_default()))
    }

    /// The letter whose turn it is in a round, in which streams may be kept in order.
    pub(super) fn next_letter(
        &self,
        generation: u64,
        round: &Round,
        in_order: bool,
    ) -> Result<Option<DeadLetter>, StorageError> {
        let values = [
            self.consumer(),
            Value::Integer(generation),
            Value::Integer(round.after),
            Value::Integer(round.to),
            Value::Integer(in_order.into()),
        ];
        self.table.one(NEXT, &values, |row| letter(row).map(Some).ok_or_else(unreadable))
    }

    /// Up to `limit` letters after `after`, fewer where they fill 4 MiB.
    pub(super) fn letters(
        &self,
        generation: u64,
        after: u64,
        limit: usize,
    ) -> Result<DeadLetters, StorageError> {
        let values = [self.consumer(), Value::Integer(generation), Value::Integer(after)];
        let (mut found, mut bytes) = (DeadLetters::default(), 0);
        self.table.rows(LIST, &values, &mut |row| {
            if found.letters.len() >= limit.clamp(1, PAGE_EVENTS) || bytes >= PAGE_BYTES {
                found.next = found.letters.last().map(|letter| letter.id);
                return Ok(ControlFlow::Break(()));
            }
            let letter = letter(row).ok_or_else(unreadable)?;
            bytes += letter.event.json.len();
            found.letters.push(letter);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}

fn unreadable() -> StorageError {
    corrupt("a dead letter cannot be read")
}

/// A row of [`LIST`] or [`NEXT`]; `None` where it is not one that was put there.
fn letter(row: &dyn Row) -> Option<DeadLetter> {
    let event = FeedEvent {
        position: Position::new(row.integer(2)?)?,
        stream: StreamId::new(row.text(3)?).ok()?,
        version: Version::new(row.integer(4)?)?,
        id: EventId::new(row.text(5)?).ok()?,
        event_type: EventType::new(row.text(6)?).ok()?,
        json: row.text(7)?.to_owned(),
    };
    let reason = row.text(8)?;
    Some(DeadLetter {
        id: row.integer(0)?,
        partition: row.integer(1)?.try_into().ok()?,
        event,
        reason: [Reason::Failed, Reason::Held].into_iter().find(|word| word.as_str() == reason)?,
        error: row.text(9)?.to_owned(),
        attempts: row.integer(10)?,
        time: RecordedTime::from_millis(row.integer(11)?),
    })
}
