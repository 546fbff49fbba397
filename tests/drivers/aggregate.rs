//! The driver of an aggregate.

use sillok::gateway::{
    AggregateDriver, AggregateEffect as Effect, AggregateInput as Input, CallId, Forget, ForgetError,
};
use sillok::store::sqlite::StreamTable;
use sillok::store::{Append, EventId, JsonText, NewEvent, StreamId, Version};

use crate::database::Database;
use crate::{Clock, turn};

type Driver = AggregateDriver<StreamTable<Database>, Clock>;

fn account() -> StreamId {
    StreamId::new("account-1").unwrap()
}

fn driver() -> Driver {
    AggregateDriver::new(account(), StreamTable::new(Database::in_memory()), Clock::default())
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

fn append(driver: &mut Driver, now: u64) -> Vec<Effect> {
    let event = NewEvent::new("Counted", JsonText::parse("1").unwrap()).unwrap();
    let append = Append::to(account(), vec![event]);
    let (appended, effects) =
        turn(now, |turn| driver.append(turn, append, &mut || EventId::new("a").unwrap()));
    appended.unwrap();
    effects
}

fn input(driver: &mut Driver, now: u64, input: Input) -> Vec<Effect> {
    turn(now, |turn| driver.input(turn, input)).1
}

/// The call of the only forward among these effects.
fn forwarded(effects: &[Effect]) -> CallId {
    let [Effect::Forward { call, .. }] = effects else { panic!("{effects:?}") };
    *call
}

#[test]
fn followers_learn_of_an_append_before_it_is_forwarded() {
    let mut driver = driver();
    let effects = append(&mut driver, 0);
    assert!(matches!(effects[..], [Effect::FindAlarm, Effect::Grown(_), Effect::Soon]), "{effects:?}");
    let effects = append(&mut driver, 1);
    assert!(matches!(effects[..], [Effect::Grown(_), Effect::Soon]), "{effects:?}");
}

#[test]
fn one_forward_is_under_way_at_a_time_and_a_late_answer_is_ignored() {
    let mut driver = driver();
    append(&mut driver, 0);
    let first = forwarded(&input(&mut driver, 0, Input::Continue));
    append(&mut driver, 1);
    assert!(input(&mut driver, 1, Input::Continue).is_empty());
    // The alarm gives the forward up. Its answer comes after the same was sent once more.
    let second = forwarded(&input(&mut driver, 6_000, Input::Rang));
    let late = Input::Answered { call: first, version: Some(version(1)) };
    assert!(input(&mut driver, 6_001, late).is_empty());
    let answered = Input::Answered { call: second, version: Some(version(2)) };
    let effects = input(&mut driver, 6_002, answered);
    assert!(matches!(effects[..], [Effect::AlarmOver(Ok(()))]), "{effects:?}");
}

#[test]
fn the_alarm_is_over_only_after_its_work() {
    let mut driver = driver();
    append(&mut driver, 0);
    let call = forwarded(&input(&mut driver, 5_000, Input::Rang));
    let effects = input(&mut driver, 5_001, Input::Answered { call, version: None });
    assert!(matches!(effects[..], [Effect::AlarmOver(Ok(()))]), "the next attempt is set: {effects:?}");
}

#[test]
fn a_truncation_waits_for_the_journal_and_is_answered_after_the_removal() {
    let mut driver = driver();
    for now in 0..3_500 {
        append(&mut driver, now);
    }
    let (call, forget) = (CallId::new(7), Forget::Before(version(3_500)));
    let ((), effects) = turn(4_000, |turn| driver.forget(turn, call, forget));
    assert!(matches!(effects[..], [Effect::Soon]), "the journal has nothing yet: {effects:?}");
    let sent = forwarded(&input(&mut driver, 2_000, Input::Continue));
    let answered = Input::Answered { call: sent, version: Some(version(3_500)) };
    let effects = input(&mut driver, 2_001, answered);
    assert!(matches!(effects[..], [Effect::TryAgain { .. }]), "{effects:?}");
    let effects = input(&mut driver, 2_001, Input::TryAgain { call });
    assert!(matches!(effects[..], [Effect::Soon, Effect::Later]), "a page is left: {effects:?}");
    let mut pages = 1;
    loop {
        pages += 1;
        match &input(&mut driver, 2_002, Input::Remove)[..] {
            [Effect::Later] => {}
            [Effect::Forgot { call: answered, outcome: Ok(_) }] => break assert_eq!(*answered, call),
            effects => panic!("{effects:?}"),
        }
    }
    assert!(pages > 1, "{pages}");
}

#[test]
fn a_journal_that_does_not_answer_lets_nothing_be_forgotten() {
    let mut driver = driver();
    append(&mut driver, 0);
    let call = CallId::new(1);
    turn::<_, Effect>(1, |turn| driver.forget(turn, call, Forget::All));
    let sent = forwarded(&input(&mut driver, 1, Input::Continue));
    let mut effects = input(&mut driver, 2, Input::Answered { call: sent, version: None });
    // Each attempt takes a turn: it looks, and asks for the next forward, which waits for the alarm.
    for _ in 0..10 {
        effects = match effects.pop().unwrap() {
            Effect::TryAgain { call } => input(&mut driver, 3, Input::TryAgain { call }),
            Effect::Soon => input(&mut driver, 3, Input::Continue),
            Effect::Forgot { outcome, .. } => {
                assert_eq!(outcome, Err(ForgetError::NotForwarded));
                return;
            }
            effect => panic!("{effect:?}"),
        };
    }
    panic!("the deletion is never answered");
}
