//! Processes in Rust: aggregates that also take events of other streams and answers, and send commands.

use std::fmt::{Debug, Formatter};

use serde::de::DeserializeOwned;

use super::behaviour::{Accepted, Behaviour, BehaviourDecision, BehaviourSettings, DecideContext, Fault};
use super::command::{Command, Input};
use super::decider::{CommandContext, Decider};
use super::decision::Decision;
use super::event::Upcasts;
use super::typed::TypedBehaviour;
use crate::ErrorCode;
use crate::handler::consumer::policy::{OnFailure, Policy};
use crate::handler::feed::FeedEvent;
use crate::handler::projections::projection::Failed;
use crate::handler::read_event::read_upcast;
use crate::store::{
    EventId, EventType, EventView, JsonText, Position, StreamId, Version, members, string_text,
};

/// A process: an aggregate that leads a conversation between other aggregates, such as a transfer between two accounts.
///
/// An instance is one stream, such as `transfer-7`. It takes commands of its own, events of other streams, answers to the
/// commands that it has sent, and its own timers. Each input is decided by the state of the instance, and its decision is
/// stored in one act: events, timers and commands to send. A sent command is delivered until it is answered, under an id of its
/// own, so that it takes effect once. Each answer is taken once. The pattern is known as process manager, from Gregor Hohpe and
/// Bobby Woolf's "Enterprise Integration Patterns".
///
/// Events that come before the start of the instance do nothing. After its end, all inputs do nothing, its timers are removed,
/// and commands are rejected with the code `process_ended`.
pub trait Process: Decider {
    /// The events of other streams: an enum with `#[serde(tag = "type", content = "data")]`. A process that takes none has
    /// [`NoSource`].
    type Source: DeserializeOwned;

    /// The types of the events of other streams. The default is that there are none.
    const SOURCE_TYPES: &'static [&'static str] = &[];

    /// The only category of the other streams. The default is all categories.
    const SOURCE_CATEGORY: Option<&'static str> = None;

    /// The conversions of older events of other streams, such as `OrderEvent::UPCASTS`.
    const SOURCE_UPCASTS: Upcasts = &[];

    /// The rules for events of other streams that an instance could not take. By default, the later events of the same stream
    /// wait until a retry of that event succeeds.
    const POLICY: Policy = Policy { on_failure: OnFailure::HoldStream, ..Policy::DEFAULT };

    /// The instance that an event of another stream is for. The default is none.
    fn instance(event: &Self::Source, source: &FeedEvent) -> Option<Instance> {
        let _ = (event, source);
        None
    }

    /// Decides about an event of another stream. The default is that nothing happens.
    ///
    /// # Errors
    /// The text of the error. The event is attempted again.
    fn on(
        event: Self::Source,
        state: &Self::State,
        context: &CommandContext<'_>,
    ) -> Result<Decision<Self::Event>, Failed> {
        let _ = (event, state, context);
        Ok(Decision::nothing())
    }

    /// Decides about the answer to a command that was sent under this name to this stream. The default fails. Fail too for a
    /// name that the code does not know: the answer is then attempted again, and not lost.
    ///
    /// # Errors
    /// The text of the error. The command is sent again, and has the same answer.
    fn answered(
        name: &str,
        answer: &Answer,
        from: &StreamId,
        state: &Self::State,
        context: &CommandContext<'_>,
    ) -> Result<Decision<Self::Event>, Failed> {
        let _ = (answer, from, state, context);
        Err(format!("the process decides no answer to a command with the name {name}").into())
    }

    /// Whether the instance is over.
    fn is_ended(state: &Self::State) -> bool {
        let _ = state;
        false
    }
}

/// The events of other streams of a process that takes none.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub enum NoSource {}

/// The instance of a process that an event is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The id of the instance: its stream is the category of the process, a `-` and this.
    pub id: String,
    /// Whether the event starts the instance. An event that does not, does nothing before the start.
    pub starts: bool,
}

impl Instance {
    /// The event starts the instance, or comes to it.
    #[must_use]
    pub fn starts(id: impl Into<String>) -> Option<Self> {
        Some(Self { id: id.into(), starts: true })
    }

    /// The event comes to the instance, if it has started.
    #[must_use]
    pub fn continues(id: impl Into<String>) -> Option<Self> {
        Some(Self { id: id.into(), starts: false })
    }
}

/// The answer to a command that a process has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The command was accepted.
    Accepted {
        /// The version of the receiver after the decision.
        version: Version,
    },
    /// The rules of the receiver have refused the command.
    Rejected {
        /// The rejection as JSON: `{"code","data"}`.
        rejection: JsonText,
    },
}

impl Answer {
    /// Whether the command was accepted.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// The rejection in the type of the receiver, if the command was refused.
    ///
    /// # Errors
    /// The rejection does not have this type.
    pub fn rejection<R: DeserializeOwned>(&self) -> Result<Option<R>, Failed> {
        match self {
            Self::Accepted { .. } => Ok(None),
            Self::Rejected { rejection } => Ok(Some(serde_json::from_str(rejection.as_str())?)),
        }
    }

