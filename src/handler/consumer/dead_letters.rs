//! Dead letters: the events that a consumer gave up or holds, stored until they are retried or discarded.

use std::fmt;

use thiserror::Error;

use crate::ErrorCode;
use crate::handler::feed::FeedEvent;
use crate::handler::stored::state::SEPARATOR;
use crate::store::sqlite::Row;
use crate::store::{EventId, EventType, Position, RecordedTime, StorageError, StreamId, Version};

/// The number of a dead letter. A consumer numbers its dead letters in the order in which they were stored.
///
/// ```
/// use sillok::handler::LetterId;
///
/// assert_eq!(LetterId::parse("7")?, LetterId::new(7));
/// assert!(LetterId::parse("+7").is_err() && LetterId::parse("7\u{1f}").is_err());
/// # Ok::<(), sillok::handler::InvalidLetterId>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId(u64);

/// The text is not an id of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the id of a dead letter must be a whole number")]
pub struct InvalidLetterId;

impl InvalidLetterId {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::InvalidParameter
    }
}

impl LetterId {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Reads a text of digits as an id. A number above all possible ids becomes an id that no dead letter has.
    ///
    /// # Errors
    /// [`InvalidLetterId`].
    pub fn parse(text: &str) -> Result<Self, InvalidLetterId> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidLetterId);
        }
        Ok(Self(text.parse().unwrap_or(u64::MAX)))
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The reason why an event is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Every attempt at it has failed.
    Failed,
    /// An earlier event of its stream is a dead letter.
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

/// An event that a consumer gave up or holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number among the consumer's dead letters, in the order in which they were stored.
    pub id: LetterId,
    /// The partition of the feed that holds the event.
    pub partition: usize,
    /// The event.
    pub event: FeedEvent,
    /// The reason why it is a dead letter.
    pub reason: Reason,
    /// The error of the last attempt. Empty if there was no attempt.
    pub error: LetterError,
    /// The number of attempts.
    pub attempts: u64,
    /// The time at which it was stored, or was last given up.
    pub time: RecordedTime,
}

/// The error of a dead letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterError {
    /// What is wrong, cut off at 4 KiB.
    pub message: String,
    /// The stack of the handler's error, cut off at 8 KiB. `None` if the error has none.
    pub stack: Option<String>,
}

impl LetterError {
    /// The number of bytes.
    pub(in crate::handler) fn size(&self) -> usize {
        self.message.len() + self.stack.as_ref().map_or(0, String::len)
    }

    /// The text that is stored: the message and, after the separator, the stack.
    pub(in crate::handler) fn to_text(&self) -> String {
        let Self { message, stack } = self;
        stack.as_ref().map_or_else(|| message.clone(), |stack| format!("{message}{SEPARATOR}{stack}"))
    }

    fn of_text(text: &str) -> Self {
        match text.split_once(SEPARATOR) {
            Some((message, stack)) => Self { message: message.to_owned(), stack: Some(stack.to_owned()) },
            None => Self { message: text.to_owned(), stack: None },
        }
    }
}

impl DeadLetter {
    /// Reads a row of `id, partition, position, stream, version, event_id, event_type, event, reason, error, attempts, time`.
    pub(in crate::handler) fn of_row(row: &dyn Row) -> Result<Self, StorageError> {
        letter(row).ok_or_else(|| StorageError::corrupt(0, "a dead letter cannot be read"))
    }
}

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
        id: LetterId::new(row.integer(0)?),
        partition: row.integer(1)?.try_into().ok()?,
        event,
        reason: [Reason::Failed, Reason::Held].into_iter().find(|word| word.as_str() == reason)?,
        error: LetterError::of_text(row.text(9)?),
        attempts: row.integer(10)?,
        time: RecordedTime::from_millis(row.integer(11)?),
    })
}

/// A page of dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// The letters, in the order of their ids.
    pub letters: Vec<DeadLetter>,
    /// The id after which the next page begins. `None` if this page is the last.
    pub next: Option<u64>,
}
