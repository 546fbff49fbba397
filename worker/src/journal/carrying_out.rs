//! Carries out the driver's effects.

use std::rc::Rc;

use sillok::gateway::{CallId, JournalDriver, JournalEffect, JournalInput, Turn};
use sillok::handler::ConsumerName;
use sillok::store::StorageError;
use sillok_bridge::Failure;
use worker::console_error;

use super::Inner;
use crate::consumer;
use crate::objects::{ObjectAlarm, ObjectSql, armed, nudges, pause, spawn, within};

pub(super) type Driver = JournalDriver<ObjectSql, ObjectAlarm>;

impl Inner {
    /// Gives the driver an input, and carries out its effects.
    pub(super) fn drive<T>(
        self: &Rc<Self>,
        input: impl FnOnce(&mut Driver, &mut Turn<'_, JournalEffect>) -> T,
    ) -> T {
        let (given, payer) = self.effects.take_turn(|turn| input(&mut self.driver.borrow_mut(), turn));
        self.carry_out_all(payer);
        given
    }

    // This is not a part of `drive`, because each input has its own copy of `drive`.
    fn carry_out_all(self: &Rc<Self>, payer: Option<CallId>) {
        if let Some(call) = payer {
            self.locating.pay(call, &self.meter);
        }
        self.effects.each(|effect| self.carry_out(effect));
        // Work for several requests is not a part of any request's price.
        self.meter.take();
    }

    /// Gives the driver the alarm, and waits until the alarm's work is done.
    pub(super) async fn ring(self: &Rc<Self>) -> Result<(), Failure> {
        let over = self.ringing.open();
        self.give_input(JournalInput::Rang);
        over.answer().await.map_or(Ok(()), |(over, _)| over.map_err(Failure::from))
    }

    /// Gives the driver what has happened beside requests.
    fn give_input(self: &Rc<Self>, input: JournalInput) {
        self.drive(|driver, turn| driver.input(turn, input));
    }

    fn carry_out(self: &Rc<Self>, effect: JournalEffect) {
        match effect {
            JournalEffect::Grown(position) => nudges::nudge(&self.state, position.get()),
            JournalEffect::Recorded { call, outcome } => self.recording.answer(call, outcome),
            JournalEffect::Located { call, outcome } => self.locating.answer(call, outcome),
            JournalEffect::AlarmOver(over) => self.ringing.answer_all(&over),
            JournalEffect::Log(trouble) => console_error!("{trouble}"),
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
    async fn wait_for(&self, effect: JournalEffect) -> Option<JournalInput> {
        Some(match effect {
            JournalEffect::Wake { call, consumer, millis } => {
                JournalInput::Woken { call, is_awake: self.wake(consumer, millis).await }
            }
            JournalEffect::Sync => {
                let synced = self.state.storage().sync().await;
                JournalInput::Synced(synced.map_err(|error| StorageError::failed(error.to_string())))
            }
            JournalEffect::Soon => JournalInput::Continue,
            JournalEffect::LookAgain { call } => JournalInput::LookAgain { call },
            JournalEffect::Wait { call, millis } => {
                pause(millis).await;
                JournalInput::Expired { call }
            }
            JournalEffect::FindAlarm => JournalInput::FoundAlarm(armed(&self.state).await),
            _ => return None,
        })
    }

    /// Wakes a consumer, and returns whether it has answered in time. The consumer stores the duty to read before it answers.
    async fn wake(&self, consumer: ConsumerName, millis: u64) -> bool {
        let Some(journal) = &self.name else { return false };
        let Ok(consumer) = consumer::Remote::find(&self.env, journal.tenant(), consumer) else {
            return false;
        };
        within(millis, consumer.wake(journal.identity.0)).await.is_some_and(|woken| woken.is_ok())
    }
}
