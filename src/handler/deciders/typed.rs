//! Deciders in Rust, as the machine of commands drives them.

use std::fmt::{Debug, Formatter};

use serde::Serialize;
use serde_json::Value;

use super::behaviour::{Accepted, Behaviour, BehaviourDecision, BehaviourSettings, DecideContext, Fault};
use super::command::Command;
use super::decider::{CommandContext, Decider, UnknownEvents};
use super::decision::{Decision, Refusal};
use super::event::{Event, declares, read_back, read_stored};
use crate::ErrorCode;
use crate::handler::read_event::{read_tagged, variants_of};
use crate::store::{EventView, IdempotencyKey, JsonText, NewEvent, StreamId, members};

/// A [`Decider`] with the state of one stream.
///
/// Decided events are written as JSON and read again before they are folded. So the state after a decision is the state
/// that a replay makes.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal};
/// use sillok::gateway::{Commands, Step};
/// use sillok::handler::{Command, TypedBehaviour};
/// use sillok::store::{EventId, EventStore, JsonText, MemoryLog, RecordedTime, StreamId};
///
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum Count { Count { by: u32 } }
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum Counted { Counted { by: u32 } }
/// # impl Event for Counted {}
/// # #[derive(Serialize, Deserialize)]
/// # enum Never {}
/// # struct Counter;
/// # impl Decider for Counter {
/// #     type State = u32;
/// #     type Command = Count;
/// #     type Event = Counted;
/// #     type Rejection = Never;
/// #     const CATEGORY: &str = "counter";
/// #     fn initial_state() -> u32 { 0 }
/// #     fn decide(command: Count, _: &u32, _: &CommandContext<'_>) -> Result<Decision<Counted>, Refusal<Never>> {
/// #         let Count::Count { by } = command;
/// #         Ok(Counted::Counted { by }.into())
/// #     }
/// #     fn evolve(state: u32, event: Counted) -> u32 {
/// #         let Counted::Counted { by } = event;
/// #         state + by
/// #     }
/// # }
/// let mut store = EventStore::new(MemoryLog::new());
/// let stream = StreamId::new("counter-1")?;
/// let mut commands = Commands::new(Box::new(TypedBehaviour::<Counter>::new(stream.clone())));
/// let command = Command::of(&Count::Count { by: 2 })?;
/// let now = RecordedTime::from_millis(1_795_395_723_456);
/// // Long histories are loaded in several steps.
/// while commands.execute(&mut store, &stream, &command, now, &mut EventId::default)? == Step::More {}
/// assert_eq!(commands.state()?.as_str(), "2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TypedBehaviour<D: Decider> {
    stream: StreamId,
    state: Option<D::State>,
    /// The state after the last decision, until it is stored.
    next: Option<D::State>,
}

impl<D: Decider> Debug for TypedBehaviour<D> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TypedBehaviour").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl<D: Decider> TypedBehaviour<D> {
    /// The decider for this stream, without a state.
    #[must_use]
    pub fn new(stream: StreamId) -> Self {
        Self { stream, state: None, next: None }
    }

    /// The types of the commands, in the order of the variants.
    #[must_use]
    pub fn command_types() -> &'static [&'static str] {
        variants_of::<D::Command>()
    }

    /// Checks events that somebody appends without a command: their types are declared, their schema version is the newest,
    /// and their data have the declared shape.
    ///
    /// # Errors
    /// [`Fault`] with the code `invalid_event` and the wrong field.
    pub fn check(events: &[NewEvent]) -> Result<(), Fault> {
        events.iter().try_for_each(|event| {
            let event_type = event.event_type().as_str();
            let invalid = |detail, field: &str| Fault::new(ErrorCode::InvalidEvent, detail).in_field(field);
            if !declares::<D::Event>(event_type) {
                let detail = format!("the aggregate {} has no event of type {event_type}", D::CATEGORY);
                return Err(invalid(detail, "type"));
            }
            let newest = D::Event::schema_version(event_type);
            if event.schema_version() != newest {
                let detail =
                    format!("the schema version of {event_type} must be {newest}, which is the newest");
                return Err(invalid(detail, "schemaVersion"));
            }
            read_back::<D::Event>(event).map(|_| ())
        })
    }

    fn read_command(command: &Command) -> Result<D::Command, Fault> {
        read_tagged(&command.to_json()).map_err(|error| {
            let (known, name) = (Self::command_types(), command.command_type());
            if known.is_empty() || known.contains(&name) {
                let detail = format!("the command {name} cannot be read: {error}");
                return Fault::new(ErrorCode::InvalidCommand, detail).in_field("data");
            }
            let detail = format!("the aggregate {} has no command of type {name}", D::CATEGORY);
            Fault::new(ErrorCode::UnknownCommand, detail).in_field("type")
        })
    }

    /// The state.
    pub(super) fn live_state(&self) -> Option<&D::State> {
        self.state.as_ref()
    }

    /// The state after the last decision.
    pub(super) fn next_state(&self) -> Option<&D::State> {
        self.next.as_ref().or(self.state.as_ref())
    }

    /// Decides by a function of the state.
    pub(super) fn decide_by(
        &mut self,
        command: &Command,
        context: &DecideContext,
        decide: impl FnOnce(&D::State, &CommandContext<'_>) -> Result<Decision<D::Event>, Fault>,
    ) -> Result<BehaviourDecision, Fault> {
        self.next = None;
        let state = self.state.as_ref().ok_or_else(without_state)?;
        let context = CommandContext {
            now: context.now,
            version: context.version,
            command_id: command.id.as_ref().map(IdempotencyKey::as_str),
            metadata: command.metadata(),
            timer: command.timer(),
        };
        let (decided, timers, sent) = decide(state, &context)?.into_parts();
        let more = Accepted { timers, sent, ..Accepted::default() };
        if decided.is_empty() {
            return Ok(BehaviourDecision::Accepted(more));
        }
        let (next, events) = Self::fold_decided(state, &decided)?;
        self.next = Some(next);
        Ok(BehaviourDecision::Accepted(Accepted { events, ..more }))
    }

    /// Folds the decided events into a second state.
    fn fold_decided(state: &D::State, decided: &[D::Event]) -> Result<(D::State, Vec<NewEvent>), Fault> {
        let (mut state, mut events) = (state.clone(), Vec::with_capacity(decided.len()));
        for event in decided {
            let event = event.to_new()?;
            state = D::evolve(state, read_back(&event)?);
            events.push(event);
        }
        Ok((state, events))
    }
}

