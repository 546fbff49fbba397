//! The laws on which a store relies.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::deciding::{parsed, same, shown_event};
use super::expecting::Pending;
use crate::ErrorCode;
use crate::handler::{
    Accepted, Behaviour, BehaviourDecision, Command, DecideContext, Decider, Event, Fault, TypedBehaviour,
    read_back,
};
use crate::store::{EventView, JsonText, NewEvent, RecordedTime, StreamId, Version};

/// Tests that a decider obeys the laws on which a store relies, along histories of your choice:
///
/// - [`decide`](Decider::decide) and [`evolve`](Decider::evolve) give the same result for the same arguments. They have no
///   other inputs, and change nothing.
/// - The state is the same, whether its events are folded in one piece or after a snapshot at any version.
/// - Events and states are the same after they were written as JSON and read again.
/// - A decision is the same on a state and on its snapshot. The state after a decision is the fold of its events.
///
/// Choose the histories so that each type of event occurs. Each command is decided at every version of every history. For an
/// example, see [`Decider`].
///
/// # Panics
/// A law does not hold. The message names the history, the version and the law, and shows the difference.
#[track_caller]
pub fn laws<D: Decider>(histories: &[&[D::Event]], commands: &[D::Command]) {
    let stream = StreamId::new(&format!("{}-1", D::CATEGORY));
    assert!(stream.is_ok(), "`CATEGORY` is {:?}, which no stream can have", D::CATEGORY);
    let Ok(stream) = stream else { return };
    for (place, history) in histories.iter().enumerate() {
        let checked = match Laws::<D>::new(&stream, place, history, commands) {
            Ok(laws) => laws.check(),
            Err(fault) => Err(fault),
        };
        assert!(checked.is_ok(), "history {place}: {}", checked.err().map_or_else(String::new, |e| e.detail));
    }
}

struct Laws<'a, D: Decider> {
    stream: &'a StreamId,
    place: usize,
    events: Vec<NewEvent>,
    commands: Vec<Command>,
    decider: PhantomData<fn() -> D>,
}

impl<'a, D: Decider> Laws<'a, D> {
    #[track_caller]
    fn new(
        stream: &'a StreamId,
        place: usize,
        history: &[D::Event],
        commands: &[D::Command],
    ) -> Result<Self, Fault> {
        let events = history.iter().map(Event::to_new).collect::<Result<Vec<_>, _>>()?;
        for (version, event) in (1..).zip(&events) {
            let read: D::Event = read_back(event)?;
            let what = format!("history {place}, version {version}: the event after JSON");
            same(&what, &shown_event(Ok(event.clone())), &shown_event(read.to_new()));
        }
        let commands = commands.iter().map(Command::of).collect::<Result<Vec<_>, _>>();
        let commands = commands.map_err(|error| Fault::new(error.code(), error.to_string()))?;
        Ok(Self { stream, place, events, commands, decider: PhantomData })
    }

    #[track_caller]
    fn check(&self) -> Result<(), Fault> {
        let mut live = TypedBehaviour::<D>::new(self.stream.clone());
        live.begin()?;
        let mut states = vec![live.state()?];
        self.decide_all(&mut live, 0)?;
        for (version, event) in (1..).zip(&self.events) {
            fold(&mut live, version, event)?;
            states.push(live.state()?);
            self.decide_all(&mut live, version)?;
        }
        let last = live.state()?;
        self.same(self.events.len(), "the state of a second fold", &last, &self.folded_whole()?);
        for (version, state) in states.iter().enumerate() {
            let mut restored = self.restored(version, state)?;
            self.same(version, "the state of a snapshot", state, &restored.state()?);
            for (version, event) in (1..).zip(&self.events).skip(version) {
                fold(&mut restored, version, event)?;
            }
            self.same(version, "the state of a fold after a snapshot", &last, &restored.state()?);
        }
        Ok(())
    }

    fn folded_whole(&self) -> Result<JsonText, Fault> {
        let mut whole = TypedBehaviour::<D>::new(self.stream.clone());
        whole.begin()?;
        (1..).zip(&self.events).try_for_each(|(version, event)| fold(&mut whole, version, event))?;
        whole.state()
    }

    /// Decides all commands at a version.
    #[track_caller]
    fn decide_all(&self, live: &mut TypedBehaviour<D>, version: u64) -> Result<(), Fault> {
        let place = usize::try_from(version).unwrap_or(usize::MAX);
        let context = DecideContext {
            now: RecordedTime::default(),
            version: Version::new(version).unwrap_or_default(),
        };
        let state = live.state()?;
        for command in &self.commands {
            let of = |what: &str| format!("{what} of {}", command.command_type());
            let decision = live.decide(command, &context);
            self.same(place, &of("the state after the decision"), &state, &live.state()?);
            self.equal(
                place,
                &of("the second decision"),
                &shown(&decision),
                &shown(&live.decide(command, &context)),
            );
            let mut restored = self.restored(place, &state)?;
            let again = restored.decide(command, &context);
            self.equal(place, &of("the decision on a snapshot"), &shown(&decision), &shown(&again));
            let Ok(BehaviourDecision::Accepted(Accepted { events, .. })) = decision else { continue };
            restored.advance();
            let mut folded = self.restored(place, &state)?;
            for (version, event) in (version + 1..).zip(&events) {
                fold(&mut folded, version, event)?;
            }
            self.same(place, &of("the fold of the events"), &restored.state()?, &folded.state()?);
        }
        Ok(())
    }

    fn restored(&self, version: usize, state: &JsonText) -> Result<TypedBehaviour<D>, Fault> {
        let mut restored = TypedBehaviour::<D>::new(self.stream.clone());
        if restored.restore(state)? {
            return Ok(restored);
        }
        let detail = format!(
            "version {version}: the state cannot be read again after it is written as JSON: {}",
            state.as_str()
        );
        Err(Fault::new(ErrorCode::DeciderFailed, detail))
    }

    #[track_caller]
    fn same(&self, version: usize, what: &str, expected: &JsonText, actual: &JsonText) {
        self.equal(version, what, &parsed(expected.as_str()), &parsed(actual.as_str()));
    }

    #[track_caller]
    fn equal(&self, version: usize, what: &str, expected: &Value, actual: &Value) {
        same(&format!("history {}, version {version}: {what}", self.place), expected, actual);
    }
}

fn fold<D: Decider>(behaviour: &mut TypedBehaviour<D>, version: u64, event: &NewEvent) -> Result<(), Fault> {
    behaviour.fold(&EventView {
        version: Version::new(version).unwrap_or_default(),
        id: "",
        event_type: event.event_type().as_str(),
        schema_version: event.schema_version(),
        time: RecordedTime::default(),
        data: event.data().as_str(),
        metadata: "{}",
        saved: None,
        position: None,
    })?;
    behaviour.folded()
}

fn shown(decision: &Result<BehaviourDecision, Fault>) -> Value {
    match decision {
        Ok(BehaviourDecision::Accepted(accepted)) => {
            let events: Vec<Value> =
                accepted.events.iter().map(|event| shown_event(Ok(event.clone()))).collect();
            Pending::of(accepted).added_to(&json!({ "events": events }))
        }
        Ok(BehaviourDecision::Rejected(rejection)) => json!({ "rejection": parsed(rejection.as_str()) }),
        Err(fault) => json!({ "error": fault.code.as_str(), "message": fault.detail }),
    }
}
