//! Deciders under test: given a history, when a command, then a decision.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::{Value, json};

use super::difference::difference;
use super::expecting::Pending;
use super::recorded::Recorded;
use crate::ErrorCode;
use crate::gateway::{CommandError, Commands, Executed, Step};
use crate::handler::{Behaviour, Command, Decider, Event, Fault, FiredTimer, TypedBehaviour};
use crate::store::{
    Append, EventId, EventStore, IdempotencyKey, JsonText, MemoryLog, NewEvent, PendingKey, RecordedTime,
    StreamId,
};

/// Begins a test of a decider with the events of a stream. The machine of commands runs over a store in memory, so upcasts,
/// JSON and limits are as in production.
///
/// Each `then` panics with the difference if the outcome is another one:
///
/// ```text
/// the outcome differs from the expected one:
/// - expected
/// + actual
///
///   {
///     "events": [
///       {
///         "data": {
/// -         "cents": 31
/// +         "cents": 30
///         },
///         "type": "Withdrawn"
///       }
///     ]
///   }
/// ```
///
/// For an example, see [`Decider`]. For a [`Process`](crate::handler::Process), use [`given_process`](super::given_process).
#[must_use]
pub fn given<D: Decider>(history: &[D::Event]) -> Given<D> {
    given_with(history, |stream| Box::new(TypedBehaviour::<D>::new(stream)))
}

/// Begins a test with the events of a stream, whose code `behaviour` makes.
pub(super) fn given_with<D: Decider>(history: &[D::Event], behaviour: MakeBehaviour) -> Given<D> {
    Given {
        history: history.iter().map(Event::to_new).collect(),
        now: RecordedTime::default(),
        id: None,
        metadata: JsonText::empty_object(),
        timer: None,
        behaviour,
        decider: PhantomData,
    }
}

/// Makes the code of a stream.
pub(super) type MakeBehaviour = fn(StreamId) -> Box<dyn Behaviour>;

/// A stream with a history, made by [`given`] and [`given_process`](super::given_process).
#[derive(Debug)]
pub struct Given<D> {
    history: Vec<Result<NewEvent, Fault>>,
    now: RecordedTime,
    id: Option<String>,
    metadata: JsonText,
    timer: Option<FiredTimer>,
    behaviour: MakeBehaviour,
    decider: PhantomData<fn() -> D>,
}

