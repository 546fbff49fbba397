//! How a driver attempts timers: one by one, each in its turn among the commands, with forwards in between.

use sillok::gateway::AggregateInput;
use sillok::store::limits::PENDING_ATTEMPTS;
use sillok::store::{PendingKind, PendingState};

use crate::object::{Object, timer};
use crate::script::{Act, Asked, set};

fn timers(count: u64, at: u64) -> Vec<Act> {
    (0..count).map(|n| set(&format!("t-{n:04}"), at, Asked::event(n))).collect()
}

#[test]
fn a_thousand_timers_that_are_due_at_once_run_one_by_one_with_forwards_in_between() {
    let mut object = Object::new();
    object.decide(timers(1000, 60_000));
    object.trace.clear();
    object.ring();
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (1000, 0));
    let (mut forwarded, mut decided) = (0_usize, 0_usize);
    for happened in &object.trace {
        match *happened {
            "forward" => forwarded += 1,
            "decided" => decided += 1,
            _ => {}
        }
        assert!(forwarded + 2 >= decided, "{forwarded} forwards after {decided} timers");
    }
    assert_eq!((decided, forwarded), (1000, 1000));
    let sets = object.bell.sets();
    assert!(sets.len() <= 3, "the alarm was set {} times", sets.len());
}

#[test]
fn a_command_waits_for_one_timer_at_most() {
    let mut object = Object::new();
    object.decide(timers(100, 60_000));
    object.trace.clear();
    object.ring_at(60_000);
    while object.version() < 10 {
        object.step();
    }
    object.ask(Asked::event(7).command());
    while object.outcomes.is_empty() {
        assert!(object.step());
    }
    assert!(object.version() <= 12, "{} timers came first", object.version() - 11);
    object.run();
    assert_eq!(object.version(), 101);
}

#[test]
fn one_timer_waits_for_its_turn_at_a_time() {
    let mut object = Object::new();
    object.decide(timers(100, 60_000));
    object.ring_at(60_000);
    (0..20).for_each(|_| object.input(AggregateInput::Continue));
    object.ask(Asked::event(7).command());
    while object.outcomes.is_empty() {
        assert!(object.step());
    }
    assert_eq!(object.version(), 2, "one timer, and the command");
}

#[test]
fn a_timer_that_always_fails_does_not_hold_up_the_others() {
    let mut object = Object::new();
    let mut acts = vec![set("a-first", 50_000, Asked::Throw), set("t-0005", 55_000, Asked::Unknown)];
    acts.extend(
        timers(20, 60_000).into_iter().filter(|act| !matches!(act, Act::Set(key, ..) if key == "t-0005")),
    );
    acts.push(set("z-last", 60_000, Asked::Throw));
    object.decide(acts);
    object.ring_at(60_000);
    object.run();
    assert_eq!(object.version(), 19);
    let failed =
        |object: &Object, key| object.pending(&timer(key)).map(|pending| (pending.failed, pending.state));
    assert_eq!(failed(&object, "t-0005"), Some((1, PendingState::Parked)));
    let mut attempts = 1;
    while failed(&object, "a-first").unwrap().1 != PendingState::Parked {
        assert_eq!(failed(&object, "a-first").unwrap().0, attempts);
        assert_eq!(failed(&object, "z-last").unwrap().0, attempts);
        let at = object.bell.at().unwrap();
        assert!(at > object.now && at <= object.now + 300_000, "{at} at {}", object.now);
        object.ring();
        attempts = failed(&object, "a-first").unwrap().0;
    }
    assert_eq!(attempts, PENDING_ATTEMPTS);
    while object.bell.at().is_some() {
        object.ring();
    }
    assert_eq!(failed(&object, "z-last").unwrap().0, PENDING_ATTEMPTS);
}

#[test]
fn a_parked_timer_that_is_retried_runs_at_once() {
    let mut object = Object::new();
    object.decide(vec![set("a", 1, Asked::event(1))]);
    object.play.throws.set(true);
    object.ask(Asked::Do(vec![]).command());
    object.run();
    assert_eq!(object.version(), 1);
    object.play.throws.set(false);
    object.decide(vec![set("a", 1, Asked::Unknown)]);
    assert_eq!(object.pending(&timer("a")).unwrap().state, PendingState::Parked);
    let decisions = object.play.asked.borrow().len();
    let (retried, effects) = crate::turn(object.now, |turn| object.driver.retry_pending(turn, &timer("a")));
    assert!(retried.unwrap() && effects.len() == 1, "{effects:?}");
    object.input(AggregateInput::Continue);
    object.run();
    assert_eq!(object.play.asked.borrow().len(), decisions + 1);
}

#[test]
fn a_storage_failure_waits_for_the_alarm() {
    let mut object = Object::new();
    object.decide(timers(10, 60_000));
    object.play.asked.take();
    object.ring_at(60_000);
    object.disk.breaks(true);
    object.run();
    assert_eq!((object.version(), object.play.asked.take().len()), (0, 1), "one attempt");
    assert_eq!(object.overs.len(), 1);
    object.disk.breaks(false);
    for _ in 0..3 {
        object.touch();
    }
    assert_eq!((object.version(), object.play.asked.take().len()), (0, 0), "requests do not attempt it");
    assert_eq!(object.bell.at(), Some(65_000));
    object.ring();
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (10, 0));
}

#[test]
fn a_crash_at_any_step_runs_each_timer_once() {
    for steps in 0.. {
        let mut object = Object::new();
        object.decide(timers(5, 60_000));
        object.ring_at(60_000);
        let crashed = (0..steps).all(|_| object.step());
        object.restart();
        // The platform repeats an alarm whose work has not ended, and rings again if one was set.
        object.ring_at(60_000);
        object.run();
        while object.bell.at().is_some() {
            object.ring();
        }
        assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (5, 0), "{steps} steps");
        if !crashed {
            assert!(steps > 20, "{steps} steps");
            return;
        }
    }
}

#[test]
fn a_stream_without_code_attempts_nothing() {
    let mut object = Object::new();
    object.decide(timers(3, 60_000));
    let (stream, bell) = (crate::object::process(), object.bell.clone());
    let log = sillok::store::sqlite::StreamTable::new(object.disk.clone());
    object.driver = sillok::gateway::AggregateDriver::new(stream, log, bell);
    object.ring();
    assert_eq!((object.version(), object.overs.len()), (0, 1));
    // It rings again, but rarely. A deployment with the code runs them.
    assert_eq!(object.bell.at(), Some(object.now + 3_600_000));
    object.ring();
    assert_eq!(object.bell.at(), Some(object.now + 3_600_000));
    object.restart();
    object.ring();
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (3, 0));
}
