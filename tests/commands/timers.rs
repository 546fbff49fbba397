//! Timers: a timer and its events commit together, and it takes effect once, never early.

use super::world;
use crate::case::{Case, timer};
use crate::script::{Act, Asked, set};
use crate::world::{at, stream};
use sillok::ErrorCode;
use sillok::gateway::{CommandError, Step};
use sillok::store::limits::{PENDING_ATTEMPTS, STREAM_TIMERS};
use sillok::store::{DecisionLog, ExpectedVersion, PendingKind, PendingState};

fn case() -> Case<impl DecisionLog> {
    Case::new(world())
}

/// The state of a timer.
fn state<L: DecisionLog>(case: &Case<L>, key: &str) -> PendingState {
    case.pending(&timer(key)).unwrap().state
}

#[test]
fn a_timer_is_stored_with_its_events_or_not_at_all() {
    let mut case = case();
    let acts = vec![Act::Event(1), set("lapse", 5000, Asked::event(2))];
    let refused = Asked::Do(acts.clone()).command().expecting(ExpectedVersion::StreamExists);
    let error = case.execute(&refused).unwrap_err();
    assert_eq!(error.code(), ErrorCode::WrongExpectedVersion);
    case.play.throws.set(true);
    case.execute(&Asked::Do(acts.clone()).command()).unwrap_err();
    case.play.throws.set(false);
    assert_eq!((case.events().len(), case.timers().len()), (0, 0));
    assert!(case.decide(acts).changes_pending());
    assert_eq!((case.events(), case.timers()), (vec!["Counted 1".to_owned()], vec!["lapse".to_owned()]));
    case.restart();
    assert_eq!(state(&case, "lapse"), PendingState::Due(at(5000)));
    assert!(!case.decide(vec![Act::Event(3)]).changes_pending());
}

#[test]
fn a_timer_runs_once_and_never_early() {
    let mut case = case();
    case.decide(vec![set("lapse", 5000, Asked::event(2))]);
    case.world.now = 4999;
    assert_eq!(case.fire("lapse"), None);
    assert_eq!((case.events().len(), case.timers().len()), (0, 1));
    case.world.now = 5000;
    let executed = case.fire("lapse").unwrap();
    assert!(executed.is_written() && executed.changes_pending());
    assert_eq!((case.events(), case.timers()), (vec!["Counted 2".to_owned()], vec![]));
    for _ in 0..2 {
        assert_eq!(case.fire("lapse"), None);
        case.restart();
    }
    assert_eq!(case.events().len(), 1);
}

#[test]
fn a_timer_in_the_past_may_run_at_once() {
    let mut case = case();
    case.world.now = 9000;
    case.decide(vec![set("lapse", 1, Asked::event(2))]);
    assert!(case.fire("lapse").is_some());
    assert_eq!(case.events(), ["Counted 2"]);
}

#[test]
fn a_timer_without_an_effect_is_done() {
    let mut case = case();
    case.decide(vec![set("lapse", 1, Asked::Do(vec![]))]);
    let executed = case.fire("lapse").unwrap();
    assert_eq!((executed.is_written(), executed.changes_pending()), (false, true));
    assert_eq!((case.events().len(), case.timers().len()), (0, 0));
}

#[test]
fn a_timer_that_is_set_again_is_replaced() {
    let mut case = case();
    case.decide(vec![set("lapse", 2000, Asked::event(1)), set("lapse", 5000, Asked::event(2))]);
    case.decide(vec![set("other", 2000, Asked::event(9)), set("lapse", 6000, Asked::event(3))]);
    case.world.now = 5999;
    assert_eq!(case.fire("lapse"), None);
    case.world.now = 6000;
    case.fire("lapse").unwrap();
    assert_eq!((case.events(), case.timers()), (vec!["Counted 3".to_owned()], vec!["other".to_owned()]));
}

#[test]
fn a_timer_that_sets_itself_runs_again() {
    let mut case = case();
    let last = Asked::event(3);
    let second = Asked::Do(vec![Act::Event(2), set("tick", 3000, last)]);
    case.decide(vec![set("tick", 2000, Asked::Do(vec![Act::Event(1), set("tick", 2500, second)]))]);
    for now in [2000, 2500, 3000] {
        case.world.now = now;
        case.fire("tick").unwrap();
        assert_eq!(case.fire("tick"), None, "at {now}");
    }
    assert_eq!(case.events(), ["Counted 1", "Counted 2", "Counted 3"]);
    assert_eq!(case.timers(), [""; 0]);
}