impl<D: Decider> Given<D> {
    /// Adds an event to the history as it is stored: of an older schema version, for example, or of an unknown type.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use sillok::handler::{CommandContext, Decider, Decision, Event, Failed, Refusal, Upcasts};
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum Count { Count { by: u32 } }
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum Counted { Counted { by: u32 } }
    /// # fn dozens(data: JsonText) -> Result<JsonText, Failed> {
    /// #     let dozens: u32 = serde_json::from_str(data.as_str())?;
    /// #     Ok(JsonText::parse(&format!(r#"{{"by":{}}}"#, 12 * dozens))?)
    /// # }
    /// # impl Event for Counted { const UPCASTS: Upcasts = &[("Counted", &[dozens])]; }
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
    /// use sillok::store::{JsonText, NewEvent};
    /// use sillok::testing::given;
    ///
    /// // Version 1 of `Counted` was a number of dozens.
    /// let old = NewEvent::new("Counted", JsonText::parse("2")?)?;
    /// given::<Counter>(&[]).stored(old).when(Count::Count { by: 1 }).then_state(&25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stored(mut self, event: NewEvent) -> Self {
        self.history.push(Ok(event));
        self
    }

    /// Sets the time of the decision. The default is 1970.
    #[must_use]
    pub fn at(self, now: RecordedTime) -> Self {
        Self { now, ..self }
    }

    /// Sets the id of the command.
    #[must_use]
    pub fn with_id(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }

    /// Sets the metadata of the command, a JSON object.
    #[must_use]
    pub fn with_metadata(self, metadata: JsonText) -> Self {
        Self { metadata, ..self }
    }

    /// Decides the command as that of the timer with this key, which was due at this time.
    ///
    /// # Panics
    /// The key is not valid.
    #[must_use]
    #[track_caller]
    pub fn by_timer(self, key: &str, due: RecordedTime) -> Self {
        let key = PendingKey::timer(key);
        assert!(key.is_ok(), "the key of the timer is not valid: {key:?}");
        Self { timer: key.ok().map(|key| FiredTimer { key, due }), ..self }
    }

    /// Decides a command.
    ///
    /// # Panics
    /// An event of the history or the command is not valid.
    #[must_use]
    #[track_caller]
    pub fn when(self, command: D::Command) -> When<D> {
        valid(Command::of(&command).map_err(text).and_then(|command| self.decide(ID, command)))
    }

    /// Decides a command or another input of the stream with this id.
    pub(super) fn decide(self, id: &str, command: Command) -> Result<When<D>, String> {
        let mut command = command.with_metadata(self.metadata.clone()).map_err(text)?;
        if let Some(timer) = &self.timer {
            command = command.of_timer(timer.clone());
        }
        if let Some(id) = &self.id {
            command = command.with_id(IdempotencyKey::new(id).map_err(text)?);
        }
        let stream = StreamId::new(&format!("{}-{id}", D::CATEGORY)).map_err(text)?;
        let (make, now) = (self.behaviour, self.now);
        let mut store = self.store(&stream)?;
        let (behaviour, accepted) = Recorded::new(make(stream.clone()));
        let mut commands = Commands::new(Box::new(behaviour));
        let executed = loop {
            match commands.execute(&mut store, &stream, &command, now, &mut EventId::default) {
                Ok(Step::More) => {}
                Ok(Step::Done(executed)) => break Ok(executed),
                Err(error) => break Err(error),
            }
        };
        let state = commands.state().ok().map(|state| parsed(state.as_str()));
        let pending = if executed.is_ok() { Pending::of(&accepted.take()) } else { Pending::default() };
        Ok(When { found: shown(executed), pending, state, decider: PhantomData })
    }

    /// The outcome of an input that is not for the stream: nothing happens.
    pub(super) fn decide_nothing(self) -> Result<When<D>, String> {
        let stream = StreamId::new(&format!("{}-{ID}", D::CATEGORY)).map_err(text)?;
        let mut commands = Commands::new((self.behaviour)(stream.clone()));
        let mut store = self.store(&stream)?;
        while commands.load(&mut store, &stream).map_err(text)? == Step::More {}
        let state = commands.state().ok().map(|state| parsed(state.as_str()));
        let found = json!({ "events": [] });
        Ok(When { found, pending: Pending::default(), state, decider: PhantomData })
    }

    /// A store with the history.
    fn store(self, stream: &StreamId) -> Result<EventStore<MemoryLog>, String> {
        let mut store = EventStore::new(MemoryLog::new());
        for (place, event) in self.history.into_iter().enumerate() {
            let event = event.map_err(|error| format!("history[{place}]: {error}"))?;
            let append = Append::to(stream.clone(), vec![event]);
            store.append(append, RecordedTime::default(), &mut EventId::default).map_err(text)?;
        }
        Ok(store)
    }
}

/// The id of the stream in a test.
pub(super) const ID: &str = "1";

/// The outcome of a valid test.
#[track_caller]
pub(super) fn valid<D>(tested: Result<When<D>, String>) -> When<D> {
    match tested {
        Ok(found) => found,
        Err(invalid) => {
            assert!(invalid.is_empty(), "{invalid}");
            When { found: Value::Null, pending: Pending::default(), state: None, decider: PhantomData }
        }
    }
}

