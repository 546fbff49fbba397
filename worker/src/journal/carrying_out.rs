//! Carries out what the driver wants done.

use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use sillok::gateway::{CallId, JournalDriver, JournalEffect, JournalInput, Turn};
use sillok::handler::ConsumerName;
use sillok::store::StorageError;
use sillok_bridge::Failure;
use worker::console_error;

use super::Keeper;
use crate::consumer;
use crate::objects::{ObjectAlarm, ObjectSql, armed, nudges, pause, spawn};

pub(super) type Driver = JournalDriver<ObjectSql, ObjectAlarm>;

impl Keeper {
    /// Gives the driver an input, and carries out what it wants done.
    pub(super) fn drive<T>(
        self: &Rc<Self>,
        input: impl FnOnce(&mut Driver, &mut Turn<'_, JournalEffect>) -> T,
    ) -> Result<T, Failure> {
        let driver = self.driver()?;
        let (given, payer) = self.effects.take_turn(|turn| input(&mut driver.borrow_mut(), turn));
        self.carry_out_all(payer);
        Ok(given)
    }

    // Not a part of `drive`, of which there is one for every input.
    fn carry_out_all(self: &Rc<Self>, payer: Option<CallId>) {
        if let Some(call) = payer {
            self.locating.pay(call, &self.meter);
        }
        self.effects.each(|effect| self.carry_out(effect));
        // What several share is no part of any request's price.
        self.meter.take();
    }

    /// Gives the driver the alarm, and waits until the work for which it rang is done.
    pub(super) async fn ring(self: &Rc<Self>) -> Result<(), Failure> {
        let (_, over) = self.ringing.open();
        self.go_on(JournalInput::Rang)?;
        over.await.map_or(Ok(()), |(over, _)| over.map_err(Failure::from))
    }

    /// Gives the driver what has happened beside requests.
    fn go_on(self: &Rc<Self>, input: JournalInput) -> Result<(), Failure> {
        self.drive(|driver, turn| driver.input(turn, input))
    }

    fn carry_out(self: &Rc<Self>, effect: JournalEffect) {
        match effect {
            JournalEffect::Grown(position) => nudges::nudge(&self.state, position.get()),
            JournalEffect::Recorded { call, outcome } => self.recording.answer(call, outcome),
            JournalEffect::Located { call, outcome } => self.locating.answer(call, outcome),
            JournalEffect::AlarmOver(over) => self.ringing.answer_all(&over),
            JournalEffect::Log(trouble) => console_error!("{trouble}"),
            effect => {
                let keeper = Rc::clone(self);
                spawn(async move {
                    if let Some(input) = keeper.wait_for(effect).await {
                        // Without a journal nothing was begun.
                        let _ = keeper.go_on(input);
                    }
                });
            }
        }
    }

    /// Carries out an effect that takes more than this turn, and gives what has happened.
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
            JournalEffect::Wait { millis } => {
                pause(millis).await;
                JournalInput::Ticked
            }
            JournalEffect::FindAlarm => JournalInput::FoundAlarm(armed(&self.state).await),
            _ => return None,
        })
    }

    /// Calls a consumer, and says whether it has answered in time. It makes the duty to read its own before it answers.
    async fn wake(&self, consumer: ConsumerName, millis: u64) -> bool {
        let Some(journal) = &self.name else { return false };
        let Ok(consumer) = consumer::Remote::find(&self.env, journal.tenant(), consumer) else {
            return false;
        };
        let woken = async { consumer.wake(journal.keeps.0).await.is_ok() };
        match select(pin!(woken), pin!(pause(millis))).await {
            Either::Left((is_awake, _)) => is_awake,
            Either::Right(_) => false,
        }
    }
}
