//! Runs the drivers of the core. An object gives its driver inputs and carries out the effects in their order. It decides
//! nothing.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_channel::oneshot;
use sillok::gateway::{CallId, Turn};
use sillok_bridge::now;
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

impl<A> Default for Calls<A> {
    fn default() -> Self {
        Self { last: Cell::default(), waiting: RefCell::default() }
    }
}

impl<A> Calls<A> {
    /// Opens a call: returns its number, and the future answer with its price. No answer comes if the object forgets the call.
    pub(crate) fn open(&self) -> (CallId, oneshot::Receiver<(A, Receipt)>) {
        let (answer, answered) = oneshot::channel();
        self.last.set(self.last.get() + 1);
        let call = CallId::new(self.last.get());
        self.waiting.borrow_mut().push(Waiting { call, spent: Receipt::default(), answer });
        (call, answered)
    }

    /// Charges a call for the rows that the meter has counted since the last `take`.
    pub(crate) fn pay(&self, call: CallId, meter: &Meter) {
        let receipt = meter.take();
        if let Some(waiting) = self.waiting.borrow_mut().iter_mut().find(|waiting| waiting.call == call) {
            waiting.spent = waiting.spent + receipt;
        }
    }

    pub(crate) fn answer(&self, call: CallId, answer: A) {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(at) = waiting.iter().position(|waiting| waiting.call == call) {
            let Waiting { spent, answer: answers, .. } = waiting.swap_remove(at);
            // The caller may be gone. Then nobody needs the answer.
            let _ = answers.send((answer, spent));
        }
    }

    /// Answers all calls with the same answer.
    pub(crate) fn answer_all(&self, answer: &A)
    where
        A: Clone,
    {
        for Waiting { spent, answer: answers, .. } in self.waiting.take() {
            let _ = answers.send((answer.clone(), spent));
        }
    }

    /// Forgets all calls without an answer.
    pub(crate) fn forget(&self) {
        self.waiting.borrow_mut().clear();
    }
}

/// Waits so many milliseconds. Other calls have turns meanwhile, also if `millis` is 0.
pub(crate) async fn pause(millis: u64) {
    Delay::from(Duration::from_millis(millis)).await;
}
