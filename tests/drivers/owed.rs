//! The driver of an aggregate with timers and sent commands: when it sets the alarm.

use std::cell::Cell;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{
    AggregateDriver, AggregateEffect as Effect, AggregateInput as Input, Alarm, CallId, FailedAttempt,
};
use sillok::handler::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault, SentCommand,
    TimerChange,
};
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    EventId, EventView, JsonText, NewEvent, PendingKey, RecordedTime, StorageError, StreamId, Version,
};

use crate::database::Database;
use crate::{Clock, turn};

const DAY: u64 = 86_400_000;

type Driver = AggregateDriver<StreamTable<Database>, Clock>;

/// Code that sets a timer for the time in the command. The command `Note` also writes an event, and `Send` sends a command.
struct Reminder;

impl Behaviour for Reminder {
    fn code(&self) -> String {
        "1".to_owned()
    }

    fn settings(&self) -> BehaviourSettings {
        BehaviourSettings { may_end: true, ..BehaviourSettings::default() }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn restore(&mut self, _: &JsonText) -> Result<bool, Fault> {
        Ok(true)
    }

    fn fold(&mut self, _: &EventView<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn decide(&mut self, command: &Command, _: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let at = RecordedTime::from_millis(command.data().as_str().parse().unwrap());
        if command.command_type() == "Send" {
            let stream = StreamId::new("account-1").unwrap();
            let command = Command::new("Debit", JsonText::null()).unwrap();
            let sent = vec![SentCommand { name: "debit".into(), stream, command }];
            return Ok(BehaviourDecision::Accepted(Accepted { sent, ..Accepted::default() }));
        }
        let (key, ring) = (PendingKey::timer("a").unwrap(), Command::new("Ring", JsonText::null()).unwrap());
        let noted = NewEvent::new("Noted", JsonText::null()).unwrap();
        let events = if command.command_type() == "Note" { vec![noted] } else { Vec::new() };
        let timers = vec![TimerChange::Set { key, at, command: ring }];
        Ok(BehaviourDecision::Accepted(Accepted { events, timers, ..Accepted::default() }))
    }

    fn advance(&mut self) {}

    fn clear(&mut self) {}

    fn state(&mut self) -> Result<JsonText, Fault> {
        Ok(JsonText::null())
    }
}

fn driver(database: &Database, clock: &Clock) -> Driver {
    let stream = StreamId::new("reminder-1").unwrap();
    let mut driver = AggregateDriver::new(stream, StreamTable::new(database.clone()), clock.clone());
    driver.behave(Box::new(Reminder));
    driver
}

fn execute(driver: &mut Driver, now: u64, name: &str, at: u64) {
    let command = Command::new(name, JsonText::parse(&at.to_string()).unwrap()).unwrap();
    let call = CallId::new(1);
    turn(now, |turn| driver.execute(turn, call, command, &mut || EventId::new("a").unwrap()));
}

fn input(driver: &mut Driver, now: u64, input: Input) -> Vec<Effect> {
    turn(now, |turn| driver.input(turn, input)).1
}

/// The last time for which the alarm was set.
fn alarm(clock: &Clock) -> u64 {
    *clock.0.borrow().last().unwrap()
}

#[test]
fn a_far_timer_gets_the_alarm_only_after_the_journal_has_everything() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    let mut first = driver(&database, &clock);
    execute(&mut first, 0, "Note", 10 * DAY);
    assert_eq!(alarm(&clock), 5_000, "the forward needs it first");
    let effects = input(&mut first, 5_000, Input::Rang);
    let [Effect::Forward { call, .. }] = effects[..] else { panic!("{effects:?}") };
    // If the object ended here, the platform would ring again, because the alarm's work is not over.
    assert_eq!(*clock.0.borrow(), [5_000]);
    let answered = Input::Answered { call, version: Version::new(1) };
    let effects = input(&mut first, 5_010, answered);
    assert!(matches!(effects[..], [Effect::AlarmOver(Ok(()))]), "{effects:?}");
    assert_eq!(*clock.0.borrow(), [5_000, 10 * DAY]);
}

#[test]
fn a_far_timer_that_is_set_while_the_alarm_rings_does_not_take_it_from_a_forward() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    let mut first = driver(&database, &clock);
    execute(&mut first, 0, "Note", 10 * DAY);
    input(&mut first, 5_000, Input::Rang);
    execute(&mut first, 5_001, "Set", 20 * DAY);
    assert_eq!(alarm(&clock), 10_001);
}

