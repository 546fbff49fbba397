//! One alarm serves the forwards and the pending commands. It is never set later than needed, and each set has a price.

use sillok::gateway::AggregateInput as Input;
use sillok::store::PendingKind;

use crate::object::{Object, timer};
use crate::script::{Act, Asked, send, set};

const DAY: u64 = 24 * 60 * 60 * 1000;

#[test]
fn a_timer_sets_the_alarm_once_for_its_time() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1))]);
    assert_eq!(object.bell.sets(), [60_000]);
    object.decide(vec![set("later", 70_000, Asked::event(1)), set("a", 65_000, Asked::event(1))]);
    assert_eq!(object.bell.sets(), [0; 0], "it is set early enough");
    object.decide(vec![set("earlier", 50_000, Asked::event(1)), set("latest", 90_000, Asked::event(1))]);
    assert_eq!(object.bell.sets(), [50_000], "one set for all timers of a decision");
    object.decide(vec![]);
    assert_eq!(object.bell.sets(), [0; 0]);
}

#[test]
fn a_decision_with_events_and_a_timer_sets_one_alarm() {
    let mut object = Object::new();
    object.decide(vec![Act::Event(1), set("a", 3_600_000, Asked::event(1))]);
    assert_eq!(object.bell.sets(), [6000], "the forward needs it first");
    for _ in 0..20 {
        object.decide(vec![Act::Event(1)]);
    }
    assert_eq!(object.bell.sets(), [0; 0]);
    object.ring();
    assert_eq!(object.bell.sets(), [3_600_000], "then the timer needs it");
    // An earlier timer than the forward is served first.
    object.decide(vec![Act::Event(1), set("b", object.now + 100, Asked::Do(vec![]))]);
    assert_eq!(object.bell.sets(), [object.now + 100]);
}

#[test]
fn the_alarm_is_set_again_after_it_rang_for_the_next_timer() {
    let mut object = Object::new();
    object.decide((1..=5).map(|n| set(&format!("t-{n}"), n * 10_000, Asked::Do(vec![]))).collect());
    assert_eq!(object.bell.sets(), [10_000]);
    for n in 1..=5 {
        object.ring();
        assert_eq!((object.now, object.count_pending(PendingKind::Timer)), (n * 10_000, 5 - n as usize));
        // A timer that is due runs now. The alarm guards its run, and then waits for the next one.
        let sets = object.bell.sets();
        assert_eq!(sets.first(), Some(&(object.now + 5000)), "{sets:?}");
        assert!(sets.len() <= 2, "{sets:?}");
        object.ring();
        assert_eq!(object.bell.at(), (n < 5).then_some((n + 1) * 10_000));
        object.bell.sets();
    }
    assert_eq!(object.bell.at(), None);
}

#[test]
fn an_alarm_that_rings_early_runs_nothing_and_is_set_again() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1))]);
    object.bell.sets();
    object.ring_at(59_999);
    object.run();
    assert_eq!((object.version(), object.bell.sets()), (0, vec![60_000]));
    object.ring();
    assert_eq!(object.version(), 1);
}

#[test]
fn a_timer_in_the_past_runs_at_once() {
    let mut object = Object::new();
    object.decide(vec![set("a", 1, Asked::event(1)), set("b", 1000, Asked::event(2))]);
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (2, 0));
    assert_eq!(object.bell.sets(), [6000], "the alarm repeats it after a crash");
}

#[test]
fn a_timer_300_days_ahead_runs_at_its_time() {
    let mut object = Object::new();
    let due = 1000 + 300 * DAY;
    object.decide(vec![set("a", due, Asked::event(1))]);
    let mut rings = 0;
    while object.version() == 0 {
        object.restart();
        object.touch();
        let at = object.bell.at().unwrap();
        assert!(at > object.now && at <= due && at - object.now <= 30 * DAY);
        object.ring();
        rings += 1;
    }
    assert_eq!((object.now, rings), (due, 10));
}

#[test]
fn an_object_finds_the_alarm_of_its_earlier_start() {
    let mut object = Object::new();
    object.decide(vec![set("a", 10 * DAY, Asked::event(1))]);
    object.bell.sets();
    for _ in 0..3 {
        object.restart();
        object.touch();
        object.now += DAY;
        object.decide(vec![]);
    }
    assert_eq!(object.bell.sets(), [0; 0], "it is set early enough");
    assert_eq!(object.count("forward"), 0);
    // A commit of a later start sets it for the forward, and the ring sets it for the timer again.
    object.decide(vec![Act::Event(1)]);
    assert_eq!(object.bell.sets(), [object.now + 5000]);
    object.ring();
    assert_eq!(object.bell.sets(), [10 * DAY]);
}

#[test]
fn an_alarm_that_was_lost_is_set_again() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1))]);
    object.bell.sets();
    object.bell.lose();
    object.restart();
    object.touch();
    assert_eq!(object.bell.sets(), [60_000], "there was none");
    object.restart();
    object.now = 60_000 + 40_000;
    object.touch();
    assert_eq!(object.version(), 1, "it should have rung long ago");
}