impl<D: Decider> Behaviour for TypedBehaviour<D> {
    fn code(&self) -> String {
        let mut types: Vec<&str> = D::Event::UPCASTS.iter().map(|(event_type, _)| *event_type).collect();
        types.sort_unstable();
        let versions = types.into_iter().map(|name| (name, D::Event::schema_version(name)));
        let changed: Vec<String> = versions
            .filter(|(_, version)| *version != 1)
            .map(|(name, version)| format!(";{}={version}", escaped(name)))
            .collect();
        let code = format!("{}{}", D::STATE_VERSION, changed.concat());
        if matches!(D::UNKNOWN_EVENTS, UnknownEvents::Fail) {
            return code;
        }
        // Code that knows more types has another state.
        let mut known: Vec<String> = D::Event::types().iter().map(|name| escaped(name)).collect();
        known.sort_unstable();
        format!("{code}|{}", known.join(";"))
    }

    fn settings(&self) -> BehaviourSettings {
        BehaviourSettings {
            snapshot_events: D::SNAPSHOT_EVERY,
            snapshot_bytes: D::SNAPSHOT_BYTES,
            remember_millis: D::REMEMBER_MILLIS,
            may_end: false,
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        (self.state, self.next) = (Some(D::initial_state()), None);
        Ok(())
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        (self.state, self.next) = (serde_json::from_str(state.as_str()).ok(), None);
        Ok(self.state.is_some())
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        let state = self.state.take().ok_or_else(without_state)?;
        let state = match (read_stored(event, self.stream.as_str())?, D::UNKNOWN_EVENTS) {
            (Some(read), _) => D::evolve(state, read),
            (None, UnknownEvents::Skip) => state,
            (None, UnknownEvents::Fail) => return Err(unknown(event, &self.stream, D::CATEGORY)),
        };
        self.state = Some(state);
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let mut rejection = None;
        let decided = self.decide_by(command, context, |state, context| {
            match D::decide(Self::read_command(command)?, state, context) {
                Ok(decision) => Ok(decision),
                Err(Refusal::Rejected(refused)) => {
                    rejection = Some(rejected(&refused)?);
                    Ok(Decision::nothing())
                }
                Err(Refusal::Failed(failed)) => Err(Fault::new(ErrorCode::DeciderFailed, failed.message())),
            }
        })?;
        Ok(rejection.unwrap_or(decided))
    }

    fn advance(&mut self) {
        if let Some(next) = self.next.take() {
            self.state = Some(next);
        }
    }

    fn clear(&mut self) {
        (self.state, self.next) = (None, None);
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        let state = self.state.as_ref().ok_or_else(without_state)?;
        let text = serde_json::to_string(state).map_err(|error| {
            Fault::new(ErrorCode::DeciderFailed, format!("the state cannot be written as JSON: {error}"))
        })?;
        Ok(JsonText::trusted(&text))
    }
}

fn without_state() -> Fault {
    Fault::new(ErrorCode::Internal, "the behaviour has no state: call `begin` or `restore` first")
}

/// A type without the characters that separate types.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace(';', "%3B").replace('=', "%3D").replace('|', "%7C")
}

fn unknown(event: &EventView<'_>, stream: &StreamId, category: &str) -> Fault {
    let EventView { version, event_type, .. } = event;
    let detail = format!(
        "version {version} of stream {stream} has the type {event_type}, which the aggregate {category} does not declare"
    );
    Fault::new(ErrorCode::UnknownEvent, detail)
}

/// A rejection as JSON, `{"code","data"}`.
fn rejected<R: Serialize>(rejection: &R) -> Result<BehaviourDecision, Fault> {
    let text = serde_json::to_string(rejection);
    let has_code = |text: &String| {
        let [code] = members(text, ["code"]).unwrap_or_default();
        code.is_some_and(|code| matches!(serde_json::from_str(code), Ok(Value::String(_))))
    };
    match text.as_ref() {
        Ok(text) if has_code(text) => Ok(BehaviourDecision::Rejected(JsonText::trusted(text))),
        _ => {
            let detail = "the rejection must be an object with a `code`: write `#[serde(tag = \"code\", content = \"data\")]` at its enum";
            Err(Fault::new(ErrorCode::DeciderFailed, detail))
        }
    }
}
