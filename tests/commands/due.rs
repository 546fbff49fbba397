//! The next timer or sent command of many streams, in memory and in a database.

use sillok::gateway::{DueCommands, DueWork};
use sillok::handler::Command;
use sillok::store::limits::{DUE_SCAN, SENT_AT_ONCE};
use sillok::store::sqlite::StreamsTable;
use sillok::store::{
    DecisionLog, DecisionParts, JsonText, MemoryLog, PendingChange, PendingCommand, PendingKey, PendingLog,
    PendingState, Receiver, StreamId,
};

use crate::database::Database;
use crate::world::at;

/// Runs a test over both logs of many streams.
macro_rules! over_both {
    ($($name:ident: $test:ident;)*) => {
        $(#[test]
        fn $name() {
            $test(MemoryLog::new());
            $test(StreamsTable::new(Database::in_memory()));
        })*
    };
}

over_both! {
    timers_come_in_the_order_of_their_times: in_order;
    a_stream_without_code_is_left_out_and_holds_up_no_other: without_code;
    what_is_under_way_is_not_begun_again: under_way;
    a_limited_number_of_commands_is_sent_at_once: sent_at_once;
    what_becomes_due_later_does_not_hold_up_the_rest_of_a_round: rounds;
    a_command_that_cannot_be_read_is_reported: unreadable;
    an_answer_that_is_stored_is_taken_at_its_time: stored_answer;
}

fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

fn timer(key: &str) -> PendingKey {
    PendingKey::timer(key).unwrap()
}

fn put(log: &mut impl DecisionLog, name: &str, key: PendingKey, due: u64, command: &str) {
    let receiver = (key.kind().as_str() == "sent")
        .then(|| Receiver { stream: stream("account-1"), name: "debit".into() });
    let pending = PendingCommand {
        key,
        receiver,
        command: JsonText::parse(command).unwrap(),
        at: at(due),
        failed: 0,
        state: PendingState::Due(at(due)),
        error: None,
    };
    let pending = [PendingChange::Put(pending)];
    let parts = DecisionParts { pending: &pending, ..DecisionParts::default() };
    log.insert_decision(&stream(name), parts).unwrap();
}

