//! Calls that an object's driver answers later.

use std::cell::{Cell, RefCell};

use futures_channel::oneshot;
use sillok::ErrorCode;
use sillok::gateway::CallId;
use sillok_bridge::Failure;

use super::receipt::{Meter, Receipt};

/// Calls of an object that its driver answers later.
#[derive(Debug)]
pub(crate) struct Calls<A> {
    last: Cell<u64>,
    waiting: RefCell<Vec<Waiting<A>>>,
}

#[derive(Debug)]
struct Waiting<A> {
    call: CallId,
    spent: Receipt,
    answer: oneshot::Sender<(A, Receipt)>,
}

/// A call that waits for its answer. It is forgotten with this value.
#[derive(Debug)]
pub(crate) struct Call<'a, A> {
    calls: &'a Calls<A>,
    id: CallId,
    answer: oneshot::Receiver<(A, Receipt)>,
}

impl<A> Default for Calls<A> {
    fn default() -> Self {
        Self { last: Cell::default(), waiting: RefCell::default() }
    }
}

impl<A> Calls<A> {
    /// A new call.
    pub(crate) fn open(&self) -> Call<'_, A> {
        let (sender, answer) = oneshot::channel();
        self.last.set(self.last.get() + 1);
        let id = CallId::new(self.last.get());
        let waiting = Waiting { call: id, spent: Receipt::default(), answer: sender };
        self.waiting.borrow_mut().push(waiting);
        Call { calls: self, id, answer }
    }

    /// Charges a call for the rows that the meter has counted since the last `take`.
    pub(crate) fn pay(&self, call: CallId, meter: &Meter) {
        let receipt = meter.take();
        if let Some(waiting) = self.waiting.borrow_mut().iter_mut().find(|waiting| waiting.call == call) {
            waiting.spent = waiting.spent + receipt;
        }
    }

    pub(crate) fn answer(&self, call: CallId, answer: A) {
        if let Some(Waiting { spent, answer: sender, .. }) = self.take(call) {
            // A caller that has gone needs no answer.
            let _ = sender.send((answer, spent));
        }
    }

    /// Answers all calls with the same answer.
    pub(crate) fn answer_all(&self, answer: &A)
    where
        A: Clone,
    {
        for Waiting { spent, answer: sender, .. } in self.waiting.take() {
            let _ = sender.send((answer.clone(), spent));
        }
    }

    /// Forgets all calls without an answer.
    pub(crate) fn forget(&self) {
        self.waiting.borrow_mut().clear();
    }

    fn take(&self, call: CallId) -> Option<Waiting<A>> {
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().position(|waiting| waiting.call == call)?;
        Some(waiting.swap_remove(at))
    }
}

impl<A> Call<'_, A> {
    /// The number that the driver uses for its answer.
    pub(crate) const fn id(&self) -> CallId {
        self.id
    }

    /// The answer and its price. `None` if the object has forgotten the call.
    pub(crate) async fn answer(mut self) -> Option<(A, Receipt)> {
        (&mut self.answer).await.ok()
    }

    /// The answer to a request and its price, after the driver was given the request. `refused` is the price if the object
    /// has no driver, and `gone` the failure if the object forgets the call.
    pub(crate) async fn answer_to(
        self,
        given: Result<(), Failure>,
        refused: impl FnOnce() -> Receipt,
        gone: fn() -> Failure,
    ) -> (Result<A, Failure>, Receipt) {
        if let Err(failure) = given {
            return (Err(failure), refused());
        }
        match self.answer().await {
            Some((answer, receipt)) => (Ok(answer), receipt),
            None => (Err(gone()), Receipt::default()),
        }
    }
}

impl<A> Drop for Call<'_, A> {
    fn drop(&mut self) {
        self.calls.take(self.id);
    }
}

/// The failure of a call that the object has forgotten.
pub(crate) fn forgotten() -> Failure {
    Failure::new(ErrorCode::Unavailable, "the object has ended; try again")
}
