//! The driver of a journal.

use sillok::gateway::{
    CallId, Forward, JournalDriver, JournalEffect as Effect, JournalInput as Input, RecordError,
};
use sillok::handler::ConsumerName;
use sillok::store::{Commit, CommitHash, Position, RecordedTime, StorageError, StreamId, Version};

use crate::database::Database;
use crate::{Clock, turn};

type Driver = JournalDriver<Database, Clock>;

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

fn stream() -> StreamId {
    StreamId::new("account-1").unwrap()
}

fn forward(number: u64) -> Forward {
    let commit = Commit {
        first_version: version(number),
        version: version(number),
        time: RecordedTime::from_millis(number),
        events: format!("[{{\"id\":\"{number}\",\"type\":\"Counted\",\"data\":1}}]").into(),
        hash: CommitHash::NONE,
        key: None,
    };
    let (base, hidden) = (Version::EMPTY, Version::EMPTY);
    Forward { stream: stream(), base, hidden, deleted: false, commits: vec![commit] }
}

fn driver(consumers: &[&str]) -> Driver {
    let mut driver = JournalDriver::new(Database::in_memory(), Clock::default(), 1);
    let names = consumers.iter().map(|name| ConsumerName::new(name).unwrap());
    driver.wakes().also_wake(names.collect());
    driver
}

fn record(driver: &mut Driver, call: u64, number: u64) -> Vec<Effect> {
    turn(number, |turn| driver.record(turn, CallId::new(call), forward(number))).1
}

fn input(driver: &mut Driver, now: u64, input: Input) -> Vec<Effect> {
    turn(now, |turn| driver.input(turn, input)).1
}

#[test]
fn a_forward_is_answered_after_the_wakes_and_after_the_disk() {
    let mut driver = driver(&["one", "two"]);
    let effects = record(&mut driver, 1, 1);
    assert!(matches!(effects[..], [Effect::FindAlarm, Effect::Soon]), "{effects:?}");
    let effects = input(&mut driver, 1, Input::Continue);
    let [Effect::Grown(_), Effect::Wake { call: one, .. }, Effect::Wake { call: two, .. }] = effects[..]
    else {
        panic!("{effects:?}")
    };
    assert!(input(&mut driver, 2, Input::Woken { call: one, is_awake: true }).is_empty());
    assert!(input(&mut driver, 2, Input::Woken { call: one, is_awake: true }).is_empty(), "it was answered");
    // The second does not answer: it is left to the alarm.
    let effects = input(&mut driver, 3, Input::Woken { call: two, is_awake: false });
    assert!(matches!(effects[..], [Effect::Sync]), "{effects:?}");
    let effects = input(&mut driver, 4, Input::Synced(Ok(())));
    let [Effect::Recorded { call, outcome: Ok(recorded) }, Effect::Soon] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((*call, *recorded), (CallId::new(1), version(1)));
    assert!(input(&mut driver, 5, Input::Continue).is_empty(), "nothing waits");
}

#[test]
fn forwards_that_come_meanwhile_are_the_next_group() {
    let mut driver = driver(&[]);
    record(&mut driver, 1, 1);
    let effects = input(&mut driver, 1, Input::Continue);
    assert!(matches!(effects[..], [Effect::Grown(_), Effect::Sync]), "{effects:?}");
    assert!(record(&mut driver, 2, 2).is_empty());
    assert!(record(&mut driver, 3, 3).is_empty());
    input(&mut driver, 4, Input::Synced(Ok(())));
    input(&mut driver, 4, Input::Continue);
    let effects = input(&mut driver, 5, Input::Synced(Ok(())));
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Recorded { .. })).count(), 2);
}

#[test]
fn a_disk_that_refuses_lets_no_forward_be_acknowledged() {
    let mut driver = driver(&[]);
    record(&mut driver, 1, 1);
    input(&mut driver, 1, Input::Continue);
    let effects = input(&mut driver, 2, Input::Synced(Err(StorageError::failed("full"))));
    let refused = |effect: &Effect| matches!(effect, Effect::Recorded { outcome: Err(_), .. });
    assert!(effects.iter().any(refused), "{effects:?}");
}

#[test]
fn a_reader_is_answered_when_the_version_comes() {
    let mut driver = driver(&[]);
    let reader = CallId::new(9);
    let ((), effects) = turn(0, |turn| driver.locate(turn, reader, stream(), version(1), 5_000));
    assert!(matches!(effects[..], [Effect::Wait { millis: 5_000, .. }]), "{effects:?}");
    record(&mut driver, 1, 1);
    let effects = input(&mut driver, 1, Input::Continue);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::LookAgain { .. })), "{effects:?}");
    let effects = input(&mut driver, 1, Input::LookAgain { call: reader });
    let [Effect::Located { outcome: Ok(Some(position)), .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*position, Position::new(1).unwrap());
    assert!(input(&mut driver, 5_000, Input::Expired { call: reader }).is_empty(), "it was answered");
}

#[test]
fn a_wait_ends_whatever_the_clock_says() {
    let mut driver = driver(&[]);
    let reader = CallId::new(9);
    turn::<_, Effect>(100_000, |turn| driver.locate(turn, reader, stream(), version(1), 5_000));
    // The clock was set back by a minute meanwhile.
    let effects = input(&mut driver, 45_000, Input::Expired { call: reader });
    assert!(matches!(effects[..], [Effect::Located { outcome: Ok(None), .. }]), "{effects:?}");
}

#[test]
fn a_consumer_that_has_read_to_the_end_is_woken_again() {
    let mut driver = driver(&["one"]);
    let wakes = |driver: &mut Driver, number| {
        record(driver, number, number);
        let effects = input(driver, number, Input::Continue);
        let called = effects.iter().find_map(|effect| match effect {
            Effect::Wake { call, .. } => Some(*call),
            _ => None,
        });
        if let Some(call) = called {
            input(driver, number, Input::Woken { call, is_awake: true });
        }
        input(driver, number, Input::Synced(Ok(())));
        input(driver, number, Input::Continue);
        called.is_some()
    };
    let one = ConsumerName::new("one").unwrap();
    let read = |driver: &mut Driver, more| driver.read_page(Some(&one), |_| Ok::<_, RecordError>(((), more)));
    assert!(wakes(&mut driver, 1));
    assert!(!wakes(&mut driver, 2), "it is awake");
    read(&mut driver, true).unwrap();
    assert!(!wakes(&mut driver, 3), "it reads on");
    read(&mut driver, false).unwrap();
    assert!(wakes(&mut driver, 4));
}