#[test]
fn a_cancelled_timer_does_not_run() {
    let mut case = case();
    let cancel = || Act::Cancel("lapse".to_owned());
    case.decide(vec![set("lapse", 5000, Asked::event(1))]);
    case.decide(vec![cancel(), Act::Cancel("none".to_owned())]);
    assert_eq!(case.timers(), [""; 0]);
    case.decide(vec![set("lapse", 5000, Asked::event(1)), cancel()]);
    assert_eq!(case.timers(), [""; 0]);
    case.decide(vec![cancel(), set("lapse", 5000, Asked::event(2))]);
    assert_eq!(case.timers(), ["lapse"]);
    assert!(case.cancel(&timer("lapse")));
    assert!(!case.cancel(&timer("lapse")));
    case.world.now = 9000;
    assert_eq!(case.fire("lapse"), None);
    assert_eq!(case.events(), [""; 0]);
}

/// The history is longer than a page, so that other commands have their turn before the timer.
#[test]
fn a_timer_that_is_cancelled_before_its_turn_does_not_run() {
    let mut case = case();
    case.decide(vec![set("lapse", 1, Asked::event(1))]);
    for _ in 0..2 {
        case.decide((0..1000).map(Act::Event).collect());
    }
    case.restart();
    assert_eq!(case.fire_step("lapse"), Ok(Step::More));
    case.cancel(&timer("lapse"));
    assert_eq!(case.fire("lapse"), None);
    assert_eq!(case.events().len(), 1000, "of the first page");
    assert_eq!(case.world.version(), 2000);
}

