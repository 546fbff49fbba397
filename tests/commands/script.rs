//! A small process, written against the port. A command has its decision as data. A test sees and changes how the code
//! behaves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sillok::ErrorCode;
use sillok::handler::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault, Input,
    SentCommand, TimerChange,
};
use sillok::store::{EventView, JsonText, NewEvent, PendingKey, RecordedTime, StreamId};

/// A part of a decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Act {
    /// An event with this number.
    Event(u64),
    /// The event after which the process has ended.
    End,
    /// A timer: its key, its time and its command.
    Set(String, u64, Asked),
    Cancel(String),
    /// A command to another stream: its name, the stream and the command.
    Send(String, String, Asked),
}

/// A command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Asked {
    Do(Vec<Act>),
    Refuse,
    Throw,
    Unknown,
}

pub fn set(key: &str, at: u64, asked: Asked) -> Act {
    Act::Set(key.to_owned(), at, asked)
}

pub fn send(name: &str, stream: &str) -> Act {
    Act::Send(name.to_owned(), stream.to_owned(), Asked::Do(vec![Act::Event(7)]))
}

impl Asked {
    pub fn event(number: u64) -> Self {
        Self::Do(vec![Act::Event(number)])
    }

    pub fn command(&self) -> Command {
        let (name, acts) = match self {
            Self::Do(acts) => ("Do", acts.as_slice()),
            Self::Refuse => ("Refuse", [].as_slice()),
            Self::Throw => ("Throw", [].as_slice()),
            Self::Unknown => ("Unknown", [].as_slice()),
        };
        Command::new(name, JsonText::from_value(acts).unwrap()).unwrap()
    }
}

/// What all instances of the code share.
#[derive(Default)]
pub struct Play {
    pub settings: Cell<BehaviourSettings>,
    /// What the code was asked, in order.
    pub asked: RefCell<Vec<String>>,
    /// Each decision fails.
    pub throws: Cell<bool>,
    /// What an answer is answered with. `None` fails.
    pub on_answer: RefCell<Option<Vec<Act>>>,
}

impl Play {
    pub fn new() -> Rc<Self> {
        let play = Self::default();
        play.settings.set(BehaviourSettings { may_end: true, ..BehaviourSettings::default() });
        play.on_answer.replace(Some(Vec::new()));
        Rc::new(play)
    }

    pub fn set(&self, change: impl FnOnce(&mut BehaviourSettings)) {
        let mut settings = self.settings.get();
        change(&mut settings);
        self.settings.set(settings);
    }
}

pub struct Script {
    play: Rc<Play>,
    ended: bool,
    will_end: bool,
}

impl Script {
    pub fn new(play: &Rc<Play>) -> Self {
        Self { play: Rc::clone(play), ended: false, will_end: false }
    }
}

fn event(name: &str, data: &str) -> NewEvent {
    NewEvent::new(name, JsonText::parse(data).unwrap()).unwrap()
}

fn accepted(acts: Vec<Act>) -> Accepted {
    let mut accepted = Accepted::default();
    for act in acts {
        match act {
            Act::Event(number) => accepted.events.push(event("Counted", &number.to_string())),
            Act::End => {
                accepted.events.push(event("Ended", "null"));
                accepted.ended = true;
            }
            Act::Set(key, at, asked) => {
                let (key, at) = (PendingKey::timer(&key).unwrap(), RecordedTime::from_millis(at));
                accepted.timers.push(TimerChange::Set { key, at, command: asked.command() });
            }
            Act::Cancel(key) => accepted.timers.push(TimerChange::Cancel(PendingKey::timer(&key).unwrap())),
            Act::Send(name, stream, asked) => {
                let (name, stream) = (name.into(), StreamId::new(&stream).unwrap());
                accepted.sent.push(SentCommand { name, stream, command: asked.command() });
            }
        }
    }
    accepted
}

impl Behaviour for Script {
    fn code(&self) -> String {
        "1".to_owned()
    }

    fn settings(&self) -> BehaviourSettings {
        self.play.settings.get()
    }

    fn begin(&mut self) -> Result<(), Fault> {
        (self.ended, self.will_end) = (false, false);
        Ok(())
    }

    fn restore(&mut self, _: &JsonText) -> Result<bool, Fault> {
        Ok(false)
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        self.ended |= event.event_type == "Ended";
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let asked = format!("{} {}", context.now.as_millis(), command.to_json());
        self.play.asked.borrow_mut().push(asked);
        if self.play.throws.get() {
            return Err(Fault::new(ErrorCode::DeciderFailed, "thrown"));
        }
        let mut answered = None;
        let acts = match (command.input(), command.command_type()) {
            (Input::Answer, _) => {
                answered = Some(event("Answered", command.data().as_str()));
                let thrown = || Fault::new(ErrorCode::DeciderFailed, "thrown by `answered`");
                self.play.on_answer.borrow().clone().ok_or_else(thrown)?
            }
            (_, "Refuse") => {
                let rejection = JsonText::from_value(&json!({ "code": "no", "data": 1 })).unwrap();
                return Ok(BehaviourDecision::Rejected(rejection));
            }
            (_, "Throw") => return Err(Fault::new(ErrorCode::DeciderFailed, "thrown")),
            (_, "Unknown") => return Err(Fault::new(ErrorCode::UnknownCommand, "unknown")),
            _ => serde_json::from_str(command.data().as_str()).unwrap(),
        };
        let mut accepted = accepted(acts);
        accepted.events.extend(answered);
        self.will_end = self.ended || accepted.ended;
        Ok(BehaviourDecision::Accepted(accepted))
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        Ok(self.ended)
    }

    fn advance(&mut self) {
        self.ended = self.will_end;
    }

    fn clear(&mut self) {
        (self.ended, self.will_end) = (false, false);
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        Ok(JsonText::from_value(&json!({ "ended": self.ended })).unwrap())
    }
}
