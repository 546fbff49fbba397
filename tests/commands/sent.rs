//! Sent commands: each is durable with its decision, has one id, and is answered once.

use super::world;
use crate::case::{Case, timer};
use crate::script::{Act, Asked, send, set};
use crate::world::{at, stream, version};
use sillok::ErrorCode;
use sillok::gateway::{CommandError, SentWork};
use sillok::handler::{Answer, Input};
use sillok::store::limits::{PENDING_ATTEMPTS, STREAM_SENT};
use sillok::store::{
    DecisionLog, ExpectedVersion, IdempotencyKey, JsonText, KeyOrigin, PendingKey, PendingState,
};

fn case() -> Case<impl DecisionLog> {
    Case::new(world())
}

fn accepted() -> Answer {
    Answer::Accepted { version: version(3) }
}

fn rejected() -> Answer {
    Answer::Rejected { rejection: JsonText::parse(r#"{"code":"too_little","data":{"cents":1}}"#).unwrap() }
}

/// A case that has sent one command, and the id of the command.
fn with_one() -> (Case<impl DecisionLog>, PendingKey) {
    let mut case = case();
    case.decide(vec![Act::Event(1), send("debit", "account-\"a\"")]);
    let [key] = case.sent().try_into().unwrap();
    (case, key)
}

#[test]
fn a_command_is_sent_with_its_events_or_not_at_all() {
    let mut case = case();
    let asked = Asked::Do(vec![Act::Event(1), send("debit", "account-a")]);
    case.execute(&asked.command().expecting(ExpectedVersion::StreamExists)).unwrap_err();
    case.play.set(|settings| settings.may_end = false);
    let error = case.execute(&asked.command()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeciderFailed, "only a process sends commands");
    assert_eq!((case.events().len(), case.sent().len()), (0, 0));
    case.play.set(|settings| settings.may_end = true);
    assert!(case.execute(&asked.command()).unwrap().changes_pending());
    assert_eq!((case.events().len(), case.sent().len()), (1, 1));
}

#[test]
fn a_command_has_the_same_id_at_every_attempt() {
    let (mut case, key) = with_one();
    let first = case.sending(&key).unwrap();
    assert_eq!(first.receiver.as_str(), "account-\"a\"");
    assert_eq!(first.command.command_type(), "Do");
    assert_eq!(first.command.data().as_str(), r#"[{"Event":7}]"#);
    assert_eq!(first.command.input(), Input::Command);
    assert_eq!(first.command.expected, ExpectedVersion::Any);
    let id = first.command.id.clone().unwrap();
    assert_eq!((id.origin(), id.as_str()), (KeyOrigin::Process, key.as_str()));
    case.restart();
    case.fail(&key, ErrorCode::Unavailable);
    assert_eq!(case.sending(&key), None, "it is not due");
    case.world.now += 250;
    assert_eq!(case.sending(&key), Some(first));
    // Two commands that say the same are two commands.
    case.decide(vec![send("debit", "account-\"a\""), send("debit", "account-\"a\"")]);
    assert_eq!(case.sent().len(), 3);
}

#[test]
fn an_answer_is_taken_once() {
    for answer in [accepted(), rejected()] {
        let (mut case, key) = with_one();
        case.play.on_answer.replace(Some(vec![Act::Event(2), send("credit", "account-b")]));
        let executed = case.answer(&key, &answer).unwrap();
        assert!(executed.is_written() && executed.changes_pending());
        let data = match answer {
            Answer::Accepted { .. } => r#"{"name":"debit","accepted":true,"stream":"account-\"a\"","version":3}"#,
            Answer::Rejected { .. } => {
                r#"{"name":"debit","accepted":false,"stream":"account-\"a\"","rejection":{"code":"too_little","data":{"cents":1}}}"#
            }
        };
        let events = || vec!["Counted 1".to_owned(), "Counted 2".to_owned(), format!("Answered {data}")];
        assert_eq!(case.events(), events());
        for _ in 0..2 {
            case.asked();
            assert_eq!(case.answer(&key, &answer), None, "a duplicate");
            assert_eq!(case.answer(&key, &rejected()), None, "another answer");
            assert_eq!((case.asked().len(), case.sending(&key)), (0, None));
            case.restart();
        }
        assert_eq!(case.events(), events());
        let [next] = case.sent().try_into().unwrap();
        assert_ne!(next, key);
        assert_eq!(case.sending(&next).unwrap().receiver.as_str(), "account-b");
    }
}

#[test]
fn an_answer_that_fails_lets_the_command_be_sent_again_under_its_id() {
    let (mut case, key) = with_one();
    let first = case.sending(&key);
    case.play.on_answer.replace(None);
    let mut wait = 250;
    for failed in 1..=PENDING_ATTEMPTS {
        assert_eq!(case.answer(&key, &accepted()), None);
        let pending = case.pending(&key).unwrap();
        assert_eq!((pending.failed, case.sending(&key)), (failed, None));
        assert_eq!(
            pending.error.unwrap().as_str(),
            r#"{"code":"decider_failed","detail":"thrown by `answered`"}"#
        );
        if failed < PENDING_ATTEMPTS {
            case.world.now += wait;
            wait *= 2;
            assert_eq!(case.sending(&key), first);
        }
    }
    assert_eq!(case.pending(&key).unwrap().state, PendingState::Parked);
    assert_eq!(case.events(), ["Counted 1"]);
    // The code is mended, and an operator retries.
    case.play.on_answer.replace(Some(vec![]));
    assert!(case.retry(&key));
    assert_eq!(case.sending(&key), first);
    case.answer(&key, &accepted()).unwrap();
    assert_eq!((case.events().len(), case.sent().len()), (2, 0));
}

#[test]
fn a_receiver_that_cannot_be_reached_is_attempted_without_end() {
    let (mut case, key) = with_one();
    for attempt in 0..100 {
        let code = [ErrorCode::Unavailable, ErrorCode::Overloaded, ErrorCode::StorageFailed][attempt % 3];
        case.fail(&key, code);
        let PendingState::Due(due) = case.pending(&key).unwrap().state else { panic!("parked") };
        let wait = due.as_millis() - case.world.now;
        assert!((250..=300_000).contains(&wait), "{wait}");
        case.world.now = due.as_millis();
        assert!(case.sending(&key).is_some());
    }
    let error = case.pending(&key).unwrap().error.unwrap();
    assert_eq!(error.as_str(), r#"{"code":"unavailable","detail":"the \"network\""}"#);
    case.answer(&key, &accepted()).unwrap();
    assert_eq!(case.sent(), []);
}

#[test]
fn a_command_that_no_receiver_takes_is_parked() {
    for code in [ErrorCode::UnknownCommand, ErrorCode::InvalidCommand] {
        let (mut case, key) = with_one();
        case.fail(&key, code);
        assert_eq!(case.pending(&key).unwrap().state, PendingState::Parked, "{code}");
        assert_eq!(case.sending(&key), None);
    }
    for code in [ErrorCode::DeciderFailed, ErrorCode::NoAggregate] {
        let (mut case, key) = with_one();
        for _ in 0..PENDING_ATTEMPTS {
            assert_ne!(case.pending(&key).unwrap().state, PendingState::Parked, "{code}");
            case.fail(&key, code);
            let failed = case.pending(&key);
            // Another program reports the same attempt.
            case.fail(&key, code);
            assert_eq!(case.pending(&key), failed, "{code}");
            case.world.now += 300_000;
        }
        assert_eq!(case.pending(&key).unwrap().state, PendingState::Parked, "{code}");
    }
}

/// The answer of a deleted receiver is final, and the process learns it.
#[test]
fn a_deleted_receiver_rejects() {
    let (mut case, key) = with_one();
    case.fail(&key, ErrorCode::StreamDeleted);
    takes_the_rejection(case, &key, r#"{"code":"stream_deleted"}"#);
}

#[test]
fn an_operator_rejects_a_parked_command_in_place_of_its_receiver() {
    let (mut case, key) = with_one();
    let rejection = r#"{"code":"closed","data":{"by":"operator"}}"#;
    assert!(!case.reject(&key, rejection), "an attempt may be under way");
    case.fail(&key, ErrorCode::InvalidCommand);
    assert!(case.reject(&key, rejection) && !case.reject(&key, rejection));
    takes_the_rejection(case, &key, rejection);
    let (mut case, _) = with_one();
    case.decide(vec![set("lapse", 1, Asked::Refuse)]);
    assert!(case.fire("lapse").is_some() && !case.reject(&timer("lapse"), rejection), "a timer has no answer");
}

/// The rejection is taken once, and stays if the code fails for a while.
fn takes_the_rejection(mut case: Case<impl DecisionLog>, key: &PendingKey, rejection: &str) {
    case.restart();
    assert_eq!(case.sent_work(key), Some(SentWork::Fire), "it is not sent again");
    case.play.on_answer.replace(None);
    assert_eq!(case.fire_sent(key), None);
    let pending = case.pending(key).unwrap();
    assert_eq!((pending.failed, pending.error.unwrap().as_str()), (1, rejection));
    assert_eq!((case.fire_sent(key), case.sent_work(key)), (None, None), "it is not due");
    case.world.now += 250;
    case.play.on_answer.replace(Some(vec![Act::Event(2)]));
    assert!(case.fire_sent(key).unwrap().is_written());
    assert_eq!((case.fire_sent(key), case.sent()), (None, vec![]));
    let data = format!(
        r#"{{"name":"debit","accepted":false,"stream":"account-\"a\"","rejection":{rejection}}}"#
    );
    assert_eq!(case.events().len(), 3, "{:?}", case.events());
    assert!(case.asked().last().unwrap().contains(&data), "{:?}", case.asked());
}

#[test]
fn an_answer_that_always_fails_is_parked_and_can_be_attempted_again() {
    let (mut case, key) = with_one();
    case.fail(&key, ErrorCode::StreamDeleted);
    case.play.on_answer.replace(None);
    for _ in 0..PENDING_ATTEMPTS {
        assert_eq!(case.fire_sent(&key), None);
        case.world.now += 300_000;
    }
    let pending = case.pending(&key).unwrap();
    assert_eq!(pending.state, PendingState::Parked);
    assert_eq!(
        pending.error.unwrap().as_str(),
        r#"{"code":"decider_failed","detail":"thrown by `answered`","rejection":{"code":"stream_deleted"}}"#
    );
    // The answer is still there, and an operator can give another one.
    assert!(case.retry(&key));
    takes_the_rejection(case, &key, r#"{"code":"stream_deleted"}"#);
}

/// The answer counts, and not the end of an attempt that another program has made.
#[test]
fn a_late_failure_does_not_take_the_answer_away() {
    for code in [ErrorCode::Unavailable, ErrorCode::InvalidCommand, ErrorCode::StreamDeleted] {
        let (mut case, key) = with_one();
        case.fail(&key, ErrorCode::InvalidCommand);
        assert!(case.reject(&key, r#"{"code":"closed"}"#));
        case.fail(&key, code);
        takes_the_rejection(case, &key, r#"{"code":"closed"}"#);
    }
}

#[test]
fn a_late_answer_to_a_parked_command_is_taken_once() {
    let (mut case, key) = with_one();
    case.fail(&key, ErrorCode::InvalidCommand);
    assert!(case.answer(&key, &accepted()).is_some());
    assert_eq!(case.answer(&key, &accepted()), None);
    assert_eq!((case.events().len(), case.sent().len()), (2, 0));
}

#[test]
fn an_answer_to_a_cancelled_command_does_nothing() {
    let (mut case, key) = with_one();
    assert!(case.cancel(&key) && !case.cancel(&key));
    case.fail(&key, ErrorCode::Unavailable);
    assert_eq!((case.answer(&key, &accepted()), case.sending(&key)), (None, None));
    assert_eq!((case.events().len(), case.sent().len()), (1, 0));
}

#[test]
fn a_stream_waits_for_1000_answers_at_most() {
    let mut case = case();
    case.decide((0..STREAM_SENT).map(|_| send("debit", "account-a")).collect());
    let one_more = Asked::Do(vec![Act::Event(1), send("debit", "account-a")]).command();
    let error = case.execute(&one_more).unwrap_err();
    assert_eq!(error, CommandError::TooManySent { stream: stream() });
    assert_eq!(error.code(), ErrorCode::TooManySent);
    assert_eq!((case.events().len(), case.sent().len()), (0, STREAM_SENT));
    // An answer makes room for what follows from it.
    case.play.on_answer.replace(Some(vec![send("credit", "account-b")]));
    let key = case.sent()[500].clone();
    case.answer(&key, &accepted()).unwrap();
    assert_eq!(case.sent().len(), STREAM_SENT);
    case.execute(&one_more).unwrap_err();
    let key = case.sent()[0].clone();
    case.cancel(&key);
    case.execute(&one_more).unwrap();
}

#[test]
fn a_dry_run_sends_nothing() {
    let mut case = case();
    assert!(!case.decide_dry(vec![Act::Event(1), send("debit", "account-a")]).changes_pending());
    assert_eq!((case.events().len(), case.sent().len()), (0, 0));
}

/// The recorded time never goes back. A command is sent by the clock, which may.
#[test]
fn a_command_is_due_although_the_clock_has_gone_back() {
    let mut case = case();
    case.world.now = 900_000;
    case.decide(vec![Act::Event(1)]);
    case.world.now = 1000;
    case.decide(vec![Act::Event(2), send("debit", "account-a")]);
    let [key] = case.sent().try_into().unwrap();
    assert!(case.sending(&key).is_some());
    assert_eq!(case.recorded()[1].time, at(900_000));
}

/// The sender may send again at any time, so its answer must not change.
#[test]
fn the_outcome_of_a_sent_command_is_remembered_without_end() {
    let mut case = case();
    case.play.set(|settings| settings.remember_millis = 100);
    let id = IdempotencyKey::of(KeyOrigin::Process, "p-1").unwrap();
    let [first, second] = [Asked::event(1).command(), Asked::Refuse.command()];
    let sent = first.with_id(id);
    let refused = second.with_id(IdempotencyKey::of(KeyOrigin::Process, "p-2").unwrap());
    case.execute(&sent).unwrap();
    assert!(case.execute(&refused).unwrap().rejection().is_some());
    // Many others come, and a restart removes outcomes too.
    for number in 0..300_u64 {
        case.world.now += 10;
        let others = IdempotencyKey::of(KeyOrigin::Reactor, &format!("{number:04}")).unwrap();
        case.execute(&Asked::Do(vec![]).command().with_id(others)).unwrap();
        if number % 100 == 0 {
            case.restart();
        }
    }
    case.world.now += 1_000_000;
    for command in [&sent, &refused] {
        let again = case.execute(command).unwrap();
        assert!(again.replayed);
        assert_eq!(Answer::from(&again), Answer::from(&case.execute(command).unwrap()));
    }
    assert_eq!(case.events(), ["Counted 1"]);
}

/// Outcomes that stay must not be the only ones that a removal looks at.
#[test]
fn outcomes_that_are_too_old_are_removed_beside_those_that_stay() {
    let mut case = case();
    case.play.set(|settings| settings.remember_millis = 300);
    let id = |origin, number: u64| IdempotencyKey::of(origin, &format!("{number:06}")).unwrap();
    for origin in [KeyOrigin::Process, KeyOrigin::Reactor] {
        for number in 0..1500 {
            case.world.now += 1;
            case.execute(&Asked::Do(vec![]).command().with_id(id(origin, number))).unwrap();
        }
    }
    let stored = |origin| {
        let is_stored = |number: &u64| case.world.store.log().outcome(&stream(), &id(origin, *number)).unwrap().is_some();
        (0..1500).filter(is_stored).count()
    };
    assert_eq!(stored(KeyOrigin::Process), 1500);
    assert!((300..400).contains(&stored(KeyOrigin::Reactor)), "{}", stored(KeyOrigin::Reactor));
}
