//! Runs the drivers of the core. An object gives its driver inputs and carries out the effects in their order. It decides
//! nothing.

use std::cell::{Cell, RefCell, RefMut};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use sillok::gateway::{CallId, Turn};
use sillok::store::StorageError;
use sillok_bridge::{Failure, now};
use worker::{Delay, console_error};

use super::calls::Calls;
use super::receipt::Meter;
use super::{jitter, spawn};

/// Effects that are not yet carried out.
#[derive(Debug)]
struct Effects<E> {
    waiting: RefCell<Vec<E>>,
    carrying_out: Cell<bool>,
}

impl<E> Default for Effects<E> {
    fn default() -> Self {
        Self { waiting: RefCell::default(), carrying_out: Cell::default() }
    }
}

impl<E> Effects<E> {
    /// Carries out the waiting effects one after the other, and the effects that they cause in this turn.
    fn each(&self, carry_out: impl Fn(E)) {
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

/// The parts of an object around its driver.
#[derive(Debug)]
pub(crate) struct Driving<E> {
    effects: Effects<E>,
    /// The alarms whose work is not done.
    pub(crate) ringing: Calls<Result<(), StorageError>>,
    /// Counts the rows of the object's statements.
    pub(crate) meter: Rc<Meter>,
}

impl<E> Driving<E> {
    /// The parts of an object whose statements this meter counts.
    pub(crate) fn counted_by(meter: Rc<Meter>) -> Self {
        Self { effects: Effects::default(), ringing: Calls::default(), meter }
    }
}

/// An object that runs a driver of the core.
pub(crate) trait Driven: Sized + 'static {
    /// The driver.
    type Driver;
    /// An effect of the driver.
    type Effect: 'static;
    /// An input to the driver that is not a request.
    type Input: 'static;

    /// The input for an alarm that rings.
    const RANG: Self::Input;

    /// The driver. No caller may hold it while it awaits something.
    ///
    /// # Errors
    /// The reason why the object has no driver.
    fn driver(&self) -> Result<RefMut<'_, Self::Driver>, Failure>;

    /// Gives the driver an input in this turn.
    fn input(driver: &mut Self::Driver, turn: &mut Turn<'_, Self::Effect>, input: Self::Input);

    /// The parts around the driver.
    fn driving(&self) -> &Driving<Self::Effect>;

    /// Charges a call for the turn that has just ended.
    fn pay(&self, call: CallId);

    /// Carries out an effect in this turn. Returns the effect if it takes longer than this turn.
    fn carry_out(self: &Rc<Self>, effect: Self::Effect) -> Option<Self::Effect>;

    /// Carries out an effect that takes longer than this turn, and returns the input that follows from it.
    async fn wait_for(&self, effect: Self::Effect) -> Option<Self::Input>;

    /// The number of drivers that this object has had. An effect of one driver gives no input to the next one.
    fn life(&self) -> u64 {
        0
    }

    /// Decides about an alarm that rings while the object has no driver.
    ///
    /// # Errors
    /// The alarm has failed. The runtime rings it again.
    fn rang_without_driver(&self, failure: Failure) -> Result<(), Failure> {
        Err(failure)
    }

    /// Gives the driver a request, and carries out its effects.
    ///
    /// # Errors
    /// The reason why the object has no driver.
    fn drive<T>(
        self: &Rc<Self>,
        request: impl FnOnce(&mut Self::Driver, &mut Turn<'_, Self::Effect>) -> T,
    ) -> Result<T, Failure> {
        let (mut request, mut given) = (Some(request), None);
        self.take_turn(&mut |driver, turn| given = request.take().map(|request| request(driver, turn)))?;
        given.ok_or_else(super::forgotten)
    }

    /// Runs one turn of the driver. It takes a `dyn` function, so the code is compiled only once for each driver.
    ///
    /// # Errors
    /// The reason why the object has no driver.
    fn take_turn(self: &Rc<Self>, act: &mut Act<'_, Self>) -> Result<(), Failure> {
        let mut driver = self.driver()?;
        let mut random = jitter;
        let mut turn = Turn::at(now(), &mut random);
        act(&mut driver, &mut turn);
        drop(driver);
        if let Some(call) = turn.payer() {
            self.pay(call);
        }
        let Driving { effects, .. } = self.driving();
        effects.waiting.borrow_mut().append(&mut turn.into_effects());
        effects.each(|effect| {
            if let Some(effect) = self.carry_out(effect) {
                self.carry_out_later(effect);
            }
        });
        Ok(())
    }

    /// Carries out an effect after this turn, and gives the driver the input that follows from it.
    fn carry_out_later(self: &Rc<Self>, effect: Self::Effect) {
        let (object, life) = (Rc::clone(self), self.life());
        spawn(async move {
            if let Some(input) = object.wait_for(effect).await
                && object.life() == life
                && let Err(failure) = object.give_input(input)
            {
                console_error!("an object could not continue: {failure}");
            }
        });
    }

    /// Gives the driver an input that no request has caused. No request pays for it.
    ///
    /// # Errors
    /// The reason why the object has no driver.
    fn give_input(self: &Rc<Self>, input: Self::Input) -> Result<(), Failure> {
        let given = self.drive(|driver, turn| Self::input(driver, turn, input));
        self.driving().meter.take();
        given
    }

    /// Gives the driver the alarm, and waits until the alarm's work is done.
    ///
    /// # Errors
    /// The work has failed, and the alarm could not be set again.
    async fn ring(self: &Rc<Self>) -> Result<(), Failure> {
        let over = self.driving().ringing.open();
        match self.give_input(Self::RANG) {
            Ok(()) => over.answer().await.map_or(Ok(()), |(over, _)| over.map_err(Failure::from)),
            Err(failure) => self.rang_without_driver(failure),
        }
    }
}

/// The work of a driver in one turn.
type Act<'a, D> = dyn FnMut(&mut <D as Driven>::Driver, &mut Turn<'_, <D as Driven>::Effect>) + 'a;

/// Returns the result of `work`, or `None` if it takes longer than `millis` milliseconds.
pub(crate) async fn within<T>(millis: u64, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(pause(millis))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Waits `millis` milliseconds. Other calls have turns meanwhile, also if `millis` is 0.
pub(crate) async fn pause(millis: u64) {
    Delay::from(Duration::from_millis(millis)).await;
}
