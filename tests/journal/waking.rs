//! Who is woken, and how often.

use std::cell::RefCell;
use std::rc::Rc;

use sillok::gateway::{Alarm, Wakes};
use sillok::store::{RecordedTime, StorageError};

use crate::database::Database;

#[derive(Debug, Clone, Default)]
struct Clock(Rc<RefCell<Vec<u64>>>);

impl Alarm for Clock {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        self.0.borrow_mut().push(at.as_millis());
        Ok(())
    }
}

const NOBODY: [&str; 0] = [];

#[test]
fn one_that_could_not_be_woken_is_left_to_the_alarm() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    let mut wakes = Wakes::new(database.clone(), clock.clone());
    wakes.register("broken").unwrap();
    wakes.register("sound").unwrap();
    assert_eq!(wakes.to_wake().unwrap(), ["broken", "sound"]);
    wakes.woken("sound");
    wakes.not_woken("broken", RecordedTime::from_millis(1_000), 0).unwrap();
    wakes.caught_up("sound");
    assert_eq!(wakes.to_wake().unwrap(), ["sound"], "the next forward does not wait for the broken one");
    assert_eq!(*clock.0.borrow(), [1_250]);
    wakes.rang();
    assert_eq!(wakes.to_wake().unwrap(), ["broken"]);
    assert_eq!(wakes.to_wake().unwrap(), NOBODY, "both are being woken");
    let mut anew = Wakes::new(database, clock);
    assert_eq!(anew.to_wake().unwrap(), ["broken", "sound"], "a journal that starts anew wakes everyone");
}

#[test]
fn one_that_need_not_be_registered_is_woken_also_after_a_registration_was_taken_back() {
    let mut wakes = Wakes::new(Database::in_memory(), Clock::default());
    wakes.register("defined").unwrap();
    wakes.also_wake(vec!["coded".to_owned()]);
    for name in ["defined", "coded", "nobody"] {
        wakes.unregister(name).unwrap();
    }
    assert_eq!(wakes.names().unwrap(), ["coded"]);
    assert_eq!(wakes.to_wake().unwrap(), ["coded"]);
}
