//! Waiting until a projection covers an event: whoever waits is told once the checkpoint has come so far, and nobody asks
//! again and again.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::select;
use sillok::store::{Checkpoint, Position};
use sillok_bridge::{Failure, now};
use worker::Delay;

use super::{ConsumerRequest, Defined, Inner};

/// Who waits for which place.
#[derive(Debug, Default)]
pub(super) struct Reaching(RefCell<Vec<Waiter>>);

#[derive(Debug)]
struct Waiter {
    partition: usize,
    position: Position,
    tell: oneshot::Sender<()>,
}

impl Reaching {
    /// What is told once the checkpoint has come so far.
    fn until(&self, partition: usize, position: Position) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let mut waiters = self.0.borrow_mut();
        waiters.retain(|waiter| !waiter.tell.is_canceled());
        waiters.push(Waiter { partition, position, tell });
        told
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Has those look again for whom it is to be looked.
    fn tell(&self, is_to_look: impl Fn(&Waiter) -> bool) {
        let (told, waiting): (Vec<_>, Vec<_>) = self.0.take().into_iter().partition(is_to_look);
        self.0.replace(waiting);
        for waiter in told {
            // Whoever has gone needs no word of it.
            let _ = waiter.tell.send(());
        }
    }

    /// Has all look again: the consumer has become another, or is none any more.
    pub(super) fn tell_all(&self) {
        self.tell(|_| true);
    }

    /// Tells those whose place was reached.
    fn reached(&self, checkpoint: &Checkpoint) {
        self.tell(|waiter| checkpoint.position(waiter.partition) >= waiter.position);
    }
}

impl Inner {
    /// Waits until the projection has come to a position, and says by `true` or `false` whether it has.
    pub(super) async fn reach(self: &Rc<Self>, request: &ConsumerRequest) -> Result<String, Failure> {
        let position = Position::new(request.position).unwrap_or_default();
        let deadline = now().as_millis().saturating_add(request.millis);
        let mut woken = false;
        loop {
            self.only_projections()?;
            // Nothing is awaited between to look and to wait, so nothing falls between.
            let reached =
                self.with(|Defined { machine, .. }| machine.reached(request.partition, position))?;
            let left = deadline.saturating_sub(now().as_millis());
            if reached || left == 0 {
                return Ok(reached.to_string());
            }
            let told = self.reaching.until(request.partition, position);
            if !std::mem::replace(&mut woken, true) {
                // Whoever waits need not wait for the journal's word.
                self.woken(request.partition)?;
            }
            select(pin!(told), pin!(Delay::from(Duration::from_millis(left)))).await;
        }
    }

    /// Tells those who wait for a place that was reached by now.
    pub(super) fn tell_reached(&self) -> Result<(), Failure> {
        if !self.reaching.is_empty() {
            self.reaching.reached(&self.with(|Defined { machine, .. }| machine.checkpoint())?);
        }
        Ok(())
    }
}
