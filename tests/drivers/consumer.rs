//! The driver of a consumer.

use sillok::gateway::CallId;
use sillok::handler::{
    Attempted, Consumer, ConsumerDriver, ConsumerEffect as Effect, ConsumerInput as Input, ConsumerName,
    FeedEvent, FeedPage, Kind, OnFailure, Operation, Outcome, Policy, RebuildError, Settings, Window,
};
use sillok::store::{Checkpoint, EventId, EventType, Position, StorageError, StreamId, Version};

use crate::database::Database;
use crate::{Clock, turn};

type Driver = ConsumerDriver<Database, Clock>;

fn settings(kind: Kind) -> Settings {
    let name = ConsumerName::new("hook").unwrap();
    let window = if kind == Kind::Webhook { Window::Streams(2) } else { Window::default() };
    Settings { name, kind, partitions: 1, policy: Policy::DEFAULT, window, after: None, version: 1 }
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

#[test]
fn a_run_begins_after_an_operation() {
    let mut driver = driver(Kind::Webhook);
    for operation in [Operation::Pause, Operation::Resume, Operation::Retry] {
        let (operated, effects) = turn(1, |turn| driver.operate(turn, operation));
        operated.unwrap();
        assert!(matches!(effects[..], [Effect::Soon]), "{operation:?}: {effects:?}");
    }
    let (refused, effects) = turn::<_, Effect>(1, |turn| driver.operate(turn, Operation::Rebuild));
    assert_eq!(refused, Err(RebuildError::NotAProjection));
    assert!(effects.is_empty(), "{effects:?}");
}

#[test]
fn the_first_question_to_a_projection_of_new_code_begins_a_run() {
    let database = Database::in_memory();
    let open = |version| {
        let settings = Settings { version, ..settings(Kind::Projection) };
        ConsumerDriver::new(Consumer::open(database.clone(), Clock::default(), settings).unwrap())
    };
    turn::<_, Effect>(1, |turn| open(1).operate(turn, Operation::Resume)).0.unwrap();
    let asked = |version| turn::<_, Effect>(1, |turn| open(version).asked(turn)).1;
    assert!(asked(1).is_empty());
    assert!(matches!(asked(2)[..], [Effect::Soon]));
    let start = Checkpoint::start(1);
    let (_, effects) = turn::<_, Effect>(1, |turn| open(2).status(turn, &start));
    assert!(matches!(effects[..], [Effect::Soon]), "{effects:?}");
}

#[test]
fn the_status_begins_a_run_if_the_consumer_is_behind_the_end() {
    let mut driver = driver(Kind::Webhook);
    let start = Checkpoint::start(1);
    let (status, effects) = turn::<_, Effect>(1, |turn| driver.status(turn, &start));
    assert_eq!(status.unwrap().checkpoint, start);
    assert!(effects.is_empty(), "{effects:?}");
    let (_, effects) = turn(1, |turn| driver.status(turn, &start.at(0, Position::new(2).unwrap())));
    assert!(matches!(effects[..], [Effect::Soon]), "{effects:?}");
}

/// Gives up both events, each at its only attempt.
fn given_up() -> Driver {
    let policy = Policy { attempts: 1, on_failure: OnFailure::Skip, ..Policy::DEFAULT };
    let settings = Settings { policy, ..settings(Kind::Webhook) };
    let machine = Consumer::open(Database::in_memory(), Clock::default(), settings).unwrap();
    let mut driver = ConsumerDriver::new(machine);
    for call in delivering(&mut driver) {
        let attempted = Attempted::Ended(Outcome::failed("no"));
        input(&mut driver, 1, Input::Attempted { call, attempted });
    }
    assert_eq!(driver.machine().status().unwrap().dead_letters, 2);
    driver
}

#[test]
fn all_dead_letters_are_discarded_before_the_answer_and_the_next_run() {
    let mut driver = given_up();
    let call = CallId::new(8);
    let ((), effects) = turn(2, |turn| driver.discard(turn, call, None));
    let [Effect::Later { call: next }] = effects[..] else { panic!("{effects:?}") };
    let effects = input(&mut driver, 3, Input::Later { call: next });
    let [Effect::Discarded { call: answered, outcome: Ok(true) }, Effect::Soon] = effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(answered, call);
    assert_eq!(driver.machine().status().unwrap().dead_letters, 0);
    assert!(input(&mut driver, 4, Input::Later { call: next }).is_empty(), "it was answered");
}

#[test]
fn one_dead_letter_is_discarded_in_one_turn() {
    let mut driver = given_up();
    let letter = driver.machine().dead_letters(0, 1).unwrap().letters.first().map(|letter| letter.id);
    let ((), effects) = turn(2, |turn| driver.discard(turn, CallId::new(8), letter));
    assert!(
        matches!(effects[..], [Effect::Discarded { outcome: Ok(true), .. }, Effect::Soon]),
        "{effects:?}"
    );
    let ((), effects) = turn(3, |turn| driver.discard(turn, CallId::new(9), letter));
    assert!(matches!(effects[..], [Effect::Discarded { outcome: Ok(false), .. }]), "{effects:?}");
}
