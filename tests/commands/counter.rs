//! A small aggregate, written against the port: it adds numbers. A test sees and changes how its code behaves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};
use sillok::ErrorCode;
use sillok::handler::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault,
};
use sillok::store::{EventView, JsonText, NewEvent};

/// The code of the aggregate, which all of its instances share.
pub struct Code {
    pub name: RefCell<String>,
    pub settings: Cell<BehaviourSettings>,
    /// The calls of `decide`.
    pub decided: Cell<u64>,
    /// The calls of `fold`.
    pub folded: Cell<u64>,
    /// Fails in `decide`, after it has spoilt the state.
    pub throws: Cell<bool>,
    /// Fails while decided events are folded.
    pub cannot_evolve: Cell<bool>,
    /// Fails while stored events are folded.
    pub cannot_fold: Cell<bool>,
    /// The state as JSON has so many bytes more.
    pub padding: Cell<usize>,
}

impl Default for Code {
    fn default() -> Self {
        Self {
            name: RefCell::new("1".to_owned()),
            settings: Cell::default(),
            decided: Cell::default(),
            folded: Cell::default(),
            throws: Cell::default(),
            cannot_evolve: Cell::default(),
            cannot_fold: Cell::default(),
            padding: Cell::default(),
        }
    }
}

impl Code {
    pub fn set(&self, change: impl FnOnce(&mut BehaviourSettings)) {
        let mut settings = self.settings.get();
        change(&mut settings);
        self.settings.set(settings);
    }
}

/// The sum of one stream. An event `Added` has the number and the sum after it, so that a decision on a stale state shows in
/// the history.
pub struct Counter {
    code: Rc<Code>,
    sum: Option<u64>,
    next: Option<u64>,
}

impl Counter {
    pub fn new(code: &Rc<Code>) -> Self {
        Self { code: Rc::clone(code), sum: None, next: None }
    }
}

pub fn added(number: u64, sum: u64) -> NewEvent {
    NewEvent::new("Added", JsonText::from_value(&[number, sum]).unwrap()).unwrap()
}

/// A fault, as of code that has thrown.
fn thrown(detail: &str) -> Fault {
    Fault::new(ErrorCode::DeciderFailed, detail)
}

impl Behaviour for Counter {
    fn code(&self) -> String {
        self.code.name.borrow().clone()
    }

    fn settings(&self) -> BehaviourSettings {
        self.code.settings.get()
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.sum = Some(0);
        Ok(())
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        let state: Option<Value> = serde_json::from_str(state.as_str()).ok();
        self.sum = state.and_then(|state| state["sum"].as_u64());
        Ok(self.sum.is_some())
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        self.code.folded.set(self.code.folded.get() + 1);
        if self.code.cannot_fold.get() {
            return Err(thrown("fold"));
        }
        let [number, _]: [u64; 2] = serde_json::from_str(event.data).unwrap();
        *self.sum.as_mut().unwrap() += number;
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// `Add` adds each number of its data. `AddTo10` adds a number if the sum is then 10 at most.
    fn decide(&mut self, command: &Command, _: &DecideContext) -> Result<BehaviourDecision, Fault> {
        self.code.decided.set(self.code.decided.get() + 1);
        self.next = None;
        if self.code.throws.get() {
            self.sum = Some(1_000_000);
            return Err(thrown("decide"));
        }
        let mut sum = self.sum.unwrap();
        let numbers: Vec<u64> = serde_json::from_str(command.data().as_str()).unwrap();
        let wanted = sum + numbers.iter().sum::<u64>();
        if command.command_type() == "AddTo10" && wanted > 10 {
            let rejection = json!({ "code": "too_many", "data": { "sum": sum } });
            return Ok(BehaviourDecision::Rejected(JsonText::from_value(&rejection).unwrap()));
        }
        let events = numbers.into_iter().map(|number| {
            sum += number;
            added(number, sum)
        });
        let events: Vec<_> = events.collect();
        if self.code.cannot_evolve.get() {
            return Err(thrown("evolve"));
        }
        self.next = Some(sum);
        Ok(BehaviourDecision::Accepted(Accepted::events(events)))
    }

    fn advance(&mut self) {
        self.sum = Some(self.next.take().unwrap());
    }

    fn clear(&mut self) {
        (self.sum, self.next) = (None, None);
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        let state = json!({ "sum": self.sum.unwrap(), "padding": " ".repeat(self.code.padding.get()) });
        Ok(JsonText::from_value(&state).unwrap())
    }
}
