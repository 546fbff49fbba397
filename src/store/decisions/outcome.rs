//! The remembered outcome of a command.

use crate::store::events::event::RecordedTime;
use crate::store::events::json_text::JsonText;
use crate::store::proof::hash::CommitHash;
use crate::store::version::Version;

/// The outcome of a command that has an id. The first outcome under an id stands: a repeat of the command gets it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A hash of the command. Another command under the same id is refused.
    pub command: CommandHash,
    /// The time of the decision.
    pub time: RecordedTime,
    /// The version of the stream after the decision.
    pub version: Version,
    /// What was decided.
    pub decided: Decided,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// The command was accepted, and events were appended.
    Events {
        /// The version of the first of them.
        first_version: Version,
    },
    /// The command was accepted, and nothing had to happen.
    Nothing,
    /// The rules refused the command.
    Rejected {
        /// The rejection as JSON: `{"code","data"}`.
        rejection: JsonText,
    },
}

/// A SHA-256 of a command's type and data.
pub type CommandHash = CommitHash;
