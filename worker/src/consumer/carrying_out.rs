//! Carries out the driver's effects.

use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{CallId, Turn};
use sillok::handler::{Attempted, ConsumerEffect, ConsumerInput, Delivery, Kind, Outcome, look_again_at};
use sillok_bridge::{Failure, now};
use worker::console_error;

use super::delivery;
use super::handlers::Handler;
use super::opening::{Driver, Inner};
use crate::objects::{armed, pause, spawn, within};

impl Inner {
    /// Gives the driver an input, and carries out its effects.
    pub(super) fn drive<T>(
        self: &Rc<Self>,
        input: impl FnOnce(&mut Driver, &mut Turn<'_, ConsumerEffect>) -> T,
    ) -> Result<T, Failure> {
        let mut defined = self.defined()?;
        let (given, payer) = self.effects.take_turn(|turn| input(&mut defined.driver, turn));
        drop(defined);
        self.carry_out_all(payer);
        Ok(given)
    }

    // This is not a part of `drive`, because each input has its own copy of `drive`.
    fn carry_out_all(self: &Rc<Self>, payer: Option<CallId>) {
        if let Some(call) = payer {
            self.reaching.pay(call, &self.meter);
        }
        self.effects.each(|effect| self.carry_out(effect));
    }

    /// Gives the driver an input that no request has caused. No request pays for it. The input is dropped if its consumer was
    /// removed meanwhile.
    fn give_input(self: &Rc<Self>, life: u64, input: ConsumerInput) {
        if self.life.get() == life
            && let Err(failure) = self.drive(|driver, turn| driver.input(turn, input))
        {
            console_error!("a consumer could not go on: {failure}");
        }
        self.meter.take();
    }

    /// Stores the duty to read a partition of the journal that has grown.
    pub(super) fn woken(self: &Rc<Self>, partition: usize) -> Result<(), Failure> {
        match self.drive(|driver, turn| driver.woken(turn, partition)) {
            // A removed consumer has no duties.
            Err(failure) if failure.code == ErrorCode::ConsumerNotFound => Ok(()),
            woken => Ok(woken??),
        }
    }

    /// Begins a run, unless one has already begun.
    pub(super) fn begin(self: &Rc<Self>) -> Result<(), Failure> {
        self.drive(|driver, turn| driver.begin(turn))
    }

    /// Gives the driver the alarm, and waits until the alarm's work is done.
    pub(super) async fn ring(self: &Rc<Self>) -> Result<(), Failure> {
        let over = self.ringing.open();
        let rang = self.drive(|driver, turn| driver.input(turn, ConsumerInput::Rang));
        self.meter.take();
        match rang {
            Ok(()) => over.answer().await.map_or(Ok(()), |(over, _)| over.map_err(Failure::from)),
            Err(failure) if is_none(&failure) => Ok(()),
            Err(failure) => {
                console_error!("a consumer could not be opened: {failure}");
                Ok(look_again_at(&self.alarm(), now())?)
            }
        }
    }

    fn carry_out(self: &Rc<Self>, effect: ConsumerEffect) {
        match effect {
            ConsumerEffect::Project => self.project(),
            ConsumerEffect::Running(is_running) => self.attempts.runs(is_running),
            ConsumerEffect::Change { .. } => self.change_now(),
            ConsumerEffect::Reached { call, outcome } => self.reaching.answer(call, outcome),
            ConsumerEffect::AlarmOver(over) => self.ringing.answer_all(&over),
            ConsumerEffect::Log(trouble) => console_error!("{trouble}"),
            effect => {
                let (inner, life) = (Rc::clone(self), self.life.get());
                spawn(async move {
                    if let Some(input) = inner.wait_for(effect).await {
                        inner.give_input(life, input);
                    }
                });
            }
        }
    }

    /// Carries out an effect that takes longer than this turn, and returns the input that follows from it.
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

    async fn attempt_within(&self, deliveries: &[Delivery], millis: u64) -> Attempted {
        within(millis, self.attempt(deliveries)).await.unwrap_or(Attempted::Late)
    }

    async fn attempt(&self, deliveries: &[Delivery]) -> Attempted {
        let Some(first) = deliveries.first() else { return Attempted::Done(0) };
        let definition = match self.defined() {
            Ok(defined) => Rc::clone(&defined.definition),
            Err(failure) => return Attempted::Ended(Outcome::failed(&*failure.detail)),
        };
        let sender = self.sender.borrow().clone();
        let attempt = async {
            if definition.kind == Kind::Queue {
                let sent = delivery::to_queue(&self.env, &definition, deliveries).await;
                return sent.map_or_else(Attempted::Ended, Attempted::Done);
            }
            Attempted::Ended(match (definition.kind, self.handler()) {
                (Kind::Webhook, _) => match sender {
                    Some(sender) => delivery::to_webhook(&self.env, &sender, &definition, first).await,
                    None => Outcome::failed("this object was given no sender"),
                },
                (_, Some(handler)) => {
                    let tenant = self.name.as_ref().and_then(|name| name.tenant().cloned());
                    handler.deliver(&self.env, tenant, first).await
                }
                (_, None) => Outcome::failed("this deployment has no code for this reactor"),
            })
        };
        self.attempts.throughout(&first.event, attempt).await
    }

    fn handler(&self) -> Option<Handler> {
        self.code.borrow().as_ref().map(|(_, handler)| handler.clone())
    }
}

/// Whether there is nothing to run: there is no consumer of this name, or it is of another kind.
fn is_none(failure: &Failure) -> bool {
    failure.code == ErrorCode::ConsumerNotFound || failure.code == ErrorCode::ConsumerKindFixed
}
