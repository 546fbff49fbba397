//! The end of a process, and inputs that come too early or too late.

use super::world;
use crate::case::{Case, timer};
use crate::script::{Act, Asked, send, set};
use crate::world::version;
use sillok::ErrorCode;
use sillok::handler::{Answer, Input};
use sillok::store::{DecisionLog, PendingState};

fn case() -> Case<impl DecisionLog> {
    Case::new(world())
}

fn accepted() -> Answer {
    Answer::Accepted { version: version(3) }
}

const ENDED: &str = r#"{"code":"process_ended"}"#;

#[test]
fn the_end_of_a_process_removes_its_timers() {
    let mut case = case();
    case.decide(vec![set("a", 5000, Asked::event(1)), set("refused", 1, Asked::Refuse)]);
    case.fire("refused").unwrap();
    case.decide(vec![set("parked", 1, Asked::Unknown)]);
    case.fire("parked");
    assert_eq!(case.timers().len(), 3);
    case.decide(vec![Act::Event(1), set("last", 1, Asked::event(2)), send("debit", "account-a"), Act::End]);
    assert_eq!(case.timers(), [""; 0], "also the one that the last decision has set");
    assert_eq!(case.sent().len(), 1, "what the last decision has sent is delivered");
    case.world.now = 9000;
    assert_eq!(case.fire("a"), None);
    assert_eq!(case.events(), ["Counted 1", "Ended null"]);
}

#[test]
fn a_timer_may_end_its_process() {
    let mut case = case();
    case.decide(vec![set("a", 5000, Asked::event(1)), set("lapse", 1, Asked::Do(vec![Act::End]))]);
    case.fire("lapse").unwrap();
    assert_eq!((case.events(), case.timers()), (vec!["Ended null".to_owned()], vec![]));
}

#[test]
fn late_events_and_answers_do_nothing_and_late_commands_are_rejected() {
    let mut case = case();
    case.decide(vec![send("debit", "account-a"), send("credit", "account-b"), Act::End]);
    let [debit, credit] = case.sent().try_into().unwrap();
    case.asked();
    for round in 0..2 {
        let executed = case.execute(&Asked::event(1).command()).unwrap();
        assert_eq!(executed.rejection().unwrap().as_str(), ENDED);
        for starts in [true, false] {
            let executed = case.event(&format!("e-{round}-{starts}"), starts, vec![Act::Event(2)]);
            assert_eq!((executed.is_written(), executed.rejection()), (false, None));
        }
        let key = if round == 0 { &debit } else { &credit };
        let executed = case.answer(key, &accepted()).unwrap();
        assert_eq!((executed.is_written(), executed.changes_pending()), (false, true));
        case.restart();
    }
    assert_eq!(case.asked(), [""; 0], "the code is not asked");
    assert_eq!((case.events(), case.sent()), (vec!["Ended null".to_owned()], vec![]));
}

/// A repeat of the command that has ended the process gets its outcome.
#[test]
fn the_command_that_ends_a_process_can_be_repeated() {
    let mut case = case();
    let end = Asked::Do(vec![Act::End]).command().with_id(crate::world::key("k-1"));
    case.execute(&end).unwrap();
    let again = case.execute(&end).unwrap();
    assert_eq!((again.replayed, again.rejection()), (true, None));
    let late = Asked::event(1).command().with_id(crate::world::key("k-2"));
    assert_eq!(case.execute(&late).unwrap().rejection().unwrap().as_str(), ENDED);
    let again = case.execute(&late).unwrap();
    assert_eq!((again.replayed, again.rejection().unwrap().as_str()), (true, ENDED));
}

#[test]
fn early_events_do_nothing() {
    let mut case = case();
    let executed = case.event("e-1", false, vec![Act::Event(1), set("a", 1, Asked::event(9))]);
    assert_eq!((executed.is_written(), executed.changes_pending()), (false, false));
    assert_eq!((case.events(), case.timers(), case.asked()), (vec![], vec![], vec![]));
    case.event("e-2", true, vec![Act::Event(2)]);
    case.event("e-3", false, vec![Act::Event(3)]);
    // Nothing was stored of the event that came too early. If it comes again, it is in time.
    assert!(!case.event("e-1", false, vec![Act::Event(1)]).replayed);
    assert!(case.event("e-1", false, vec![Act::Event(1)]).replayed);
    assert_eq!(case.events(), ["Counted 2", "Counted 3", "Counted 1"]);
}

#[test]
fn a_command_begins_a_process_too() {
    let mut case = case();
    case.decide(vec![Act::Event(1)]);
    case.event("e-1", false, vec![Act::Event(2)]);
    assert_eq!(case.events(), ["Counted 1", "Counted 2"]);
}

#[test]
fn an_event_is_taken_once() {
    let mut case = case();
    let acts = || vec![Act::Event(1), set("a", 5000, Asked::event(2)), send("debit", "account-a")];
    case.event("e-1", true, acts());
    for _ in 0..2 {
        case.restart();
        assert!(case.event("e-1", true, acts()).replayed);
    }
    assert_eq!((case.events().len(), case.timers().len(), case.sent().len()), (1, 1, 1));
}

#[test]
fn a_process_cannot_reject_an_event() {
    let mut case = case();
    let event = Asked::Refuse.command().as_input(Input::Event { starts: true });
    let error = case.execute(&event).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeciderFailed);
    assert!(error.to_string().contains("return []"), "{error}");
}

/// The code of a process may be changed so that a running instance has ended. Its timers are then rejected.
#[test]
fn a_timer_of_a_process_that_ends_by_new_code_is_rejected() {
    let mut case = case();
    case.play.set(|settings| settings.may_end = false);
    case.decide(vec![set("a", 1, Asked::event(1)), Act::Event(1)]);
    case.world.append_events(vec![
        sillok::store::NewEvent::new("Ended", sillok::store::JsonText::null()).unwrap(),
    ]);
    case.play.set(|settings| settings.may_end = true);
    case.restart();
    assert_eq!(case.fire("a").unwrap().rejection().unwrap().as_str(), ENDED);
    assert_eq!(case.pending(&timer("a")).unwrap().state, PendingState::Rejected);
}
