//! Carries out the driver's effects.

use std::cell::RefMut;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{
    AggregateDriver, AggregateEffect, AggregateInput, CallId, CommandError, Executed, ForgetError, Forgotten,
    Forward, Turn,
};
use sillok::store::sqlite::StreamTable;
use sillok::store::{JsonText, Version};
use sillok_bridge::{Failure, pending_failure_json};
use worker::console_error;

use super::{Inner, Named, executing};
use crate::journal;
use crate::objects::{Driven, Driving, ObjectAlarm, ObjectSql, armed, failures, nudges, partitions, pause};

pub(super) type Driver = AggregateDriver<StreamTable<ObjectSql>, ObjectAlarm>;

/// The answer of the driver to a request.
#[derive(Debug)]
pub(super) enum Answer {
    Forgot(Result<Forgotten, ForgetError>),
    Executed(Result<Executed, CommandError>),
    Loaded(Result<(Version, JsonText), CommandError>),
}

impl Inner {
    pub(super) fn named(&self) -> Result<&Named, Failure> {
        let named = self.named.as_ref();
        named.ok_or_else(|| Failure::new(ErrorCode::Internal, "the object was not found by a name"))
    }

    /// Sends a forward, and returns the version up to which the journal has the stream.
    async fn send(&self, forward: Forward) -> Option<Version> {
        let name = &self.named.as_ref()?.name;
        let partitions =
            partitions(&self.env).map_err(|failure| console_error!("{}", failure.detail)).ok()?;
        let journal = journal::Remote::of_stream(&self.env, name.tenant(), &name.identity, partitions);
        let journal = journal.map_err(|error| console_error!("there is no journal: {error}")).ok()?;
        let recorded = journal.record(forward).await;
        recorded.map_err(|error| console_error!("the events could not be forwarded: {error}")).ok()
    }
}

impl Driven for Inner {
    type Driver = Driver;
    type Effect = AggregateEffect;
    type Input = AggregateInput;

    const RANG: AggregateInput = AggregateInput::Rang;

    fn driver(&self) -> Result<RefMut<'_, Driver>, Failure> {
        Ok(self.named()?.driver.borrow_mut())
    }

    fn input(driver: &mut Driver, turn: &mut Turn<'_, AggregateEffect>, input: AggregateInput) {
        driver.input(turn, input);
    }

    fn driving(&self) -> &Driving<AggregateEffect> {
        &self.driving
    }

    fn pay(&self, call: CallId) {
        self.calls.pay(call, &self.driving.meter);
    }

    fn carry_out(self: &Rc<Self>, effect: AggregateEffect) -> Option<AggregateEffect> {
        match effect {
            AggregateEffect::Grown(version) => nudges::nudge(&self.state, version.get()),
            AggregateEffect::Deleted => nudges::dismiss(&self.state),
            AggregateEffect::Forgot { call, outcome } => self.calls.answer(call, Answer::Forgot(outcome)),
            AggregateEffect::AlarmOver(over) => self.driving.ringing.answer_all(&over),
            AggregateEffect::Failed(failure) => {
                if let Some(Named { name, .. }) = &self.named {
                    let failure = pending_failure_json(&name.identity, &failure);
                    failures::report(&self.env, &failure, name.tenant(), None);
                }
            }
            AggregateEffect::Log(trouble) => console_error!("{trouble}"),
            effect => return executing::carry_out(self, effect),
        }
        None
    }

    async fn wait_for(&self, effect: AggregateEffect) -> Option<AggregateInput> {
        Some(match effect {
            AggregateEffect::Forward { call, forward } => {
                AggregateInput::Answered { call, version: self.send(forward).await }
            }
            AggregateEffect::Send { call, sending } => {
                AggregateInput::Replied { call, reply: self.send_command(sending).await }
            }
            AggregateEffect::Soon => AggregateInput::Continue,
            AggregateEffect::TryAgain { call } => AggregateInput::TryAgain { call },
            AggregateEffect::Later => {
                pause(0).await;
                AggregateInput::Remove
            }
            AggregateEffect::FindAlarm => AggregateInput::FoundAlarm(armed(&self.state).await),
            _ => return None,
        })
    }
}
