//! Panics of a program's own code. They end an attempt, and not the engine.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sillok::ErrorCode;
use sillok::handler::{
    Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault, Outcome,
};
use sillok::store::{EventView, JsonText};

/// The outcome of a handler. A panic is a failed attempt.
pub(crate) fn outcome_of(handle: impl FnOnce() -> Outcome) -> Outcome {
    catch_unwind(AssertUnwindSafe(handle))
        .unwrap_or_else(|panic| Outcome::failed(format!("the handler has panicked: {}", text(&*panic))))
}

/// The code of an aggregate. A panic is a fault, after which the machine loads the state again.
pub(crate) struct CaughtBehaviour(pub(crate) Box<dyn Behaviour>);

fn caught<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let detail = format!("the code of the aggregate has panicked: {}", text(&*panic));
        Err(Fault::new(ErrorCode::DeciderFailed, detail))
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let formatted = || panic.downcast_ref::<String>().map(String::as_str);
    panic.downcast_ref::<&str>().copied().or_else(formatted).unwrap_or("without a text")
}

impl Behaviour for CaughtBehaviour {
    fn code(&self) -> String {
        self.0.code()
    }

    fn settings(&self) -> BehaviourSettings {
        self.0.settings()
    }

    fn begin(&mut self) -> Result<(), Fault> {
        caught(|| self.0.begin())
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        caught(|| self.0.restore(state))
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        caught(|| self.0.fold(event))
    }

    fn folded(&mut self) -> Result<(), Fault> {
        caught(|| self.0.folded())
    }

    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault> {
        caught(|| self.0.decide(command, context))
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        caught(|| self.0.is_ended())
    }

    fn advance(&mut self) {
        self.0.advance();
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        caught(|| self.0.state())
    }
}
