//! The memory stores all of a transaction or nothing, as a database does.

use std::cell::Cell;
use std::rc::Rc;

use crate::database::Database;
use crate::world::*;
use sillok::gateway::Alarm;
use sillok::handler::{Consumer, ConsumerMemory, ConsumerName, Kind, OnFailure, Settings};
use sillok::store::{RecordedTime, StorageError};

/// An alarm that cannot be set while it is broken.
#[derive(Clone, Default)]
struct Breakable(Rc<Cell<bool>>);

impl Alarm for Breakable {
    fn set(&self, _: RecordedTime) -> Result<(), StorageError> {
        if self.0.get() { Err(StorageError::failed("broken")) } else { Ok(()) }
    }
}

type InMemory = Consumer<Database, Breakable>;

#[test]
fn a_transaction_that_fails_leaves_memory_as_it_was() {
    let mut settings = settings(Kind::Projection, OnFailure::HoldStream);
    settings.policy.attempts = 2;
    let (memory, alarm, feed) = (ConsumerMemory::default(), Breakable::default(), Feed::of(&["a", "a", "b"]));
    let mut consumer: InMemory = Consumer::open_in_memory(&memory, alarm.clone(), settings).unwrap();
    project(&mut consumer, &feed, 0, &[1, 3]).unwrap();
    // The first event is given up, and the second is held. Then the alarm for the third cannot be set.
    alarm.0.set(true);
    project(&mut consumer, &feed, 1000, &[1, 3]).unwrap_err();
    assert_eq!((memory.rows(), consumer.status().unwrap().failures), (0, 1));
    alarm.0.set(false);
    project(&mut consumer, &feed, 1000, &[1, 3]).unwrap();
    assert_eq!((memory.rows(), consumer.status().unwrap().dead_letters), (2, 2));
}

#[test]
fn consumers_share_a_memory_and_nothing_in_it() {
    let (memory, feed) = (ConsumerMemory::default(), Feed::of(&["a", "b"]));
    let settings = settings(Kind::Projection, OnFailure::Skip);
    let open = |name: &str| -> InMemory {
        let settings = Settings { name: ConsumerName::new(name).unwrap(), ..settings.clone() };
        Consumer::open_in_memory(&memory, Breakable::default(), settings).unwrap()
    };
    project(&mut open("one"), &feed, 0, &[]).unwrap();
    assert_eq!((memory.rows(), open("other").document(&key("a")).unwrap()), (2, None));
    assert_eq!(open("one").document(&key("a")).unwrap().unwrap().as_str(), "[1]");
}
