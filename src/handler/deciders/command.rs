//! Commands.

use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::tagged::tagged;
use crate::ErrorCode;
use crate::store::limits::{COMMAND_BYTES, METADATA_BYTES};
use crate::store::{
    Cause, CommandHash, EventType, ExpectedVersion, IdempotencyKey, InvalidName, JsonText, PendingKey,
    RecordedTime, json_string, members, string_text,
};

/// What a caller asks of an aggregate.
///
/// ```
/// use sillok::handler::Command;
/// use sillok::store::JsonText;
///
/// let withdraw = Command::new("Withdraw", JsonText::parse(r#"{"cents":30}"#)?)?;
/// assert_eq!(withdraw.to_json(), r#"{"type":"Withdraw","data":{"cents":30},"metadata":{}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    command_type: Box<str>,
    data: JsonText,
    metadata: JsonText,
    prepared: Option<JsonText>,
    input: Input,
    timer: Option<FiredTimer>,
    /// The id of the command. The outcome is remembered under it, and a repeat of the command gets the same outcome.
    pub id: Option<IdempotencyKey>,
    /// The condition on the stream.
    pub expected: ExpectedVersion,
    /// Whether to decide without writing anything.
    pub dry_run: bool,
}

/// What a command is for the code that decides it. Only a process gets another input than a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Input {
    /// A command.
    #[default]
    Command,
    /// An event of another stream. The type of the command is that of the event, and its data are the event as in a feed.
    Event {
        /// Whether the event may be the first input of an instance.
        starts: bool,
    },
    /// The answer to a command that the process has sent. The type of the command is the name under which it was sent, and
    /// its data are the answer.
    Answer,
}

/// The timer for which a command is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredTimer {
    /// The key of the timer.
    pub key: PendingKey,
    /// The time at which the timer was due. The decision may be later.
    pub due: RecordedTime,
}

/// The reason why a command is not valid. It names the wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCommand {
    /// The command's type is not valid.
    #[error("the command type {0}")]
    Type(InvalidName),
    /// The metadata is not an object, or is larger than 16 KiB.
    #[error("the metadata must be a JSON object of at most {METADATA_BYTES} bytes")]
    Metadata,
    /// The command is larger than its limit.
    #[error("the command is {bytes} bytes long; the most is {COMMAND_BYTES}")]
    TooLarge {
        /// The length of the data, in bytes of JSON text.
        bytes: usize,
    },
    /// The value does not serialise to an object with `type` and `data`.
    #[error("the command {reason}")]
    NotTagged {
        /// What is wrong.
        reason: String,
    },
}

impl InvalidCommand {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidCommand
    }

    /// The field of the command that is wrong: `type`, `data` or `metadata`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Type(_) | Self::NotTagged { .. } => "type",
            Self::Metadata => "metadata",
            Self::TooLarge { .. } => "data",
        }
    }
}

impl Command {
    /// A command of this type with this data, at any version of the stream, without an id and without metadata. A type
    /// has 1 to 200 bytes of UTF-8 without control characters.
    ///
    /// # Errors
    /// [`InvalidCommand`].
    pub fn new(command_type: &str, data: JsonText) -> Result<Self, InvalidCommand> {
        let bytes = data.as_str().len();
        if bytes > COMMAND_BYTES {
            return Err(InvalidCommand::TooLarge { bytes });
        }
        Self::unlimited(command_type, data)
    }

    /// The event of another stream as an input of a process: its type, and the event as in a feed. `starts` says whether it may
    /// start an instance. Every stored event may be an input, however large it is.
    ///
    /// # Errors
    /// [`InvalidCommand`] if the type is not valid.
    pub fn of_event(event_type: &str, event: JsonText, starts: bool) -> Result<Self, InvalidCommand> {
        Ok(Self::unlimited(event_type, event)?.as_input(Input::Event { starts }))
    }

    fn unlimited(command_type: &str, data: JsonText) -> Result<Self, InvalidCommand> {
        // A type has the same form in commands and in events.
        EventType::new(command_type).map_err(InvalidCommand::Type)?;
        let (command_type, metadata) = (command_type.into(), JsonText::empty_object());
        let expected = ExpectedVersion::Any;
        Ok(Self {
            command_type,
            data,
            metadata,
            prepared: None,
            input: Input::Command,
            timer: None,
            id: None,
            expected,
            dry_run: false,
        })
    }