/// The outcome of a command, made by [`Given::when`]. For its timers and sent commands, see also
/// [`then_scheduled`](Self::then_scheduled) and [`then_sent`](Self::then_sent).
#[derive(Debug)]
pub struct When<D> {
    pub(super) found: Value,
    pub(super) pending: Pending,
    state: Option<Value>,
    decider: PhantomData<fn() -> D>,
}

impl<D: Decider> When<D> {
    /// Expects exactly these events, in this order. Timers and sent commands are not compared.
    ///
    /// # Panics
    /// The outcome is another one.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = D::Event>) -> Self {
        let events: Vec<Value> = events.into_iter().map(|event| shown_event(event.to_new())).collect();
        self.is(&json!({ "events": events }))
    }

    /// Expects that the command is accepted, and that nothing happens: no events, timers or sent commands.
    ///
    /// # Panics
    /// The outcome is another one.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        same("the outcome", &json!({ "events": [] }), &self.pending.added_to(&self.found));
        self
    }

    /// Expects this state after the decision.
    ///
    /// # Panics
    /// The state is another one, or the decision failed.
    #[track_caller]
    pub fn then_state(self, state: &D::State) -> Self {
        let expected = json!({ "state": value_of(state) });
        let actual = match (self.found.get("error"), &self.state) {
            (None, Some(state)) => json!({ "state": state }),
            _ => self.found.clone(),
        };
        same("the state", &expected, &actual);
        self
    }

    /// Expects that the rules refuse the command for this reason.
    ///
    /// # Panics
    /// The outcome is another one.
    #[track_caller]
    pub fn then_rejected(self, rejection: &D::Rejection) -> Self {
        self.is(&json!({ "rejection": value_of(rejection) }))
    }

    /// Expects an error with this code.
    ///
    /// # Panics
    /// The outcome is another one.
    #[track_caller]
    pub fn then_fails(self, code: ErrorCode) -> Self {
        let found = self.found.get("error").and_then(|error| error.get("code"));
        if found == Some(&Value::from(code.as_str())) {
            return self;
        }
        self.is(&json!({ "error": { "code": code.as_str() } }))
    }

    #[track_caller]
    fn is(self, expected: &Value) -> Self {
        same("the outcome", expected, &self.found);
        self
    }
}

/// Fails unless two values are equal.
#[track_caller]
pub(super) fn same(what: &str, expected: &Value, actual: &Value) {
    let difference = difference(expected, actual);
    assert!(
        difference.is_none(),
        "{what} differs from the expected one:\n{}",
        difference.unwrap_or_default()
    );
}

/// A value as JSON. A value that JSON cannot represent becomes the message of the error.
pub(super) fn value_of<T: Serialize>(value: &T) -> Value {
    serde_json::to_string(value).map_or_else(|error| json!({ "error": text(error) }), |text| parsed(&text))
}

/// JSON text as a value. A number that is too large for one stays text.
pub(super) fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::from(json))
}

fn shown(executed: Result<Executed, CommandError>) -> Value {
    let executed = match executed {
        Ok(executed) => executed,
        Err(error) => {
            return json!({ "error": { "code": error.code().as_str(), "message": error.to_string() } });
        }
    };
    if let Some(rejection) = executed.rejection() {
        return json!({ "rejection": parsed(rejection.as_str()) });
    }
    let mut events = Vec::new();
    let mut visit = |event: crate::store::EventView<'_>| {
        events.push(json!({ "type": event.event_type, "data": parsed(event.data) }));
    };
    match executed.visit_events(&mut visit) {
        Ok(()) => json!({ "events": events }),
        Err(error) => json!({ "error": text(error) }),
    }
}

/// An event without its schema version.
pub(super) fn shown_event(event: Result<NewEvent, Fault>) -> Value {
    match event {
        Ok(event) => json!({ "type": event.event_type().as_str(), "data": parsed(event.data().as_str()) }),
        Err(fault) => json!({ "error": text(fault) }),
    }
}

#[allow(clippy::needless_pass_by_value)] // it stands in `map_err`
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