#[test]
fn a_cancelled_timer_leaves_an_alarm_that_rings_once() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1))]);
    object.decide(vec![Act::Cancel("a".to_owned())]);
    assert_eq!(object.bell.sets(), [60_000]);
    object.ring();
    assert_eq!((object.version(), object.bell.sets(), object.bell.at()), (0, vec![], None));
    assert_eq!(object.count("over"), 1);
}

#[test]
fn a_timer_that_is_cancelled_after_the_alarm_rang_does_not_run() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1)), set("b", 60_000, Asked::event(1))]);
    object.ring_at(60_000);
    object.cancel(&timer("a"));
    object.run();
    assert_eq!(object.version(), 1, "only the other one runs");

    // A command that came before has a long history to load. It cancels the timer before its turn.
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1))]);
    for _ in 0..2 {
        object.decide((0..1000).map(Act::Event).collect());
    }
    object.restart();
    object.now = 59_000;
    object.ask(Asked::Do(vec![Act::Cancel("a".to_owned())]).command());
    object.ring_at(60_000);
    object.run();
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (2000, 0));
}

#[test]
fn a_timer_without_an_alarm_is_not_stored() {
    let mut object = Object::new();
    object.bell.breaks(true);
    object.ask(Asked::Do(vec![set("a", 60_000, Asked::event(1))]).command());
    object.run();
    assert!(object.outcomes.pop().unwrap().is_err());
    assert_eq!(object.count_pending(PendingKind::Timer), 0);
}

/// A failed call may still have written.
#[test]
fn a_timer_that_a_failed_call_has_stored_runs() {
    let mut object = Object::new();
    object.decide(vec![set("first", 90_000, Asked::event(1))]);
    object.disk.fails_late(true);
    object.ask(Asked::Do(vec![set("a", 60_000, Asked::event(1))]).command());
    object.run();
    assert!(object.outcomes.pop().unwrap().is_err());
    object.disk.fails_late(false);
    assert_eq!(object.bell.at(), Some(60_000));
    object.ring();
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (1, 1));
    // The same for a timer that runs: it is done, although nobody was told.
    object.disk.fails_late(true);
    object.ring_at(90_000);
    object.run();
    object.disk.fails_late(false);
    object.ring();
    assert_eq!((object.version(), object.count_pending(PendingKind::Timer)), (2, 0));
}

#[test]
fn an_alarm_that_cannot_be_set_again_must_ring_again() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1)), set("b", 90_000, Asked::event(1))]);
    object.bell.breaks(true);
    object.ring_at(60_000);
    object.run();
    assert!(object.overs.pop().unwrap().is_err(), "the platform repeats the alarm");
    object.bell.breaks(false);
    object.ring_at(61_000);
    object.run();
    assert_eq!((object.version(), object.overs.pop()), (1, Some(Ok(()))));
}

/// No alarm rings, so the next request must begin with what is due.
#[test]
fn the_next_request_goes_on_if_the_alarm_could_not_be_set() {
    let mut object = Object::new();
    object.decide(vec![set("a", 60_000, Asked::event(1))]);
    object.bell.lose();
    object.restart();
    object.bell.breaks(true);
    object.touch();
    assert_eq!((object.bell.at(), object.count("log")), (None, 1));
    object.touch();
    assert_eq!((object.bell.at(), object.count("log")), (None, 1), "each request tries once");
    object.bell.breaks(false);
    object.touch();
    assert_eq!(object.bell.at(), Some(60_000));
}

/// A command that waits for its answer is due all the time. It must not hide the next timer.
#[test]
fn a_command_without_an_answer_does_not_delay_a_timer() {
    let mut object = Object::new();
    object.decide(vec![send("debit", "account-a")]);
    assert_eq!(object.bell.at(), Some(6000));
    object.now = 2000;
    object.decide(vec![set("a", 3000, Asked::Do(vec![]))]);
    assert_eq!(object.bell.at(), Some(3000));
    object.decide(vec![set("b", 7500, Asked::Do(vec![]))]);
    object.ring();
    assert_eq!((object.count_pending(PendingKind::Timer), object.bell.at()), (1, Some(7500)));
    object.restart();
    object.bell.lose();
    object.now = 4000;
    object.touch();
    assert_eq!(object.bell.at(), Some(7500));
}

#[test]
fn a_forward_that_fails_does_not_delay_a_timer() {
    let mut object = Object::new();
    object.journal = false;
    object.decide(vec![Act::Event(1), set("a", 1300, Asked::Do(vec![])), send("debit", "account-a")]);
    assert_eq!(object.bell.at(), Some(1300));
    object.ring();
    assert_eq!(object.count_pending(PendingKind::Timer), 0, "it runs while the forward has no answer");
    object.input(Input::Continue);
    object.run();
    assert_eq!(object.count("over"), 0, "the platform repeats the alarm after a crash");
    object.decide(vec![set("b", object.now + 300, Asked::Do(vec![]))]);
    assert_eq!(object.bell.at(), Some(object.now + 300));
}
