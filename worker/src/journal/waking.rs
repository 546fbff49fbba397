//! Waking those who consume what is recorded.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use sillok::handler::ConsumerName;
use sillok::store::StorageError;
use sillok_bridge::now;
use worker::{Delay, console_error};

use super::Keeper;
use crate::consumer::WakeRequest;
use crate::objects::{ObjectName, Remote, armed, jitter, spawn};

/// How long a consumer may take to answer that it is awake. One that takes longer is left to the alarm.
const PATIENCE: Duration = Duration::from_secs(2);

impl Keeper {
    /// Wakes whoever has to be woken of what was recorded, and comes back when each is awake or left to the alarm.
    pub(super) async fn wake(self: &Rc<Self>) {
        let asleep = self.wakes.borrow_mut().to_wake();
        self.wake_all(asleep).await;
    }

    /// What the alarm does: whoever could not be woken is tried again when it is its time.
    pub(super) async fn ring(self: &Rc<Self>) {
        let due = self.wakes.borrow_mut().rang(now());
        self.wake_all(due).await;
    }

    async fn wake_all(self: &Rc<Self>, names: Result<Vec<ConsumerName>, StorageError>) {
        let names = names.unwrap_or_else(|error| {
            console_error!("the consumers could not be read: {error}");
            Vec::new()
        });
        self.meter.take();
        let calls: Vec<_> = names.into_iter().map(|name| self.begin_to_wake(name)).collect();
        for call in calls {
            // Dropped with the object only.
            let _ = call.await;
        }
    }

    /// Wakes one beside the others, and tells when that has come to its end.
    fn begin_to_wake(self: &Rc<Self>, consumer: ConsumerName) -> oneshot::Receiver<()> {
        let (end, ended) = oneshot::channel();
        let keeper = Rc::clone(self);
        spawn(async move {
            keeper.wake_one(&consumer).await;
            // Whoever has gone needs no word of it.
            let _ = end.send(());
        });
        ended
    }

    async fn wake_one(&self, consumer: &ConsumerName) {
        let woken = match select(pin!(self.call(consumer)), pin!(Delay::from(PATIENCE))).await {
            Either::Left((woken, _)) => woken,
            Either::Right(_) => None,
        };
        let mut wakes = self.wakes.borrow_mut();
        if woken.is_some() {
            wakes.woken(consumer);
        } else if let Err(error) = wakes.not_woken(consumer, now(), jitter()) {
            console_error!("the alarm could not be set: {error}");
        }
        self.meter.take();
    }

    /// Calls a consumer, which makes the duty to read its own before it answers.
    async fn call(&self, consumer: &ConsumerName) -> Option<()> {
        let journal = self.name.as_ref()?;
        let consumer = ObjectName::new(journal.tenant(), consumer.clone());
        let request = WakeRequest { partition: journal.keeps.0 };
        let remote = Remote::find(&self.env, &consumer).ok()?;
        let woken: Result<((), _), _> = remote.call("wake", &request).await;
        woken.map(|_| ()).ok()
    }

    /// Once in the object's life, looks at the alarm that it finds set: one that is long overdue was lost.
    pub(super) fn look_at_alarm(self: &Rc<Self>) {
        if self.looked.replace(true) {
            return;
        }
        let keeper = Rc::clone(self);
        spawn(async move {
            let Some(at) = armed(&keeper.state).await else { return };
            let overdue = keeper.wakes.borrow().found_alarm(at, now());
            if overdue {
                keeper.ring().await;
            }
        });
    }
}
