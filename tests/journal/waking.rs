//! Wakes: which consumers are woken, and how often.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use sillok::gateway::{Alarm, Wakes};
use sillok::handler::ConsumerName;
use sillok::store::{RecordedTime, StorageError};

use crate::database::Database;

#[derive(Debug, Clone, Default)]
struct Clock(Rc<RefCell<Vec<u64>>>, Rc<Cell<bool>>);

impl Alarm for Clock {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        if self.1.get() {
            return Err(StorageError::failed("the alarm is out of order"));
        }
        self.0.borrow_mut().push(at.as_millis());
        Ok(())
    }
}

const NOBODY: [&str; 0] = [];

pub(crate) fn name(text: &str) -> ConsumerName {
    ConsumerName::new(text).unwrap()
}

/// The wakes of a journal whose consumers `a` and `b` are called. `a` could not be woken.
fn calling_a_in_vain(clock: &Clock) -> Wakes<Database, Clock> {
    let mut wakes = Wakes::new(Database::in_memory(), clock.clone());
    for known in ["a", "b"] {
        wakes.register(&name(known)).unwrap();
    }
    wakes.to_wake(RecordedTime::from_millis(0)).unwrap();
    wakes.not_woken(&name("a"), RecordedTime::from_millis(0), 0).unwrap();
    wakes
}

#[test]
fn a_consumer_that_could_not_be_woken_waits_for_the_alarm() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    let mut wakes = Wakes::new(database.clone(), clock.clone());
    wakes.register(&name("broken")).unwrap();
    wakes.register(&name("sound")).unwrap();
    assert_eq!(wakes.to_wake(RecordedTime::from_millis(0)).unwrap(), ["broken", "sound"]);
    wakes.woken(&name("sound"));
    wakes.not_woken(&name("broken"), RecordedTime::from_millis(1_000), 0).unwrap();
    wakes.was_read(&name("sound"), true);
    assert_eq!(
        wakes.to_wake(RecordedTime::from_millis(0)).unwrap(),
        NOBODY,
        "one that has not read to the end is awake"
    );
    wakes.was_read(&name("sound"), false);
    assert_eq!(
        wakes.to_wake(RecordedTime::from_millis(0)).unwrap(),
        ["sound"],
        "the next forward does not wait for the broken one"
    );
    assert_eq!(*clock.0.borrow(), [1_250]);
    assert_eq!(wakes.rang(RecordedTime::from_millis(1_250)).unwrap(), ["broken"]);
    assert_eq!(wakes.to_wake(RecordedTime::from_millis(0)).unwrap(), NOBODY, "both are being woken");
    let mut anew = Wakes::new(database, clock);
    let everyone = anew.rang(RecordedTime::from_millis(1_250)).unwrap();
    assert_eq!(everyone, ["broken", "sound"], "a journal that starts anew wakes everyone");
}

#[test]
fn a_consumer_that_cannot_be_woken_is_called_with_growing_waits_and_delays_no_other() {
    let clock = Clock::default();
    let mut wakes = Wakes::new(Database::in_memory(), clock.clone());
    wakes.register(&name("broken")).unwrap();
    wakes.register(&name("sound")).unwrap();
    let mut now = RecordedTime::from_millis(0);
    let mut called = wakes.to_wake(RecordedTime::from_millis(0)).unwrap();
    for _ in 0..4 {
        assert!(called.contains(&name("broken")));
        wakes.not_woken(&name("broken"), now, 0).unwrap();
        wakes.woken(&name("sound"));
        wakes.was_read(&name("sound"), false);
        now = RecordedTime::from_millis(*clock.0.borrow().last().unwrap());
        called = wakes.rang(now).unwrap();
        assert_eq!(called, ["broken"], "the sound one has read to the end and sleeps");
    }
    assert_eq!(*clock.0.borrow(), [250, 750, 1_750, 3_750]);
}

#[test]
fn the_alarm_is_set_for_the_first_due_consumer() {
    let (clock, at) = (Clock::default(), RecordedTime::from_millis);
    let mut wakes = calling_a_in_vain(&clock);
    wakes.not_woken(&name("b"), at(100), 0).unwrap();
    assert_eq!(*clock.0.borrow(), [250, 250]);
    assert_eq!(wakes.rang(at(250)).unwrap(), ["a"]);
    assert_eq!(clock.0.borrow().last(), Some(&350));
    wakes.unregister(&name("a")).unwrap();
    wakes.not_woken(&name("a"), at(260), 0).unwrap();
    wakes.also_wake(vec![name("c")]);
    assert_eq!(wakes.rang(at(350)).unwrap(), ["b"], "who comes or goes does not matter to the others");
    assert_eq!(wakes.to_wake(RecordedTime::from_millis(0)).unwrap(), ["c"]);
    assert_eq!(clock.0.borrow().len(), 3);
    assert!(wakes.found_alarm(at(350), at(30_350)) && !wakes.found_alarm(at(350), at(30_349)));
}

#[test]
fn a_consumer_without_need_of_registration_is_woken_after_an_unregistration() {
    let mut wakes = Wakes::new(Database::in_memory(), Clock::default());
    wakes.register(&name("defined")).unwrap();
    wakes.also_wake(vec![name("coded")]);
    for known in ["defined", "coded", "nobody"] {
        wakes.unregister(&name(known)).unwrap();
    }
    assert_eq!(wakes.names().unwrap(), ["coded"]);
    assert_eq!(wakes.to_wake(RecordedTime::from_millis(0)).unwrap(), ["coded"]);
}

#[test]
fn the_next_forward_wakes_if_the_alarm_cannot_be_set() {
    let (clock, at) = (Clock::default(), RecordedTime::from_millis);
    let mut wakes = calling_a_in_vain(&clock);
    clock.1.set(true);
    assert!(wakes.not_woken(&name("b"), at(0), 0).is_err());
    assert_eq!(wakes.to_wake(RecordedTime::from_millis(0)).unwrap(), ["b"]);
    clock.1.set(false);
    wakes.not_woken(&name("b"), at(1000), 0).unwrap();
    clock.1.set(true);
    assert!(wakes.rang(at(250)).is_err());
    assert_eq!(wakes.to_wake(RecordedTime::from_millis(0)).unwrap(), ["a"]);
}
