//! How a driver sends the commands of a process: some at a time, until each is answered.

use sillok::ErrorCode;
use sillok::gateway::{CallId, FailedAttempt, Sending};
use sillok::handler::Answer;
use sillok::store::limits::SENT_AT_ONCE;
use sillok::store::{IdempotencyKey, PendingKey, PendingKind, PendingState, Version};

use crate::object::Object;
use crate::script::{Act, Asked, send, set};

fn accepted() -> Result<Answer, FailedAttempt> {
    Ok(Answer::Accepted { version: Version::FIRST })
}

fn unavailable() -> Result<Answer, FailedAttempt> {
    Err(FailedAttempt { code: ErrorCode::Unavailable, detail: "x".to_owned() })
}

fn debits(count: usize) -> Vec<Act> {
    (0..count).map(|_| send("debit", "account-a")).collect()
}

/// The id of a sent command.
fn id(sending: &Sending) -> String {
    sending.command.id.as_ref().map(IdempotencyKey::as_str).unwrap().to_owned()
}

/// An object that has sent one command.
fn with_one() -> (Object, CallId, Sending) {
    let mut object = Object::new();
    object.decide(debits(1));
    let (call, sending) = object.sends.pop_front().unwrap();
    assert!(object.sends.is_empty());
    (object, call, sending)
}

fn key(sending: &Sending) -> PendingKey {
    PendingKey::sent(&id(sending)).unwrap()
}