    /// Makes a command from a value of a [`Decider`](super::decider::Decider)'s type.
    ///
    /// ```
    /// use serde::Serialize;
    /// use sillok::handler::Command;
    ///
    /// #[derive(Serialize)]
    /// #[serde(tag = "type", content = "data")]
    /// enum AccountCommand {
    ///     Withdraw { cents: u64 },
    /// }
    ///
    /// let withdraw = Command::of(&AccountCommand::Withdraw { cents: 30 })?;
    /// assert_eq!(withdraw.to_json(), r#"{"type":"Withdraw","data":{"cents":30},"metadata":{}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidCommand`].
    pub fn of<T: Serialize>(command: &T) -> Result<Self, InvalidCommand> {
        let (command_type, data) = tagged(command).map_err(|reason| InvalidCommand::NotTagged { reason })?;
        Self::new(&command_type, data)
    }

    /// The same command with metadata: a JSON object of at most 16 KiB. `correlationId` and `traceparent` go on in the
    /// metadata of the events.
    ///
    /// # Errors
    /// [`InvalidCommand::Metadata`].
    pub fn with_metadata(mut self, metadata: JsonText) -> Result<Self, InvalidCommand> {
        if !metadata.is_object() || metadata.as_str().len() > METADATA_BYTES {
            return Err(InvalidCommand::Metadata);
        }
        self.metadata = metadata;
        Ok(self)
    }

    /// The same command, as an event has caused it: `correlationId`, `causationId` and `traceparent` become members of the
    /// metadata, unless the sender has set them.
    ///
    /// ```
    /// use sillok::handler::Command;
    /// use sillok::store::{Cause, EventId, JsonText};
    ///
    /// let cause = Cause::new(EventId::new("e-2")?, r#"{"correlationId":"e-1"}"#);
    /// let remind = Command::new("Remind", JsonText::null())?.caused_by(&cause)?;
    /// assert_eq!(remind.metadata().as_str(), r#"{"correlationId":"e-1","causationId":"e-2"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidCommand::Metadata`] if the metadata has no room for them.
    pub fn caused_by(self, cause: &Cause) -> Result<Self, InvalidCommand> {
        match cause.added_to(self.metadata.as_str()) {
            Some(metadata) => self.with_metadata(metadata),
            None => Ok(self),
        }
    }

    /// The same command with everything that was looked up for it before its turn. The code decides with this data. A repeat
    /// under the same id is compared by the data of the caller, because a second look may find something else.
    #[must_use]
    pub fn prepared(self, data: JsonText) -> Self {
        Self { prepared: Some(data), ..self }
    }

    /// The same command, as another input of a process.
    #[must_use]
    pub fn as_input(self, input: Input) -> Self {
        Self { input, ..self }
    }

    /// What the command is for the code that decides it.
    #[must_use]
    pub fn input(&self) -> Input {
        self.input
    }

    /// The same command, as a timer sends it.
    #[must_use]
    pub fn of_timer(self, timer: FiredTimer) -> Self {
        Self { timer: Some(timer), ..self }
    }

    /// The timer that sends the command. `None` for a command of a caller, and for every other input.
    #[must_use]
    pub fn timer(&self) -> Option<&FiredTimer> {
        self.timer.as_ref()
    }

    /// The same command with an id.
    #[must_use]
    pub fn with_id(self, id: IdempotencyKey) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same command, under this condition on the stream.
    #[must_use]
    pub fn expecting(self, expected: ExpectedVersion) -> Self {
        Self { expected, ..self }
    }

    /// Reads a command from the text of [`to_json`](Self::to_json). It has no id and no condition. `None` if the text is
    /// no command.
    #[must_use]
    pub fn from_json(text: &JsonText) -> Option<Self> {
        let [name, data, metadata] = members(text.as_str(), ["type", "data", "metadata"])?;
        let name = string_text(name?)?;
        let data = data.map_or_else(JsonText::null, JsonText::trusted);
        let command = Self::new(&name, data).ok()?;
        match metadata {
            Some(metadata) => command.with_metadata(JsonText::trusted(metadata)).ok(),
            None => Some(command),
        }
    }

    /// The command's type.
    #[must_use]
    pub fn command_type(&self) -> &str {
        &self.command_type
    }

    /// The data of the command, as JSON text.
    #[must_use]
    pub fn data(&self) -> &JsonText {
        &self.data
    }

    /// The metadata of the command, a JSON object.
    #[must_use]
    pub fn metadata(&self) -> &JsonText {
        &self.metadata
    }

    /// The command as JSON, as the code decides it: `{"type","data","metadata"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (name, metadata) = (json_string(&self.command_type), self.metadata.as_str());
        let data = self.prepared.as_ref().unwrap_or(&self.data).as_str();
        ["{\"type\":", &name, ",\"data\":", data, ",\"metadata\":", metadata, "}"].concat()
    }

    /// A hash of the command's type and data. A repeat under the same id must have the same.
    pub(crate) fn hash(&self) -> CommandHash {
        let hash = Sha256::new().chain_update(&*self.command_type).chain_update("\n");
        CommandHash::from_bytes(&hash.chain_update(self.data.as_str()).finalize()).unwrap_or_default()
    }
}