#[test]
fn a_forward_that_fails_waits_as_long_as_without_timers() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    let mut first = driver(&database, &clock);
    execute(&mut first, 0, "Note", 10 * DAY);
    let mut now = 5_000;
    for _ in 0..8 {
        let effects = input(&mut first, now, Input::Rang);
        let [Effect::Forward { call, .. }] = effects[..] else { panic!("{effects:?}") };
        input(&mut first, now, Input::Answered { call, version: None });
        now = alarm(&clock);
    }
    let waits: Vec<u64> = clock.0.borrow().windows(2).map(|times| times[1] - times[0]).collect();
    assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000]);
}

#[test]
fn a_far_timer_does_not_replace_an_alarm_that_the_object_has_not_found_yet() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    execute(&mut driver(&database, &clock), 0, "Note", 10 * DAY);
    assert_eq!(alarm(&clock), 5_000);
    // The object ends before it has forwarded the event, and starts again for a command that writes no event.
    let mut second = driver(&database, &clock);
    execute(&mut second, 2_000, "Set", 20 * DAY);
    assert_eq!(alarm(&clock), 7_000);
    input(&mut second, 2_001, Input::FoundAlarm(Some(RecordedTime::from_millis(7_000))));
    input(&mut second, 2_002, Input::Continue);
    assert_eq!(alarm(&clock), 7_000);
}

#[test]
fn an_object_that_finds_no_alarm_sets_it_for_a_far_timer_alone() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    execute(&mut driver(&database, &clock), 0, "Set", 10 * DAY);
    let mut second = driver(&database, &clock);
    turn::<_, Effect>(1, |turn| second.touched(turn));
    input(&mut second, 2, Input::FoundAlarm(None));
    assert_eq!(alarm(&clock), 10 * DAY);
}

/// An alarm that cannot be set for a while.
#[derive(Clone, Default)]
struct Stubborn {
    clock: Clock,
    refuses: Rc<Cell<bool>>,
}

impl Alarm for Stubborn {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        if self.refuses.get() { Err(StorageError::failed("the alarm")) } else { self.clock.set(at) }
    }
}

#[test]
fn the_next_request_looks_again_if_the_alarm_could_not_be_set() {
    let (database, alarm) = (Database::in_memory(), Stubborn::default());
    execute(&mut driver(&database, &alarm.clock), 0, "Set", 10 * DAY);
    // The platform has lost the alarm, and refuses another one.
    let stream = StreamId::new("reminder-1").unwrap();
    let mut second = AggregateDriver::new(stream, StreamTable::new(database), alarm.clone());
    second.behave(Box::new(Reminder));
    let mut look = |refuses| {
        alarm.refuses.set(refuses);
        let ((), effects) = turn::<_, Effect>(1, |turn| second.touched(turn));
        assert!(matches!(effects[..], [Effect::FindAlarm]), "{effects:?}");
        turn(2, |turn| second.input(turn, Input::FoundAlarm(None))).1
    };
    assert!(matches!(look(true)[..], [Effect::Log(_)]));
    assert_eq!(alarm.clock.0.borrow().len(), 1);
    assert!(look(false).is_empty());
    assert_eq!(alarm.clock.0.borrow()[1..], [10 * DAY]);
}

/// The calls of the sent commands among these effects.
fn sent(effects: &[Effect]) -> Vec<CallId> {
    let calls = effects.iter().map(|effect| match effect {
        Effect::Send { call, .. } => Some(*call),
        _ => None,
    });
    calls.flatten().collect()
}

#[test]
fn a_sent_command_does_not_wait_for_the_time_of_a_clock_that_was_wrong() {
    let (database, clock) = (Database::in_memory(), Clock::default());
    let mut first = driver(&database, &clock);
    execute(&mut first, 2 * DAY, "Send", 0);
    let effects = input(&mut first, 2 * DAY, Input::Continue);
    let failure = FailedAttempt { code: ErrorCode::Unavailable, detail: "busy".to_owned() };
    input(&mut first, 2 * DAY, Input::Replied { call: sent(&effects)[0], reply: Err(failure) });
    // The clock is right again, and the object starts anew.
    let mut second = driver(&database, &clock);
    turn::<_, Effect>(1, |turn| second.touched(turn));
    let found = Input::FoundAlarm(Some(RecordedTime::from_millis(alarm(&clock))));
    let effects = input(&mut second, 2, found);
    assert_eq!(sent(&effects).len(), 1, "{effects:?}");
}