#[test]
fn a_rejected_timer_is_done_and_visible() {
    let mut case = case();
    case.decide(vec![set("lapse", 1, Asked::Refuse)]);
    let executed = case.fire("lapse").unwrap();
    assert_eq!(executed.rejection().unwrap().as_str(), r#"{"code":"no","data":1}"#);
    let shown = case.pending(&timer("lapse")).unwrap();
    assert_eq!((shown.state, shown.failed), (PendingState::Rejected, 0));
    assert_eq!(shown.error.unwrap().as_str(), r#"{"code":"no","data":1}"#);
    case.asked();
    case.restart();
    assert_eq!((case.fire("lapse"), case.asked().len()), (None, 0));
    assert!(!case.retry(&timer("lapse")), "it is done");
    case.decide(vec![set("lapse", 1, Asked::event(1))]);
    assert_eq!(case.pending(&timer("lapse")).unwrap().error, None);
    case.fire("lapse").unwrap();
    assert_eq!(case.timers(), [""; 0]);
}

#[test]
fn a_timer_that_fails_is_attempted_later_and_then_parked() {
    let mut case = case();
    case.decide(vec![set("lapse", 1000, Asked::Throw), set("other", 1000, Asked::event(1))]);
    let mut wait = 250;
    for failed in 1..=PENDING_ATTEMPTS {
        assert_eq!(case.fire("lapse"), None);
        let pending = case.pending(&timer("lapse")).unwrap();
        assert_eq!(pending.failed, failed);
        assert_eq!(pending.error.unwrap().as_str(), r#"{"code":"decider_failed","detail":"thrown"}"#);
        assert_eq!(pending.at, at(1000), "the time for which it was set");
        if failed < PENDING_ATTEMPTS {
            assert_eq!(pending.state, PendingState::Due(at(case.world.now + wait)), "{failed}");
            case.world.now += wait - 1;
            case.asked();
            assert_eq!((case.fire("lapse"), case.asked().len()), (None, 0), "it waits");
            case.world.now += 1;
            wait = (2 * wait).min(150_000);
        }
    }
    assert_eq!(state(&case, "lapse"), PendingState::Parked);
    case.world.now += 1_000_000;
    case.asked();
    assert_eq!((case.fire("lapse"), case.asked().len()), (None, 0), "it is parked");
    case.fire("other").unwrap();
    assert_eq!(case.events(), ["Counted 1"], "the other is not held up");
}

#[test]
fn a_timer_that_fails_and_then_succeeds_runs_once() {
    let mut case = case();
    case.decide(vec![set("lapse", 1000, Asked::event(1))]);
    case.play.throws.set(true);
    assert_eq!(case.fire("lapse"), None);
    case.play.throws.set(false);
    case.world.now += 250;
    case.fire("lapse").unwrap();
    assert_eq!((case.events(), case.timers()), (vec!["Counted 1".to_owned()], vec![]));
}

#[test]
fn a_timer_that_can_never_succeed_is_parked_at_once() {
    let mut case = case();
    case.decide(vec![set("lapse", 1000, Asked::Unknown)]);
    assert_eq!(case.fire("lapse"), None);
    let parked = case.pending(&timer("lapse")).unwrap();
    assert_eq!((parked.state, parked.failed), (PendingState::Parked, 1));
    assert_eq!(parked.error.unwrap().as_str(), r#"{"code":"unknown_command","detail":"unknown"}"#);
}

#[test]
fn a_parked_timer_is_retried_from_its_first_attempt_on() {
    let mut case = case();
    case.decide(vec![set("lapse", 1000, Asked::Throw), set("due", 1000, Asked::event(1))]);
    case.fail(&timer("lapse"), ErrorCode::UnknownCommand);
    case.restart();
    case.world.now = 7000;
    assert!(!case.retry(&timer("due")), "it is not parked");
    assert!(!case.retry(&timer("none")));
    assert!(case.retry(&timer("lapse")));
    let again = case.pending(&timer("lapse")).unwrap();
    assert_eq!((again.state, again.failed, again.at), (PendingState::Due(at(7000)), 0, at(1000)));
    assert_eq!(case.fire("lapse"), None);
    assert_eq!(state(&case, "lapse"), PendingState::Due(at(7250)));
}

#[test]
fn a_stream_has_1000_timers_at_most() {
    let mut case = case();
    let key = |number: usize| format!("t-{number:04}");
    let timers = |range: std::ops::Range<usize>| range.map(|n| set(&key(n), 1, Asked::Refuse)).collect();
    case.decide(timers(0..STREAM_TIMERS));
    let mut one_more: Vec<Act> = timers(STREAM_TIMERS..STREAM_TIMERS + 1);
    one_more.push(Act::Event(1));
    let command = Asked::Do(one_more.clone()).command();
    let error = case.execute(&command).unwrap_err();
    assert_eq!(error, CommandError::TooManyTimers { stream: stream() });
    assert_eq!(error.code(), ErrorCode::TooManyTimers);
    assert_eq!((case.events().len(), case.timers().len()), (0, STREAM_TIMERS));
    // A timer that replaces another, and one that takes the place of another, need no more room.
    case.decide(timers(0..1));
    case.decide([vec![Act::Cancel(key(999))], timers(1000..1001)].concat());
    assert_eq!(case.timers().len(), STREAM_TIMERS);
    assert!(!case.timers().contains(&key(999)));
    // A parked timer makes no room, and a rejected one does.
    case.fail(&timer(&key(3)), ErrorCode::UnknownCommand);
    case.execute(&Asked::Do(timers(1001..1002)).command()).unwrap_err();
    case.fire(&key(7)).unwrap();
    case.decide(timers(1001..1002));
    assert_eq!(case.timers().len(), STREAM_TIMERS);
    assert_eq!((case.pending(&timer(&key(7))), state(&case, &key(3))), (None, PendingState::Parked));
    // A timer that runs makes room for what it sets.
    case.decide(vec![set(&key(0), 1, Asked::Do(timers(1002..1003)))]);
    case.fire(&key(0)).unwrap();
    assert_eq!(case.all(PendingKind::Timer).len(), STREAM_TIMERS);
}

#[test]
fn a_dry_run_writes_no_timer() {
    let mut case = case();
    case.decide(vec![set("lapse", 1, Asked::event(2))]);
    let acts = vec![Act::Event(1), set("new", 1, Asked::Refuse), Act::Cancel("lapse".to_owned())];
    let executed = case.decide_dry(acts.clone());
    assert_eq!((executed.is_written(), executed.changes_pending()), (false, false));
    assert_eq!((case.events().len(), case.timers()), (0, vec!["lapse".to_owned()]));
    let executed = case.decide(acts);
    assert_eq!((executed.is_written(), executed.changes_pending()), (true, true));
}

#[test]
fn a_repeat_of_a_command_sets_no_timer_again() {
    let mut case = case();
    let command = Asked::Do(vec![set("lapse", 1, Asked::event(2))]).command();
    let command = command.with_id(crate::world::key("k-1"));
    case.execute(&command).unwrap();
    case.fire("lapse").unwrap();
    let again = case.execute(&command).unwrap();
    assert_eq!((again.replayed, again.changes_pending()), (true, false));
    assert_eq!((case.fire("lapse"), case.events().len()), (None, 1));
}

#[test]
fn a_deleted_stream_has_no_timers() {
    let mut case = case();
    case.decide(vec![Act::Event(1), set("lapse", 1, Asked::event(2))]);
    case.world.store.delete(&stream()).unwrap();
    assert_eq!((case.fire("lapse"), case.timers()), (None, vec![]));
    case.execute(&Asked::Do(vec![set("lapse", 1, Asked::event(2))]).command()).unwrap_err();
    assert_eq!(case.timers(), [""; 0]);
}