fn set(log: &mut impl DecisionLog, name: &str, key: &str, due: u64) {
    put(log, name, timer(key), due, r#"{"type":"Ring"}"#);
}

fn send(log: &mut impl DecisionLog, name: &str, id: &str) {
    put(log, name, PendingKey::sent(id).unwrap(), 1, r#"{"type":"Withdraw","data":{"cents":5}}"#);
}

fn remove(log: &mut impl DecisionLog, name: &str, key: &PendingKey) {
    let pending = [PendingChange::Remove(key.clone())];
    let parts = DecisionParts { pending: &pending, ..DecisionParts::default() };
    log.insert_decision(&stream(name), parts).unwrap();
}

/// The next work for clocks, and how many looks it took.
fn next(due: &mut DueCommands, log: &(impl DecisionLog + PendingLog), now: u64) -> (DueWork, usize) {
    let is_registered = |stream: &StreamId| stream.category() == "clock";
    (1..)
        .find_map(|looks| match due.next(log, &is_registered, at(now)).unwrap() {
            DueWork::More => None,
            work => Some((work, looks)),
        })
        .unwrap()
}

fn fire(name: &str, key: &str) -> DueWork {
    DueWork::Fire(stream(name), timer(key))
}

fn in_order(mut log: impl DecisionLog + PendingLog) {
    let mut due = DueCommands::default();
    assert_eq!(next(&mut due, &log, 5).0, DueWork::Idle);
    for (name, key, time) in
        [("clock-2", "a", 3), ("clock-1", "b", 2), ("clock-1", "a", 9), ("clock-3", "a", 0)]
    {
        set(&mut log, name, key, time);
    }
    for (name, key) in [("clock-3", "a"), ("clock-1", "b"), ("clock-2", "a")] {
        assert_eq!(next(&mut due, &log, 5).0, fire(name, key));
        remove(&mut log, name, &timer(key));
        due.ended(&stream(name), &timer(key));
    }
    assert_eq!(next(&mut due, &log, 5).0, DueWork::Wait(at(9)));
    assert_eq!(next(&mut due, &log, 9).0, fire("clock-1", "a"));
}

fn without_code(mut log: impl DecisionLog + PendingLog) {
    for number in 0..2 * DUE_SCAN {
        set(&mut log, &format!("other-{}", number % 7), &format!("{number}"), 1);
    }
    set(&mut log, "clock-1", "a", 2);
    set(&mut log, "clock-1", "b", 30);
    let mut due = DueCommands::default();
    let (work, looks) = next(&mut due, &log, 5);
    assert_eq!((work, looks), (fire("clock-1", "a"), 3), "each look visits a limited number");
    assert_eq!(next(&mut due, &log, 5).0, DueWork::Wait(at(30)));
}

fn under_way(mut log: impl DecisionLog + PendingLog) {
    set(&mut log, "clock-1", "a", 1);
    let mut due = DueCommands::default();
    assert_eq!(next(&mut due, &log, 5).0, fire("clock-1", "a"));
    assert_eq!(next(&mut due, &log, 5).0, DueWork::Idle);
    // The attempt has failed, and is repeated.
    set(&mut log, "clock-1", "a", 7);
    due.ended(&stream("clock-1"), &timer("a"));
    assert_eq!(next(&mut due, &log, 5).0, DueWork::Wait(at(7)));
    assert_eq!(next(&mut due, &log, 7).0, fire("clock-1", "a"));
}

fn sent_at_once(mut log: impl DecisionLog + PendingLog) {
    for number in 0..SENT_AT_ONCE + 2 {
        send(&mut log, "clock-1", &format!("id-{number:03}"));
    }
    set(&mut log, "clock-2", "a", 2);
    put(&mut log, "clock-3", PendingKey::sent("id-3").unwrap(), 3, r#"{"type":"Withdraw"}"#);
    let mut due = DueCommands::default();
    let mut sent = Vec::new();
    let last = loop {
        match next(&mut due, &log, 5).0 {
            DueWork::Send(_, key, sending) => {
                assert_eq!(sending.receiver, stream("account-1"));
                let command = Command::from_json(&JsonText::parse(&sending.command.to_json()).unwrap());
                assert_eq!(command.unwrap().data().as_str(), r#"{"cents":5}"#);
                assert_eq!(sending.command.id.unwrap().as_str(), key.as_str());
                sent.push(key);
            }
            work => break work,
        }
    };
    assert_eq!((sent.len(), last), (SENT_AT_ONCE, fire("clock-2", "a")), "a timer needs no room");
    // Nor does another stream wait for the receivers of the first one.
    assert!(matches!(next(&mut due, &log, 5).0, DueWork::Send(of, ..) if of == stream("clock-3")));
    assert_eq!(next(&mut due, &log, 5).0, DueWork::Idle);
    remove(&mut log, "clock-1", &sent[0]);
    due.ended(&stream("clock-1"), &sent[0]);
    assert!(matches!(next(&mut due, &log, 5).0, DueWork::Send(_, key, _) if !sent.contains(&key)));
}

fn rounds(mut log: impl DecisionLog + PendingLog) {
    set(&mut log, "clock-1", "a", 4);
    let mut due = DueCommands::default();
    assert_eq!(next(&mut due, &log, 5).0, fire("clock-1", "a"));
    // Time goes on. One timer has become due since, and another one was set in the past.
    set(&mut log, "clock-1", "b", 6);
    set(&mut log, "clock-1", "c", 1);
    assert_eq!(next(&mut due, &log, 7).0, fire("clock-1", "c"), "the next round begins with the earliest");
    assert_eq!(next(&mut due, &log, 7).0, fire("clock-1", "b"));
    assert_eq!(next(&mut due, &log, 7).0, DueWork::Idle);
}

fn unreadable(mut log: impl DecisionLog + PendingLog) {
    let key = PendingKey::sent("id-1").unwrap();
    put(&mut log, "clock-1", key.clone(), 1, "[]");
    let work = next(&mut DueCommands::default(), &log, 5).0;
    assert_eq!(work, DueWork::Unreadable(stream("clock-1"), key));
}

fn stored_answer(mut log: impl DecisionLog + PendingLog) {
    let key = PendingKey::sent("id-1").unwrap();
    put(&mut log, "clock-1", key.clone(), 1, r#"{"type":"Withdraw"}"#);
    let pending = log.pending(&stream("clock-1"), &key).unwrap().unwrap();
    let error = Some(JsonText::parse(r#"{"code":"closed"}"#).unwrap());
    let change =
        [PendingChange::Put(PendingCommand { state: PendingState::Answered(at(2)), error, ..pending })];
    let parts = DecisionParts { pending: &change, ..DecisionParts::default() };
    log.insert_decision(&stream("clock-1"), parts).unwrap();
    let mut due = DueCommands::default();
    assert_eq!(next(&mut due, &log, 1).0, DueWork::Wait(at(2)));
    assert_eq!(next(&mut due, &log, 2).0, DueWork::Fire(stream("clock-1"), key));
}
