//! Waking those who consume what is recorded.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use sillok::handler::ConsumerName;
use sillok::store::StorageError;
use sillok_bridge::{Failure, now};
use worker::{Delay, console_error};

use super::Keeper;
use crate::consumer::WakeRequest;
use crate::objects::{ObjectName, Remote, armed, jitter, spawn};

/// How long a consumer may take to answer that it is awake. One that takes longer is left to the alarm.
const PATIENCE: Duration = Duration::from_secs(2);

impl Keeper {
    /// Wakes whoever has to be woken of what was recorded, and comes back when each is awake or left to the alarm.
    ///
    /// # Errors
    /// `storage_failed` where it is not known whom to wake, or the alarm cannot be set for one: that one may sleep on, so
    /// whoever asked has to ask again.
    pub(super) async fn wake(self: &Rc<Self>) -> Result<(), Failure> {
        let asleep = self.wakes.borrow_mut().to_wake(now());
        self.wake_all(asleep).await
    }

    /// What the alarm does: whoever could not be woken is tried again when it is its time.
    ///
    /// # Errors
    /// As of [`wake`](Self::wake): the alarm has then to ring again.
    pub(super) async fn ring(self: &Rc<Self>) -> Result<(), Failure> {
        let due = self.wakes.borrow_mut().rang(now());
        self.wake_all(due).await
    }

    async fn wake_all(
        self: &Rc<Self>,
        names: Result<Vec<ConsumerName>, StorageError>,
    ) -> Result<(), Failure> {
        self.meter.take();
        let names = names.inspect_err(|error| console_error!("it is not known whom to wake: {error}"))?;
        let calls: Vec<_> = names.into_iter().map(|name| self.begin_to_wake(name)).collect();
        let mut all = Ok(());
        for call in calls {
            // Dropped with the object only.
            all = all.and(call.await.unwrap_or(Ok(())));
        }
        all.map_err(Failure::from)
    }

    /// Wakes one beside the others, and tells when that has come to its end.
    fn begin_to_wake(self: &Rc<Self>, consumer: ConsumerName) -> oneshot::Receiver<Result<(), StorageError>> {
        let (end, ended) = oneshot::channel();
        let keeper = Rc::clone(self);
        spawn(async move {
            // Whoever has gone needs no word of it.
            let _ = end.send(keeper.wake_one(&consumer).await);
        });
        ended
    }

    async fn wake_one(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        let woken = match select(pin!(self.call(consumer)), pin!(Delay::from(PATIENCE))).await {
            Either::Left((woken, _)) => woken,
            Either::Right(_) => None,
        };
        let mut wakes = self.wakes.borrow_mut();
        let told = match woken {
            Some(()) => {
                wakes.woken(consumer);
                Ok(())
            }
            None => wakes.not_woken(consumer, now(), jitter()),
        };
        self.meter.take();
        told.inspect_err(|error| console_error!("the alarm could not be set: {error}"))
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
            if overdue && keeper.ring().await.is_err() {
                // It is looked at again with the next request.
                keeper.looked.set(false);
            }
        });
    }
}
