//! Runs the drivers of the core. An object gives its driver inputs and carries out the effects in their order. It decides
//! nothing.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use sillok::ErrorCode;
use sillok::gateway::{CallId, Turn};
use sillok_bridge::{Failure, now};
use worker::Delay;

use super::jitter;
use super::receipt::{Meter, Receipt};

/// Effects that are not yet carried out.
#[derive(Debug)]
pub(crate) struct Effects<E> {
    waiting: RefCell<Vec<E>>,
    carrying_out: Cell<bool>,
}

impl<E> Default for Effects<E> {
    fn default() -> Self {
        Self { waiting: RefCell::default(), carrying_out: Cell::default() }
    }
}

impl<E> Effects<E> {
    /// Runs one turn of a driver, and adds its effects to the waiting ones. Also returns the call that pays for the turn.
    pub(crate) fn take_turn<T>(&self, input: impl FnOnce(&mut Turn<'_, E>) -> T) -> (T, Option<CallId>) {
        let mut random = jitter;
        let mut turn = Turn::at(now(), &mut random);
        let given = input(&mut turn);
        let payer = turn.payer();
        self.waiting.borrow_mut().append(&mut turn.into_effects());
        (given, payer)
    }

    /// Carries out the waiting effects one after the other, and the effects that they cause in this turn.
    pub(crate) fn each(&self, carry_out: impl Fn(E)) {
        if self.carrying_out.replace(true) {
            return;
        }
        loop {
            let effects = self.waiting.take();
            if effects.is_empty() {
                break;
            }
            effects.into_iter().for_each(&carry_out);
        }
        self.carrying_out.set(false);
    }
}

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
    /// The number by which the driver answers.
    pub(crate) const fn id(&self) -> CallId {
        self.id
    }

    /// The answer, and what it has cost; nothing where the object has forgotten the call.
    pub(crate) async fn answer(mut self) -> Option<(A, Receipt)> {
        (&mut self.answer).await.ok()
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

/// The result of `work`, or nothing where it takes longer than so many milliseconds.
pub(crate) async fn within<T>(millis: u64, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(pause(millis))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Waits so many milliseconds. Other calls have turns meanwhile, also if `millis` is 0.
pub(crate) async fn pause(millis: u64) {
    Delay::from(Duration::from_millis(millis)).await;
}
