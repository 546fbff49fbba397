//! Clocks that jump. A forward and a wake wait at most five minutes, whatever the clock was before.

use std::cell::RefCell;
use std::rc::Rc;

use sillok::gateway::{Aggregate, Alarm, Wakes};
use sillok::store::sqlite::StreamTable;
use sillok::store::{Append, EventId, JsonText, NewEvent, RecordedTime, StorageError, StreamId};

use crate::database::Database;
use crate::jumping::{DAY, Random, jumped};
use crate::waking::name;

/// The longest wait before another attempt.
const LONGEST: u64 = 300_000;
const CASES: u64 = 1000;

/// The time of the alarm.
#[derive(Debug, Clone, Default)]
struct Clock(Rc<RefCell<Option<u64>>>);

impl Alarm for Clock {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        *self.0.borrow_mut() = Some(at.as_millis());
        Ok(())
    }
}

fn at(millis: u64) -> RecordedTime {
    RecordedTime::from_millis(millis)
}

fn forwards(seed: u64) {
    let (mut random, mut now, clock) = (Random::seeded(seed), 10 * DAY, Clock::default());
    let stream = StreamId::new("account-1").unwrap();
    let new = |clock: &Clock, database: &Database| {
        Aggregate::new(StreamTable::new(database.clone()), clock.clone())
    };
    let database = Database::in_memory();
    let mut aggregate = new(&clock, &database);
    for step in 0..20 {
        now = jumped(&mut random, now);
        if random.below(4) == 0 {
            aggregate = new(&clock, &database);
        }
        let alarm = *clock.0.borrow();
        if aggregate.found_alarm(alarm.map(at), at(now)) {
            aggregate.rang(at(now));
        }
        let event = NewEvent::new("Counted", JsonText::parse("1").unwrap()).unwrap();
        let append = Append::to(stream.clone(), vec![event]);
        aggregate.append(append, at(now), &mut || EventId::new("a").unwrap()).unwrap();
        let alarm = clock.0.borrow().unwrap();
        assert!(alarm <= now + LONGEST, "seed {seed}, step {step}: {alarm} at {now}");
        if aggregate.next_forward(&stream).unwrap().is_some() {
            aggregate.not_forwarded(at(now), 0).unwrap();
        }
    }
}

fn wakes(seed: u64) {
    let (mut random, mut now, clock) = (Random::seeded(seed), 10 * DAY, Clock::default());
    let mut wakes = Wakes::new(Database::in_memory(), clock.clone());
    wakes.register(&name("broken")).unwrap();
    let mut called = wakes.to_wake(at(now)).unwrap();
    for step in 0..20 {
        assert_eq!(called, [name("broken")], "seed {seed}, step {step}: nobody wakes it at {now}");
        wakes.not_woken(&name("broken"), at(now), random.number()).unwrap();
        now = jumped(&mut random, now);
        called = wakes.to_wake(at(now)).unwrap();
        if called.is_empty() {
            // The alarm rings within the longest wait, and finds the work due.
            now = clock.0.borrow().unwrap().clamp(now, now + LONGEST);
            called = wakes.rang(at(now)).unwrap();
        }
    }
}

#[test]
fn a_jumping_clock_delays_no_forward_and_no_wake_beyond_the_longest_wait() {
    println!("{CASES} cases, the seeds 0 to {}", CASES - 1);
    (0..CASES).for_each(forwards);
    (0..CASES).for_each(wakes);
}

#[test]
fn an_alarm_from_a_clock_a_day_ahead_counts_as_rung() {
    let mut aggregate = Aggregate::new(StreamTable::new(Database::in_memory()), Clock::default());
    let wakes = Wakes::new(Database::in_memory(), Clock::default());
    for (alarm, is_lost) in [(DAY, true), (LONGEST + 1001, true), (LONGEST + 1000, false), (6000, false)] {
        assert_eq!(aggregate.found_alarm(Some(at(alarm)), at(1000)), is_lost, "{alarm}");
        assert_eq!(wakes.found_alarm(at(alarm), at(1000)), is_lost, "{alarm}");
    }
}
