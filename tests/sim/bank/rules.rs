//! The frame around the rules of a stream: it folds marks into a state, and writes the count of the events that it has
//! seen into each event.

use std::marker::PhantomData;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sillok::handler::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault, Input,
    SentCommand, TimerChange,
};
use sillok::store::{EventView, JsonText, PendingKey, RecordedTime, StreamId};

use super::Around;
use crate::breaks::Break;
use crate::clients::marked;
use crate::random::Random;

/// The rules of a kind of stream.
pub trait Rules {
    type State: Clone + Default + Serialize + DeserializeOwned;

    /// Whether the code is a process.
    const IS_PROCESS: bool;

    /// Folds an event: a word, and its arguments.
    fn evolve(state: &mut Self::State, word: &str, arguments: &[&str]);

    /// Decides an input.
    fn decide(state: &Self::State, asked: &Asked<'_>, around: &Around) -> Decision;

    fn is_ended(_: &Self::State) -> bool {
        false
    }
}

/// An input, as the rules see it.
pub struct Asked<'a> {
    /// The number of the stream among those of its kind.
    pub number: usize,
    /// The type of the command or of the event, or the name of the answered command.
    pub name: &'a str,
    pub input: Input,
    /// The words of a command or of an event.
    pub words: Vec<&'a str>,
    /// Whether the answer is an acceptance.
    pub accepted: bool,
    /// The number of the events before.
    pub seen: u64,
}

/// What the rules decide.
#[derive(Default)]
pub struct Decision {
    pub refused: Option<&'static str>,
    pub marks: Vec<String>,
    pub timers: Vec<TimerChange>,
    pub sent: Vec<SentCommand>,
}

impl Decision {
    pub fn refused(reason: &'static str) -> Self {
        Self { refused: Some(reason), ..Self::default() }
    }

    pub fn of(mark: String) -> Self {
        Self { marks: vec![mark], ..Self::default() }
    }

    pub fn and(mut self, mark: String) -> Self {
        self.marks.push(mark);
        self
    }

    /// Sets a timer, and says so in an event.
    pub fn set(self, key: &str, number: u64, at: u64, command: &str) -> Self {
        self.and(format!("set {key} {number} {at}")).quietly(key, number, at, command)
    }

    /// Sets a timer without an event.
    pub fn quietly(mut self, key: &str, number: u64, at: u64, command: &str) -> Self {
        let command = command_of(command, &format!("{key} {number}"));
        let key = PendingKey::timer(key).unwrap();
        self.timers.push(TimerChange::Set { key, at: RecordedTime::from_millis(at), command });
        self
    }

    /// Cancels a timer, and says so in an event.
    pub fn cancel(mut self, key: &str) -> Self {
        self.timers.push(TimerChange::Cancel(PendingKey::timer(key).unwrap()));
        self.and(format!("cancelled {key}"))
    }

    pub fn send(mut self, name: &str, account: &str, words: &str) -> Self {
        let stream = StreamId::new(account).unwrap();
        self.sent.push(SentCommand { name: name.into(), stream, command: command_of(name, words) });
        self
    }
}

/// A command whose data are words.
pub fn command_of(name: &str, words: &str) -> Command {
    Command::new(name, JsonText::from_value(words).unwrap()).unwrap()
}

/// The code of a stream, with its state.
pub struct Ruled<R: Rules> {
    number: usize,
    /// The version of the code. The snapshots of another version are not read.
    version: u64,
    snapshot_events: u64,
    state: Counted<R::State>,
    decided: Counted<R::State>,
    around: Rc<Around>,
    rules: PhantomData<R>,
}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Counted<S> {
    seen: u64,
    state: S,
}

impl<R: Rules> Ruled<R> {
    pub fn new(number: usize, around: &Rc<Around>, random: &mut Random) -> Self {
        let (version, snapshot_events, around) =
            (random.between(1, 2), random.between(1, 4), Rc::clone(around));
        let (state, decided, rules) = (Counted::default(), Counted::default(), PhantomData);
        Self { number, version, snapshot_events, state, decided, around, rules }
    }

    /// Whether a state is the last one of a process.
    fn ends(&self, state: &R::State) -> bool {
        self.around.broken != Some(Break::EndForgotten) && R::is_ended(state)
    }

    fn asked(&self, command: &Command) -> Decision {
        let data: serde_json::Value = serde_json::from_str(command.data().as_str()).unwrap();
        let words = data.as_str().unwrap_or_default().split(' ').collect();
        let accepted = data["accepted"] == true;
        let (number, name, input, seen) =
            (self.number, command.command_type(), command.input(), self.state.seen);
        R::decide(&self.state.state, &Asked { number, name, input, words, accepted, seen }, &self.around)
    }
}

fn fold<R: Rules>(counted: &mut Counted<R::State>, mark: &str) {
    let text = mark.split_once('@').map_or(mark, |(text, _)| text);
    let mut words = text.split(' ');
    let word = words.next().unwrap_or_default();
    R::evolve(&mut counted.state, word, &words.collect::<Vec<_>>());
    counted.seen += 1;
}

impl<R: Rules> Behaviour for Ruled<R> {
    fn code(&self) -> String {
        self.version.to_string()
    }

    fn settings(&self) -> BehaviourSettings {
        let (snapshot_events, may_end) = (self.snapshot_events, R::IS_PROCESS);
        BehaviourSettings { snapshot_events, may_end, ..BehaviourSettings::default() }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.state = Counted::default();
        Ok(())
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        self.state = serde_json::from_str(state.as_str()).unwrap();
        Ok(true)
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        fold::<R>(&mut self.state, event.data.trim_matches('"'));
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn decide(&mut self, command: &Command, _: &DecideContext) -> Result<BehaviourDecision, Fault> {
        if let Some(code) = self.around.fails.get() {
            return Err(Fault::new(code, "fails for a while"));
        }
        let Decision { refused, marks, timers, sent } = self.asked(command);
        if let Some(reason) = refused {
            let rejection = JsonText::parse(&format!("{{\"code\":\"{reason}\"}}")).unwrap();
            return Ok(BehaviourDecision::Rejected(rejection));
        }
        self.decided = self.state.clone();
        let events = marks.iter().map(|mark| {
            let event = marked(&format!("{mark}@{}", self.decided.seen));
            fold::<R>(&mut self.decided, mark);
            event
        });
        let events = events.collect();
        let ended = self.ends(&self.decided.state);
        Ok(BehaviourDecision::Accepted(Accepted { events, timers, sent, ended }))
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        Ok(self.ends(&self.state.state))
    }

    fn advance(&mut self) {
        self.state = self.decided.clone();
    }

    fn clear(&mut self) {
        self.state = Counted::default();
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        Ok(JsonText::from_value(&self.state).unwrap())
    }
}
