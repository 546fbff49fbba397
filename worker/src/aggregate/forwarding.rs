//! Carries out the duty to forward: what the journal does not have yet is sent to it until it has everything.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use sillok::store::{Forward, Version};
use sillok_bridge::now;
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
    /// where that fails, the alarm brings it back.
    pub(super) fn begin_forwarding(self: &Rc<Self>) {
        if !self.forwarding.running.get() {
            let keeper = Rc::clone(self);
            spawn(async move { keeper.forward().await });
        }
    }

    /// Forwards until the journal has everything or an attempt fails.
    pub(super) async fn forward(&self) {
        let Forwarding { round, running, waiting, .. } = &self.forwarding;
        if running.replace(true) {
            let (end, ended) = oneshot::channel();
            waiting.borrow_mut().push(end);
            // Dropped with the object only.
            let _ = ended.await;
            return;
        }
        let own = round.get();
        while let Some(forward) = self.next_forward() {
            let answer = self.send(&forward).await;
            if round.get() != own {
                return;
            }
            self.settle(answer);
        }
        running.set(false);
        for waiter in waiting.take() {
            // Whoever has gone needs no word of it.
            let _ = waiter.send(());
        }
    }

    /// What the alarm does: whatever is under way is given up, and begun anew.
    pub(super) async fn ring(&self) {
        self.machine.borrow_mut().rang(now());
        self.forwarding.round.set(self.forwarding.round.get() + 1);
        self.forwarding.running.set(false);
        self.forward().await;
        if let (Err(failure), _) = self.remove_forgotten().await {
            console_error!("what was forgotten could not be removed: {failure}");
        }
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
            if overdue {
                keeper.ring().await;
            }
        });
    }

    /// What is to be sent next. What it costs to look is no part of any request.
    fn next_forward(&self) -> Option<Forward> {
        let (_, stream) = self.whose().ok()?;
        let next = self.machine.borrow_mut().next_forward(&stream);
        let next = next.unwrap_or_else(|error| {
            console_error!("what is to be forwarded could not be read: {error}");
            self.settle(None);
            None
        });
        self.meter.take();
        next
    }

    /// Sends, and gives the version up to which the journal has the stream.
    async fn send(&self, forward: &Forward) -> Option<Version> {
        let (name, stream) = self.whose().ok()?;
        let partitions =
            partitions(&self.env).map_err(|failure| console_error!("{}", failure.detail)).ok()?;
        let journal = journal::Remote::of_stream(&self.env, name, &stream, partitions);
        let journal = journal.map_err(|error| console_error!("there is no journal: {error}")).ok()?;
        match journal.record(forward).await {
            Ok(version) => Some(version),
            Err(error) => {
                console_error!("what was appended could not be forwarded: {error}");
                None
            }
        }
    }

    fn settle(&self, answer: Option<Version>) {
        let mut machine = self.machine.borrow_mut();
        let settled = match answer {
            Some(version) => machine.forwarded(version, now(), jitter()),
            None => machine.not_forwarded(now(), jitter()),
        };
        if let Err(error) = settled {
            console_error!("the alarm could not be set: {error}");
        }
        self.meter.take();
    }
}
