//! Pending commands: timers, and the commands that a process has sent.

use crate::store::events::event::RecordedTime;
use crate::store::events::json_text::JsonText;
use crate::store::limits::{EVENT_ID_BYTES, TIMER_KEY_BYTES};
use crate::store::names::name::{self, InvalidName};
use crate::store::names::stream_id::StreamId;

/// The key of a pending command within its stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PendingKey {
    kind: PendingKind,
    text: Box<str>,
}

/// The two kinds of pending commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PendingKind {
    /// A command that an aggregate sends to itself at a time. The code chooses its key.
    Timer,
    /// A command that a process has sent to another stream. The key is the id of the command.
    Sent,
}

impl PendingKind {
    /// The word for it: `timer` or `sent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Sent => "sent",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Timer, Self::Sent].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl PendingKey {
    /// The key of a timer: 1 to 200 bytes of UTF-8 without control characters.
    ///
    /// ```
    /// use sillok::store::PendingKey;
    ///
    /// assert!(PendingKey::timer("review").is_ok());
    /// assert!(PendingKey::timer("").is_err());
    /// ```
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn timer(text: &str) -> Result<Self, InvalidName> {
        name::check(text, TIMER_KEY_BYTES)?;
        Ok(Self { kind: PendingKind::Timer, text: text.into() })
    }

    /// The key of a sent command: its id, which has 1 to 200 bytes of UTF-8 without control characters.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn sent(id: &str) -> Result<Self, InvalidName> {
        name::check(id, EVENT_ID_BYTES)?;
        Ok(Self { kind: PendingKind::Sent, text: id.into() })
    }

    /// A key before all keys of this kind, for a [scan](super::log::DecisionLog::scan_pending). No pending command has it.
    #[must_use]
    pub fn first(kind: PendingKind) -> Self {
        Self { kind, text: "".into() }
    }

    /// The kind of the pending command.
    #[must_use]
    pub const fn kind(&self) -> PendingKind {
        self.kind
    }

    /// The key of the timer, or the id of the sent command.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A command that is stored until its time has come, or until it is answered. It is stored in one act with the decision
/// that it follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingCommand {
    /// Its key.
    pub key: PendingKey,
    /// The receiver of a sent command. A timer has none: it is a command to its own stream.
    pub receiver: Option<Receiver>,
    /// The command as JSON: `{"type","data","metadata"}`.
    pub command: JsonText,
    /// The time at which the timer is due, or at which the command was sent.
    pub at: RecordedTime,
    /// The number of attempts that have failed.
    pub failed: u32,
    /// What happens next.
    pub state: PendingState,
    /// The last error, as JSON: `{"code","detail"}`. For a rejected timer and for an answered command: the rejection,
    /// `{"code","data"}`.
    pub error: Option<JsonText>,
}

/// The receiver of a sent command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The stream of the receiver.
    pub stream: StreamId,
    /// The name under which the process gets the answer.
    pub name: Box<str>,
}

/// What happens next to a pending command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingState {
    /// It is attempted at this time.
    Due(RecordedTime),
    /// The answer to the sent command is stored with it, as its error: a rejection. The process takes it at this time.
    Answered(RecordedTime),
    /// All attempts have failed, or none can succeed. It waits for an operator.
    Parked,
    /// The rules have rejected the timer. It is done, and stays visible until its key is set again or cancelled.
    Rejected,
}

impl PendingState {
    /// The time of the next attempt.
    #[must_use]
    pub const fn due(self) -> Option<RecordedTime> {
        match self {
            Self::Due(at) | Self::Answered(at) => Some(at),
            Self::Parked | Self::Rejected => None,
        }
    }

    /// The word for it: `due`, `answered`, `parked` or `rejected`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due(_) => "due",
            Self::Answered(_) => "answered",
            Self::Parked => "parked",
            Self::Rejected => "rejected",
        }
    }

    /// The state of this word. `due` is the time of the next attempt.
    #[must_use]
    pub fn from_text(text: &str, due: Option<RecordedTime>) -> Option<Self> {
        match (text, due) {
            ("due", Some(at)) => Some(Self::Due(at)),
            ("answered", Some(at)) => Some(Self::Answered(at)),
            ("parked", None) => Some(Self::Parked),
            ("rejected", None) => Some(Self::Rejected),
            _ => None,
        }
    }
}

/// A change of a stream's pending commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingChange {
    /// Stores a pending command, in place of an earlier one with the same key.
    Put(PendingCommand),
    /// Removes a pending command, if there is one.
    Remove(PendingKey),
    /// Parks a pending command, if there is one, without reading it: it may be one that cannot be read.
    Park(PendingKey),
}

impl PendingChange {
    /// The key of the pending command.
    #[must_use]
    pub const fn key(&self) -> &PendingKey {
        match self {
            Self::Put(pending) => &pending.key,
            Self::Remove(key) | Self::Park(key) => key,
        }
    }
}