/// Neither waits for anybody: the rejection is the answer, in its turn among the commands.
#[test]
fn the_rejection_of_a_deleted_receiver_or_of_an_operator_is_taken_at_once() {
    for code in [ErrorCode::StreamDeleted, ErrorCode::InvalidCommand] {
        let (mut object, call, sending) = with_one();
        object.play.on_answer.replace(Some(vec![Act::Event(9)]));
        object.reply(call, Err(FailedAttempt { code, detail: "x".to_owned() }));
        if code == ErrorCode::InvalidCommand {
            assert_eq!(object.pending(&key(&sending)).unwrap().state, PendingState::Parked);
            object.reject(&key(&sending), r#"{"code":"closed"}"#);
            object.run();
        }
        assert_eq!((object.version(), object.sends.len()), (2, 0), "{code}");
        assert_eq!(object.pending(&key(&sending)), None);
        let asked = object.play.asked.borrow().last().cloned().unwrap();
        assert!(asked.contains(r#""accepted":false"#), "{asked}");
        object.ring();
        assert_eq!((object.version(), object.bell.at()), (2, None), "once");
    }
}

#[test]
fn a_command_is_sent_after_it_is_stored() {
    let (object, _, sending) = with_one();
    assert_eq!((sending.receiver.as_str(), sending.command.command_type()), ("account-a", "Do"));
    assert_eq!(object.count_pending(PendingKind::Sent), 1);
    // A command that cannot be stored is not sent.
    let mut object = Object::new();
    object.decide(vec![Act::Event(1)]);
    object.disk.breaks(true);
    object.ask(Asked::Do(debits(1)).command());
    object.run();
    assert!(object.outcomes.pop().unwrap().is_err() && object.sends.is_empty());
}

#[test]
fn sixteen_commands_are_sent_at_a_time() {
    let mut object = Object::new();
    object.decide(debits(40));
    assert_eq!(object.sends.len(), 16);
    let mut ids = Vec::new();
    while let Some((call, sending)) = object.sends.pop_front() {
        ids.push(id(&sending));
        object.reply(call, accepted());
        assert!(object.sends.len() <= 16);
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((count, ids.len()), (40, 40), "each is sent once");
    assert_eq!((object.version(), object.count_pending(PendingKind::Sent)), (40, 0));
}

#[test]
fn receivers_that_do_not_answer_do_not_hold_up_timers_and_forwards() {
    let mut object = Object::new();
    object.decide(debits(40));
    object.decide(vec![Act::Event(1), set("a", 1, Asked::event(1))]);
    assert_eq!((object.version(), object.count("forward")), (2, 2));
}

#[test]
fn a_command_that_fails_is_sent_again_under_its_id() {
    let (mut object, call, first) = with_one();
    assert_eq!(object.bell.sets(), [6000]);
    object.reply(call, unavailable());
    assert!(object.sends.is_empty());
    assert_eq!(object.bell.sets(), [1250], "the next attempt");
    object.ring();
    let (call, second) = object.sends.pop_front().unwrap();
    assert_eq!(second, first);
    object.reply(call, accepted());
    assert_eq!((object.version(), object.count_pending(PendingKind::Sent)), (1, 0));
}

#[test]
fn a_command_is_given_up_after_a_minute_and_its_late_answer_is_ignored() {
    let (mut object, first, sending) = with_one();
    object.ring();
    assert!(object.now < 60_000 && object.sends.is_empty(), "it may still be answered");
    object.ring_at(61_000);
    object.run();
    let lost = object.pending(&key(&sending)).unwrap();
    assert!(lost.failed == 1 && lost.error.unwrap().as_str().contains("did not answer within a minute"));
    object.ring();
    let (second, again) = object.sends.pop_front().unwrap();
    assert_eq!(again, sending);
    object.reply(first, accepted());
    assert_eq!(object.version(), 0, "the answer to the second attempt is the one that counts");
    object.reply(first, unavailable());
    object.reply(second, accepted());
    object.reply(second, accepted());
    assert_eq!((object.version(), object.count_pending(PendingKind::Sent)), (1, 0));
    assert!(object.sends.is_empty());
}

/// Receivers that never answer are attempted with growing waits, and the next commands are sent meanwhile.
#[test]
fn receivers_that_never_answer_do_not_hold_up_other_receivers() {
    let mut object = Object::new();
    object.decide(debits(SENT_AT_ONCE + 1));
    assert_eq!(object.sends.len(), SENT_AT_ONCE);
    let first: Vec<_> = object.sends.drain(..).map(|(_, sending)| key(&sending)).collect();
    object.ring_at(70_000);
    object.run();
    let (call, sending) = object.sends.pop_front().unwrap();
    assert!(!first.contains(&key(&sending)), "the one that had no room before");
    object.reply(call, accepted());
    while object.pending(&first[0]).unwrap().state != PendingState::Parked {
        object.sends.clear();
        let at = object.bell.at().unwrap();
        object.ring_at(at.max(object.now + 61_000));
        object.run();
    }
    assert_eq!(object.version(), 1);
}

#[test]
fn a_cancelled_command_makes_room_at_once() {
    let mut object = Object::new();
    object.decide(debits(SENT_AT_ONCE + 1));
    let (_, first) = object.sends.pop_front().unwrap();
    let before = object.sends.len();
    object.cancel(&key(&first));
    object.run();
    assert_eq!(object.sends.len(), before + 1);
}

#[test]
fn an_answer_waits_for_its_turn_and_is_taken_once() {
    let (mut object, call, _) = with_one();
    for _ in 0..2 {
        object.decide((0..1000).map(Act::Event).collect());
    }
    object.driver.behave(Box::new(crate::script::Script::new(&object.play)));
    // The history must be loaded again, page by page. Meanwhile the alarm rings twice.
    object.input(sillok::gateway::AggregateInput::Replied { call, reply: accepted() });
    object.ring_at(70_000);
    object.ring_at(140_000);
    object.run();
    assert!(object.sends.is_empty(), "an answered command is not sent again");
    assert_eq!((object.version(), object.count_pending(PendingKind::Sent)), (2001, 0));
}

#[test]
fn a_command_without_an_answer_is_sent_again_after_a_crash() {
    let (mut object, call, sending) = with_one();
    object.restart();
    object.ring();
    let (next, again) = object.sends.pop_front().unwrap();
    assert_eq!(again, sending);
    assert_eq!(next, call, "an object numbers its calls from the first on");
    object.reply(next, accepted());
    assert_eq!(object.version(), 1);
    // Without the alarm, the first request finds it.
    let (mut object, _, sending) = with_one();
    object.restart();
    object.touch();
    assert_eq!(object.sends.pop_front().unwrap().1, sending);
}

#[test]
fn an_answer_that_the_process_fails_to_take_is_asked_for_again() {
    let (mut object, call, sending) = with_one();
    object.play.on_answer.replace(None);
    object.reply(call, accepted());
    assert_eq!((object.version(), object.sends.len()), (0, 0));
    object.play.on_answer.replace(Some(vec![]));
    object.ring();
    let (call, again) = object.sends.pop_front().unwrap();
    assert_eq!(again, sending);
    object.reply(call, accepted());
    assert_eq!((object.version(), object.count_pending(PendingKind::Sent)), (1, 0));
}

#[test]
fn an_answer_that_cannot_be_stored_waits_for_the_alarm() {
    for reply in [accepted(), unavailable()] {
        let (mut object, call, sending) = with_one();
        object.disk.breaks(true);
        object.reply(call, reply);
        assert_eq!((object.sends.len(), object.count("log") > 0), (0, true));
        object.disk.breaks(false);
        object.touch();
        assert_eq!(object.sends.len(), 0);
        object.ring();
        let (call, again) = object.sends.pop_front().unwrap();
        assert_eq!(again, sending);
        object.reply(call, accepted());
        assert_eq!((object.version(), object.count_pending(PendingKind::Sent)), (1, 0));
    }
}

#[test]
fn a_cancelled_command_is_not_sent_again_and_its_answer_does_nothing() {
    let (mut object, call, sending) = with_one();
    object.cancel(&key(&sending));
    object.reply(call, accepted());
    object.ring();
    assert_eq!((object.version(), object.sends.len(), object.bell.at()), (0, 0, None));
}

#[test]
fn what_an_answer_sends_is_sent_at_once() {
    let (mut object, call, first) = with_one();
    object.play.on_answer.replace(Some(vec![send("credit", "account-b")]));
    object.reply(call, accepted());
    let (_, second) = object.sends.pop_front().unwrap();
    assert_eq!(second.receiver.as_str(), "account-b");
    assert_ne!(id(&first), id(&second));
}
