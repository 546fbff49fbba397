//! Carries out the driver's effects.

use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{AggregateDriver, AggregateEffect, AggregateInput, CallId, Forward, Turn};
use sillok::store::Version;
use sillok::store::sqlite::StreamTable;
use sillok_bridge::Failure;
use worker::console_error;

use super::{Inner, Named};
use crate::journal;
use crate::objects::{ObjectAlarm, ObjectSql, armed, nudges, partitions, pause, spawn};

pub(super) type Driver = AggregateDriver<StreamTable<ObjectSql>, ObjectAlarm>;

impl Inner {
    pub(super) fn named(&self) -> Result<&Named, Failure> {
        let named = self.named.as_ref();
        named.ok_or_else(|| Failure::new(ErrorCode::Internal, "the object was not found by a name"))
    }

    /// Gives the driver an input, and carries out its effects.
    pub(super) fn drive<T>(
        self: &Rc<Self>,
        input: impl FnOnce(&mut Driver, &mut Turn<'_, AggregateEffect>) -> T,
    ) -> Result<T, Failure> {
        let named = self.named()?;
        let (given, payer) = self.effects.take_turn(|turn| input(&mut named.driver.borrow_mut(), turn));
        self.carry_out_all(payer);
        Ok(given)
    }

    // This is not a part of `drive`, because each input has its own copy of `drive`.
    fn carry_out_all(self: &Rc<Self>, payer: Option<CallId>) {
        if let Some(call) = payer {
            self.forgetting.pay(call, &self.meter);
        }
        self.effects.each(|effect| self.carry_out(effect));
    }

    /// Gives the driver an input that no request has caused. No request pays for it.
    fn give_input(self: &Rc<Self>, input: AggregateInput) {
        // An object without a name has begun nothing, so its inputs may be lost.
        let _ = self.drive(|driver, turn| driver.input(turn, input));
        self.meter.take();
    }

    /// Gives the driver the alarm, and waits until the alarm's work is done.
    pub(super) async fn ring(self: &Rc<Self>) -> Result<(), Failure> {
        let over = self.ringing.open();
        self.named()?;
        self.give_input(AggregateInput::Rang);
        over.answer().await.map_or(Ok(()), |(over, _)| over.map_err(Failure::from))
    }

    fn carry_out(self: &Rc<Self>, effect: AggregateEffect) {
        match effect {
            AggregateEffect::Grown(version) => nudges::nudge(&self.state, version.get()),
            AggregateEffect::Deleted => nudges::dismiss(&self.state),
            AggregateEffect::Forgot { call, outcome } => self.forgetting.answer(call, outcome),
            AggregateEffect::AlarmOver(over) => self.ringing.answer_all(&over),
            AggregateEffect::Log(trouble) => console_error!("{trouble}"),
            effect => {
                let inner = Rc::clone(self);
                spawn(async move {
                    if let Some(input) = inner.wait_for(effect).await {
                        inner.give_input(input);
                    }
                });
            }
        }
    }

    /// Carries out an effect that takes longer than this turn, and returns the input that follows from it.
    async fn wait_for(&self, effect: AggregateEffect) -> Option<AggregateInput> {
        Some(match effect {
            AggregateEffect::Forward { call, forward } => {
                AggregateInput::Answered { call, version: self.send(forward).await }
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

    /// Sends a forward, and gives the version up to which the journal has the stream.
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
