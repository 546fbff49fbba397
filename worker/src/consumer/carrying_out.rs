//! Carries out the driver's effects.

use std::cell::RefMut;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{CallId, Turn};
use sillok::handler::{ConsumerEffect, ConsumerInput, Outcome, look_again_at};
use sillok_bridge::{Failure, failure_json, now};
use worker::console_error;

use super::opening::{Driver, Inner};
use crate::objects::{Driven, Driving, armed, failures, nudges, pause};

impl Inner {
    /// Stores the duty to read a partition of the journal that has grown.
    pub(super) fn woken(self: &Rc<Self>, partition: usize) -> Result<(), Failure> {
        match self.drive(|driver, turn| driver.woken(turn, partition)) {
            // A removed consumer has no duties.
            Err(failure) if failure.code == ErrorCode::ConsumerNotFound => Ok(()),
            woken => Ok(woken??),
        }
    }

    /// Applies the present page, without an await.
    fn project(self: &Rc<Self>) {
        let handler = self.handler();
        // A consumer that cannot be opened has no page.
        let _ = self.drive(|driver, turn| {
            driver.project(turn, &mut |event, documents| match &handler {
                Some(handler) => self.attempts.within(event, || handler.project(event, documents)),
                None => Outcome::failed("this deployment has no code for this projection"),
            });
        });
    }
}

impl Driven for Inner {
    type Driver = Driver;
    type Effect = ConsumerEffect;
    type Input = ConsumerInput;

    const RANG: ConsumerInput = ConsumerInput::Rang;

    fn driver(&self) -> Result<RefMut<'_, Driver>, Failure> {
        Ok(RefMut::map(self.defined()?, |defined| &mut defined.driver))
    }

    fn input(driver: &mut Driver, turn: &mut Turn<'_, ConsumerEffect>, input: ConsumerInput) {
        driver.input(turn, input);
    }

    fn driving(&self) -> &Driving<ConsumerEffect> {
        &self.driving
    }

    fn pay(&self, call: CallId) {
        self.requests.pay(call, &self.driving.meter);
    }

    fn life(&self) -> u64 {
        self.life.get()
    }

    fn carry_out(self: &Rc<Self>, effect: ConsumerEffect) -> Option<ConsumerEffect> {
        match effect {
            ConsumerEffect::Project => self.project(),
            ConsumerEffect::Running(is_running) => self.attempts.runs(is_running),
            ConsumerEffect::DocumentsChanged(revision) => nudges::nudge(&self.state, revision),
            ConsumerEffect::Change { .. } => self.change_now(),
            ConsumerEffect::Reached { call, outcome } | ConsumerEffect::Discarded { call, outcome } => {
                self.requests.answer(call, outcome);
            }
            ConsumerEffect::AlarmOver(over) => self.driving.ringing.answer_all(&over),
            ConsumerEffect::Failed(report) => {
                let (tenant, name) =
                    self.name.as_ref().map(|name| (name.tenant(), name.identity.as_str())).unzip();
                failures::report(&self.env, &failure_json(&report), tenant.flatten(), name);
            }
            ConsumerEffect::Log(trouble) => console_error!("{trouble}"),
            effect => return Some(effect),
        }
        None
    }

    async fn wait_for(&self, effect: ConsumerEffect) -> Option<ConsumerInput> {
        Some(match effect {
            ConsumerEffect::Read { call, read } => {
                let page = self.page(read).await;
                let page = page.map_err(|failure| console_error!("a page could not be read: {failure}"));
                ConsumerInput::Read { call, page: page.ok() }
            }
            ConsumerEffect::Deliver { call, deliveries, millis } => {
                ConsumerInput::Attempted { call, attempted: self.attempt_within(&deliveries, millis).await }
            }
            ConsumerEffect::Soon => ConsumerInput::Continue,
            ConsumerEffect::Later { call } => {
                pause(0).await;
                ConsumerInput::Later { call }
            }
            ConsumerEffect::Wait { call, millis } => {
                pause(millis).await;
                ConsumerInput::Expired { call }
            }
            ConsumerEffect::FindAlarm { call } => {
                ConsumerInput::FoundAlarm { call, alarm: armed(&self.state).await }
            }
            _ => return None,
        })
    }

    /// A consumer that cannot be opened sets the alarm again. If there is no consumer, there is nothing to run.
    fn rang_without_driver(&self, failure: Failure) -> Result<(), Failure> {
        if is_none(&failure) {
            return Ok(());
        }
        console_error!("a consumer could not be opened: {failure}");
        Ok(look_again_at(&self.alarm(), now())?)
    }
}

/// Whether there is nothing to run: there is no consumer of this name, or it is of another kind.
fn is_none(failure: &Failure) -> bool {
    failure.code == ErrorCode::ConsumerNotFound || failure.code == ErrorCode::ConsumerKindFixed
}
