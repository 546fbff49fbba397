//! A behaviour whose last decision is recorded.

use std::cell::Cell;
use std::rc::Rc;

use crate::handler::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault,
};
use crate::store::{EventView, JsonText};

/// A behaviour that records its last accepted decision, with its timers and sent commands.
pub(super) struct Recorded {
    inner: Box<dyn Behaviour>,
    accepted: Rc<Cell<Accepted>>,
}

impl Recorded {
    /// Also returns the place of the record. It is empty until the code has accepted an input.
    pub(super) fn new(inner: Box<dyn Behaviour>) -> (Self, Rc<Cell<Accepted>>) {
        let accepted = Rc::default();
        (Self { inner, accepted: Rc::clone(&accepted) }, accepted)
    }
}

impl Behaviour for Recorded {
    fn code(&self) -> String {
        self.inner.code()
    }

    fn settings(&self) -> BehaviourSettings {
        self.inner.settings()
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.inner.begin()
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        self.inner.restore(state)
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), Fault> {
        self.inner.fold(event)
    }

    fn folded(&mut self) -> Result<(), Fault> {
        self.inner.folded()
    }

    fn decide(&mut self, command: &Command, context: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let decision = self.inner.decide(command, context)?;
        if let BehaviourDecision::Accepted(accepted) = &decision {
            self.accepted.set(accepted.clone());
        }
        Ok(decision)
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        let ended = self.inner.is_ended()?;
        if ended {
            // The machine does not ask the code for a decision then, and the instance stays over.
            self.accepted.set(Accepted { ended, ..Accepted::default() });
        }
        Ok(ended)
    }

    fn advance(&mut self) {
        self.inner.advance();
    }

    fn clear(&mut self) {
        self.inner.clear();
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        self.inner.state()
    }
}
