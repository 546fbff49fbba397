//! The driver of a consumer.

use sillok::gateway::CallId;
use sillok::handler::{
    Attempted, Consumer, ConsumerDriver, ConsumerEffect as Effect, ConsumerInput as Input, ConsumerName,
    FeedEvent, FeedPage, Kind, Outcome, Policy, Settings, Window,
};
use sillok::store::{EventId, EventType, Position, StorageError, StreamId, Version};

use crate::database::Database;
use crate::{Clock, turn};

type Driver = ConsumerDriver<Database, Clock>;

fn settings(kind: Kind) -> Settings {
    let name = ConsumerName::new("hook").unwrap();
    let window = if kind == Kind::Webhook { Window::Streams(2) } else { Window::default() };
    Settings { name, kind, partitions: 1, policy: Policy::DEFAULT, window, after: None }
}

fn driver(kind: Kind) -> Driver {
    ConsumerDriver::new(Consumer::open(Database::in_memory(), Clock::default(), settings(kind)).unwrap())
}

fn input(driver: &mut Driver, now: u64, input: Input) -> Vec<Effect> {
    turn(now, |turn| driver.input(turn, input)).1
}

fn event(number: u64) -> FeedEvent {
    FeedEvent {
        position: Position::new(number).unwrap(),
        stream: StreamId::new(&format!("account-{number}")).unwrap(),
        version: Version::FIRST,
        id: EventId::new("a").unwrap(),
        event_type: EventType::new("Counted").unwrap(),
        json: "{}".to_owned(),
    }
}

/// Begins a run up to its first deliveries, and gives their calls.
fn delivering(driver: &mut Driver) -> Vec<CallId> {
    let effects = input(driver, 0, Input::Continue);
    let [Effect::Running(true), Effect::FindAlarm { call }] = effects[..] else { panic!("{effects:?}") };
    let effects = input(driver, 0, Input::FoundAlarm { call, alarm: None });
    let [Effect::Read { call, read }] = effects[..] else { panic!("{effects:?}") };
    let events = vec![event(1), event(2)];
    let page = FeedPage { read, events, after: Position::new(2).unwrap(), more: false };
    let effects = input(driver, 0, Input::Read { call, page: Some(page) });
    let deliveries = effects.iter().map(|effect| match effect {
        Effect::Deliver { call, .. } => *call,
        effect => panic!("{effect:?}"),
    });
    deliveries.collect()
}

fn done(call: CallId) -> Input {
    Input::Attempted { call, attempted: Attempted::Ended(Outcome::Done) }
}

#[test]
fn the_next_step_follows_when_all_attempts_have_ended() {
    let mut driver = driver(Kind::Webhook);
    let calls = delivering(&mut driver);
    assert_eq!(calls.len(), 2);
    assert!(input(&mut driver, 1, done(calls[1])).is_empty(), "the first is still under way");
    assert!(!input(&mut driver, 2, done(calls[0])).is_empty());
}

#[test]
fn a_page_that_cannot_be_read_ends_the_run_and_sets_the_alarm() {
    let clock = Clock::default();
    let machine = Consumer::open(Database::in_memory(), clock.clone(), settings(Kind::Webhook)).unwrap();
    let mut driver = ConsumerDriver::new(machine);
    let effects = input(&mut driver, 0, Input::Rang);
    let [Effect::Running(true), Effect::Read { call, .. }] = effects[..] else { panic!("{effects:?}") };
    let effects = input(&mut driver, 0, Input::Read { call, page: None });
    assert!(matches!(effects[..], [Effect::Running(false), Effect::AlarmOver(Ok(()))]), "{effects:?}");
    assert_eq!(clock.0.borrow().last(), Some(&5_000));
}

#[test]
fn a_run_that_gets_no_answer_is_lost_and_its_late_attempts_still_count() {
    let mut driver = driver(Kind::Webhook);
    let calls = delivering(&mut driver);
    assert!(input(&mut driver, 59_000, Input::Continue).is_empty(), "an attempt may take half a minute");
    assert!(!input(&mut driver, 60_000, Input::Continue).is_empty(), "another run begins");
    let offered = |driver: &mut Driver| driver.machine().status().unwrap().checkpoint.to_string();
    assert_eq!(offered(&mut driver), "0");
    for call in calls {
        input(&mut driver, 60_001, done(call));
    }
}

#[test]
fn a_change_waits_for_the_attempts_under_way_but_not_for_long() {
    let mut waiting = driver(Kind::Webhook);
    let calls = delivering(&mut waiting);
    let ((), effects) = turn(1, |turn| waiting.change(turn, CallId::new(5)));
    let [Effect::Wait { call: wait, millis: 1_000 }] = effects[..] else { panic!("{effects:?}") };
    input(&mut waiting, 2, done(calls[0]));
    let effects = input(&mut waiting, 3, done(calls[1]));
    assert!(matches!(effects[..], [Effect::Change { .. }, Effect::Later { .. }]), "{effects:?}");
    assert!(input(&mut waiting, 1_001, Input::Expired { call: wait }).is_empty(), "it was made");

    let mut late = driver(Kind::Webhook);
    delivering(&mut late);
    let ((), effects) = turn(100_000, |turn| late.change(turn, CallId::new(5)));
    let [Effect::Wait { call: wait, .. }] = effects[..] else { panic!("{effects:?}") };
    // The clock was set back meanwhile.
    let effects = input(&mut late, 50_000, Input::Expired { call: wait });
    assert!(matches!(effects[..], [Effect::Change { .. }]), "{effects:?}");
}

#[test]
fn a_consumer_that_is_defined_anew_takes_nothing_of_what_the_old_one_asked_for() {
    let database = Database::in_memory();
    let open = || Consumer::open(database.clone(), Clock::default(), settings(Kind::Webhook));
    let mut driver = ConsumerDriver::new(open().unwrap());
    let calls = delivering(&mut driver);
    let again = || open().map_err(|error| StorageError::failed(error.to_string()));
    let (redefined, _) = turn(1, |turn| driver.redefine(turn, again, || Ok(())));
    redefined.unwrap();
    for call in calls {
        input(&mut driver, 2, done(call));
    }
    let checkpoint = driver.machine().status().unwrap().checkpoint.to_string();
    assert_eq!(checkpoint, "0", "the events are delivered again");
}

#[test]
fn a_reader_is_answered_when_its_time_is_over_whatever_the_clock_says() {
    let mut driver = driver(Kind::Projection);
    let place = (0, Position::new(3).unwrap());
    let ((), effects) = turn(100_000, |turn| driver.reach(turn, CallId::new(4), place, 5_000));
    let [Effect::Wait { call, millis: 5_000 }, Effect::Soon] = effects[..] else { panic!("{effects:?}") };
    let effects = input(&mut driver, 45_000, Input::Expired { call });
    assert!(matches!(effects[..], [Effect::Reached { outcome: Ok(false), .. }]), "{effects:?}");
}
