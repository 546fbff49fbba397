//! Ways to break the protocol on purpose. Each is found by the checkers within a number of runs, or they check nothing.

use sillok::store::sqlite::Value;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The journal forgets what it has of a stream.
    JournalForgets,
    /// Positions come from a sequence that does not go back with what is rolled back.
    PositionsFromSequence,
    /// The journal takes commits that do not follow on what it has.
    GapAccepted,
    /// No alarm is ever set.
    AlarmNeverSet,
    /// An alarm is set after what was written is durable, and not with it.
    AlarmSetApart,
    /// An alarm counts as heard as soon as it has rung, before what it rang for is done.
    RingingOverAtOnce,
    /// Messages leave before what was written is durable.
    SentBeforeDurable,
    /// A forward is acknowledged though a consumer could not be woken.
    WakeFailureForgotten,
    /// A consumer answers a wake before it has made it its duty.
    WokenBeforeDuty,
    /// What is written as one is written in pieces: documents without their checkpoint.
    TransactionsInPieces,
    /// The key of an append is not kept.
    KeyNotKept,
    /// A reactor sends its commands without idempotency keys.
    CommandWithoutKey,
    /// A delivery is told to be done before it is.
    ToldBeforeDelivered,
    /// Each attempt at a delivery has another id.
    IdOfAttempt,
    /// A dead letter is not kept.
    DeadLetterDropped,
}

/// What becomes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alteration {
    None,
    /// It is said to have been done.
    Lost,
}

impl Break {
    /// Breaks a statement.
    pub fn alters(self, statement: &str, values: &mut [Value<'_>]) -> Alteration {
        let lost = match self {
            Self::JournalForgets => statement.starts_with("INSERT OR REPLACE INTO streams_v1"),
            Self::DeadLetterDropped => statement.starts_with("INSERT INTO dead_letters_v1"),
            _ => false,
        };
        if self == Self::KeyNotKept && statement.starts_with("INSERT INTO commits_v1") {
            values[4] = Value::Null;
        }
        if lost { Alteration::Lost } else { Alteration::None }
    }

    /// Whether the statement asks for the last position, and is answered by a sequence.
    pub fn asks_sequence(self, statement: &str) -> bool {
        self == Self::PositionsFromSequence && statement.contains("max(position)")
    }

    /// Whether the statement uses a position up, which is its first value.
    pub fn gives_position(self, statement: &str) -> bool {
        self == Self::PositionsFromSequence && statement.starts_with("INSERT INTO groups_v1")
    }
}
