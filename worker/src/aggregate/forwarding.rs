//! Carries out the duty to forward: what the journal does not have yet is sent to it until it has everything.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use sillok::gateway::Forward;
use sillok::store::Version;
use sillok_bridge::{Failure, now};
use worker::console_error;

use super::Keeper;
use crate::journal;
use crate::objects::{armed, jitter, partitions, spawn};

/// How far it is with forwarding.
#[derive(Debug, Default)]
pub(super) struct Forwarding {
    /// Counts the rings of the alarm. What was begun before the last one was given up: its answer may come long after it
    /// was sent once more, and would be taken for the answer to that.
    round: Cell<u64>,
    running: Cell<bool>,
    /// Who waits for the end of what is running.
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    /// Whether the alarm that an earlier life of the object may have set was looked at.
    looked: Cell<bool>,
}

impl Keeper {
    /// Begins to forward, beside whatever else the object does. It is kept in memory until this has come to its end, and
    /// where that fails, the alarm brings it back, which was set before there was anything to forward.
    pub(super) fn begin_forwarding(self: &Rc<Self>) {
        if !self.forwarding.running.get() {
            let keeper = Rc::clone(self);
            spawn(async move {
                // What has failed is in the log, and the alarm is set.
                let _ = keeper.forward().await;
            });
        }
    }

    /// Forwards until the journal has everything or an attempt fails.
    ///
    /// # Errors
    /// `storage_failed` where the alarm cannot be set for another attempt.
    pub(super) async fn forward(&self) -> Result<(), Failure> {
        let Forwarding { round, running, waiting, .. } = &self.forwarding;
        if running.replace(true) {
            let (end, ended) = oneshot::channel();
            waiting.borrow_mut().push(end);
            // Dropped with the object only.
            let _ = ended.await;
            return Ok(());
        }
        let own = round.get();
        let forwarded = loop {
            let forward = match self.next_forward() {
                Ok(Some(forward)) => forward,
                rest => break rest.map(|_| ()),
            };
            let answer = self.send(&forward).await;
            if round.get() != own {
                return Ok(());
            }
            if let Err(failure) = self.settle(answer) {
                break Err(failure);
            }
        };
        running.set(false);
        for waiter in waiting.take() {
            // Whoever has gone needs no word of it.
            let _ = waiter.send(());
        }
        forwarded
    }

    /// What the alarm does: whatever is under way is given up, and begun anew.
    ///
    /// # Errors
    /// As of [`forward`](Self::forward): the alarm has then to ring again.
    pub(super) async fn ring(&self) -> Result<(), Failure> {
        self.machine.borrow_mut().rang(now());
        self.forwarding.round.set(self.forwarding.round.get() + 1);
        self.forwarding.running.set(false);
        self.forward().await?;
        // What is left to be removed has the alarm set for it before each page.
        self.remove_forgotten().await.0.inspect_err(|failure| {
            console_error!("what was forgotten could not be removed: {failure}");
        })
    }

    /// Once in the object's life, looks at the alarm that it finds set: one that is long overdue was lost.
    pub(super) fn look_at_alarm(self: &Rc<Self>) {
        if self.forwarding.looked.replace(true) {
            return;
        }
        let keeper = Rc::clone(self);
        spawn(async move {
            let Some(at) = armed(&keeper.state).await else { return };
            let overdue = keeper.machine.borrow_mut().found_alarm(at, now());
            if overdue && keeper.ring().await.is_err() {
                // It is looked at again with the next request.
                keeper.forwarding.looked.set(false);
            }
        });
    }

    /// What is to be sent next. What it costs to look is no part of any request.
    fn next_forward(&self) -> Result<Option<Forward>, Failure> {
        // What was not found by a name has taken nothing.
        let Ok(name) = self.whose() else { return Ok(None) };
        let next = self.machine.borrow_mut().next_forward(&name.keeps);
        let next = next.or_else(|error| {
            console_error!("what is to be forwarded could not be read: {error}");
            self.settle(None).map(|()| None)
        });
        self.meter.take();
        next
    }

    /// Sends, and gives the version up to which the journal has the stream.
    async fn send(&self, forward: &Forward) -> Option<Version> {
        let name = self.whose().ok()?;
        let partitions =
            partitions(&self.env).map_err(|failure| console_error!("{}", failure.detail)).ok()?;
        let journal = journal::Remote::of_stream(&self.env, name.tenant(), &name.keeps, partitions);
        let journal = journal.map_err(|error| console_error!("there is no journal: {error}")).ok()?;
        match journal.record(forward).await {
            Ok(version) => Some(version),
            Err(error) => {
                console_error!("what was appended could not be forwarded: {error}");
                None
            }
        }
    }

    fn settle(&self, answer: Option<Version>) -> Result<(), Failure> {
        let mut machine = self.machine.borrow_mut();
        let settled = match answer {
            Some(version) => machine.forwarded(version, now(), jitter()),
            None => machine.not_forwarded(now(), jitter()),
        };
        self.meter.take();
        settled.map_err(|error| {
            console_error!("the alarm could not be set: {error}");
            Failure::from(error)
        })
    }
}