    /// Reads an answer as the machine of commands writes it: its name, its stream and itself.
    fn read(data: &JsonText) -> Option<(String, StreamId, Self)> {
        let [name, stream, version, rejection] =
            members(data.as_str(), ["name", "stream", "version", "rejection"])?;
        let text = |member: Option<&str>| string_text(member?).map(String::from);
        let answer = match rejection {
            Some(rejection) => Self::Rejected { rejection: JsonText::trusted(rejection) },
            None => Self::Accepted { version: Version::new(version?.parse().ok()?)? },
        };
        Some((text(name)?, StreamId::new(&text(stream)?).ok()?, answer))
    }
}

/// Reads an event of a feed from its JSON.
fn read_source(json: &JsonText) -> Option<FeedEvent> {
    let [position, stream, version, id, event_type] =
        members(json.as_str(), ["position", "stream", "version", "id", "type"])?;
    let text = |member: Option<&str>| string_text(member?).map(String::from);
    Some(FeedEvent {
        position: position.and_then(|number| Position::new(number.parse().ok()?)).unwrap_or_default(),
        stream: StreamId::new(&text(stream)?).ok()?,
        version: Version::new(version?.parse().ok()?)?,
        id: EventId::new(&text(id)?).ok()?,
        event_type: EventType::new(&text(event_type)?).ok()?,
        json: json.as_str().to_owned(),
    })
}

/// A [`Process`] with the state of one instance, as the machine of commands drives it.
pub struct ProcessBehaviour<P: Process> {
    aggregate: TypedBehaviour<P>,
}

impl<P: Process> Debug for ProcessBehaviour<P> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ProcessBehaviour").field("aggregate", &self.aggregate).finish()
    }
}

impl<P: Process> ProcessBehaviour<P> {
    /// The process for this stream, without a state.
    #[must_use]
    pub fn new(stream: StreamId) -> Self {
        Self { aggregate: TypedBehaviour::new(stream) }
    }

    fn decide_input(
        state: &P::State,
        command: &Command,
        context: &CommandContext<'_>,
    ) -> Result<Decision<P::Event>, Failed> {
        let unreadable = || Failed::from("the input of the process cannot be read");
        if command.input() == Input::Answer {
            let (name, from, answer) = Answer::read(command.data()).ok_or_else(unreadable)?;
            return P::answered(&name, &answer, &from, state, context);
        }
        let source = read_source(command.data()).ok_or_else(unreadable)?;
        P::on(read_upcast(&source, P::SOURCE_UPCASTS)?, state, context)
    }
}

impl<P: Process> Behaviour for ProcessBehaviour<P> {
    fn code(&self) -> String {
        self.aggregate.code()
    }

    fn settings(&self) -> BehaviourSettings {
        BehaviourSettings { may_end: true, ..self.aggregate.settings() }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.aggregate.begin()
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        self.aggregate.restore(state)
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        self.aggregate.fold(event)
    }

    fn folded(&mut self) -> Result<(), Fault> {
        self.aggregate.folded()
    }

    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let decided = match command.input() {
            Input::Command => self.aggregate.decide(command, context)?,
            Input::Event { .. } | Input::Answer => {
                self.aggregate.decide_by(command, context, |state, context| {
                    Self::decide_input(state, command, context)
                        .map_err(|failed| Fault::new(ErrorCode::DeciderFailed, failed.message()))
                })?
            }
        };
        Ok(match decided {
            BehaviourDecision::Accepted(accepted) => {
                let ended = self.aggregate.next_state().is_some_and(P::is_ended);
                BehaviourDecision::Accepted(Accepted { ended, ..accepted })
            }
            rejected @ BehaviourDecision::Rejected(_) => rejected,
        })
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        Ok(self.aggregate.live_state().is_some_and(P::is_ended))
    }

    fn advance(&mut self) {
        self.aggregate.advance();
    }

    fn clear(&mut self) {
        self.aggregate.clear();
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        self.aggregate.state()
    }
}

/// The rejection of a command to a process that has ended.
const PROCESS_ENDED: &str = r#"{"code":"process_ended"}"#;

/// The decision about an input that a process does not take, without its code. `is_begun`: the instance has an event. An event
/// before the start or after the end does nothing, and so does an answer after the end. A command after the end is rejected.
/// Returns `None` if the process takes the input.
///
/// ```
/// use sillok::handler::{Input, not_taken};
///
/// let event = Input::Event { starts: false };
/// assert!(not_taken(event, false, false).is_some());
/// assert_eq!(not_taken(event, true, false), None);
/// ```
#[must_use]
pub fn not_taken(input: Input, is_begun: bool, is_ended: bool) -> Option<BehaviourDecision> {
    let nothing = || Some(BehaviourDecision::Accepted(Accepted::default()));
    match input {
        Input::Event { starts: false } if !is_begun => nothing(),
        _ if !is_ended => None,
        Input::Command => Some(BehaviourDecision::Rejected(JsonText::trusted(PROCESS_ENDED))),
        Input::Event { .. } | Input::Answer => nothing(),
    }
}
