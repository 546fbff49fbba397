//! Carries out the driver's effects.

use std::cell::RefMut;
use std::rc::Rc;

use sillok::gateway::{CallId, JournalDriver, JournalEffect, JournalInput, Turn};
use sillok::handler::ConsumerName;
use sillok::store::StorageError;
use sillok_bridge::Failure;
use worker::console_error;

use super::Inner;
use crate::consumer;
use crate::objects::{Driven, Driving, ObjectAlarm, ObjectSql, armed, nudges, pause, within};

pub(super) type Driver = JournalDriver<ObjectSql, ObjectAlarm>;

impl Inner {
    /// Wakes a consumer, and returns whether it has answered in time. The consumer stores the duty to read before it answers.
    async fn wake(&self, consumer: ConsumerName, millis: u64) -> bool {
        let Some(journal) = &self.name else { return false };
        let Ok(consumer) = consumer::Remote::find(&self.env, journal.tenant(), consumer) else {
            return false;
        };
        within(millis, consumer.wake(journal.identity.0)).await.is_some_and(|woken| woken.is_ok())
    }
}

impl Driven for Inner {
    type Driver = Driver;
    type Effect = JournalEffect;
    type Input = JournalInput;

    const RANG: JournalInput = JournalInput::Rang;

    fn driver(&self) -> Result<RefMut<'_, Driver>, Failure> {
        Ok(self.driver.borrow_mut())
    }

    fn input(driver: &mut Driver, turn: &mut Turn<'_, JournalEffect>, input: JournalInput) {
        driver.input(turn, input);
    }

    fn driving(&self) -> &Driving<JournalEffect> {
        &self.driving
    }

    fn pay(&self, call: CallId) {
        self.locating.pay(call, &self.driving.meter);
    }

    fn carry_out(self: &Rc<Self>, effect: JournalEffect) -> Option<JournalEffect> {
        match effect {
            JournalEffect::Grown(position) => nudges::nudge(&self.state, position.get()),
            JournalEffect::Recorded { call, outcome } => self.recording.answer(call, outcome),
            JournalEffect::Located { call, outcome } => self.locating.answer(call, outcome),
            JournalEffect::AlarmOver(over) => self.driving.ringing.answer_all(&over),
            JournalEffect::Log(trouble) => console_error!("{trouble}"),
            effect => return Some(effect),
        }
        None
    }

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
}
