//! Faults. Every storage call fails once before it has written and once after it. Then the consumer is opened again,
//! and the failed step is repeated. Each event takes effect as often as its kind promises.

use crate::database::Database;
use crate::world::*;
use sillok::handler::{Consumer, Kind, Next, OnFailure, Settings};
use sillok::store::StorageError;
use sillok::testing::{FaultMoment, Faulty};

/// More than the storage calls of all steps together.
const MOST_CALLS: u32 = 2000;
/// The number of the event that fails until it is repaired.
const POISON: u64 = 2;

type Faulted<'a> = Consumer<&'a Faulty<Database>, StoredAlarm<&'a Faulty<Database>>>;

fn opened<'a>(faulty: &'a Faulty<Database>, settings: &Settings) -> Result<Faulted<'a>, StorageError> {
    match Consumer::open(faulty, StoredAlarm(faulty), settings.clone()) {
        Ok(consumer) => Ok(consumer),
        Err(sillok::handler::OpenError::Storage(error)) => Err(error),
        Err(refused) => panic!("{refused}"),
    }
}

/// The number of steps. Each step may be repeated until it is done.
const STEPS: usize = 9;
/// The step from which the code has another version.
const DEPLOYED: usize = 8;

fn step(
    consumer: &mut Faulted<'_>,
    number: usize,
    feed: &mut Feed,
    delivered: &mut Vec<u64>,
) -> Result<(), StorageError> {
    let now = 10_000 * number as u64;
    match number {
        0 => consumer.woken(0, at(now)),
        // These are all attempts at the poison.
        1 => [now, now + 1000, now + 2000]
            .into_iter()
            .try_for_each(|now| work(consumer, feed, now, true, delivered)),
        2 => {
            consumer.pause()?;
            work(consumer, feed, now, true, delivered)
        }
        3 => consumer.resume(at(now)),
        4 => work(consumer, feed, now, true, delivered),
        5 => {
            consumer.retry(at(now))?;
            work(consumer, feed, now, false, delivered)
        }
        6 => match consumer.rebuild(at(now)) {
            Ok(()) | Err(sillok::handler::RebuildError::NotAProjection) => Ok(()),
            Err(sillok::handler::RebuildError::Storage(error)) => Err(error),
            Err(refused) => panic!("{refused}"),
        },
        _ => work(consumer, feed, now, false, delivered),
    }
}

fn work(
    consumer: &mut Faulted<'_>,
    feed: &Feed,
    now: u64,
    poisoned: bool,
    delivered: &mut Vec<u64>,
) -> Result<(), StorageError> {
    run(consumer, feed, now, &mut |work| {
        let event = match work {
            Work::Project(event, documents) => {
                count(event, documents)?;
                event
            }
            Work::Deliver(delivery) => &delivery.event,
        };
        if poisoned && event.position.get() == POISON {
            return Err("poison".to_owned());
        }
        delivered.push(event.position.get());
        Ok(())
    })
    .map(|_| ())
}

/// Runs all steps on one database in which one call fails. Returns `false` if there are fewer calls.
fn survives(settings: &Settings, fails_at: u32, fault: FaultMoment) -> bool {
    let database = Place::in_sqlite();
    let mut feed = Feed::of(&["a", "b", "a", "b", "a", "b", "a"]);
    let mut delivered = Vec::new();
    let mut faulty = Faulty::after(fails_at, fault, database.clone());
    let mut failed = false;
    for number in 0..STEPS {
        let version = if number < DEPLOYED { 1 } else { 2 };
        let settings = &Settings { version, ..settings.clone() };
        let done = opened(&faulty, settings)
            .and_then(|mut consumer| step(&mut consumer, number, &mut feed, &mut delivered));
        if done.is_err() {
            assert!(faulty.has_failed() && !failed, "a failure that was not injected: {done:?}");
            failed = true;
            faulty = Faulty::after(MOST_CALLS, fault, database.clone());
            step(&mut opened(&faulty, settings).unwrap(), number, &mut feed, &mut delivered).unwrap();
        }
    }
    // The alarm restarts the consumer until everything is done, whatever a failed attempt has lost.
    let mut consumer = open(&database, &Settings { version: 2, ..settings.clone() });
    let rest = run(&mut consumer, &feed, 100_000, &mut |_| panic!("nothing is left to do")).unwrap();
    assert_eq!(rest, Next::Idle, "{fails_at} {fault:?}");
    assert_eq!(letters(&mut consumer), []);
    assert!(armed(&database).is_some(), "a duty was taken and no alarm is set");
    if settings.kind == Kind::Projection {
        assert_eq!(documents(&mut consumer), folded(&feed, &[]), "{fails_at} {fault:?}");
    } else {
        let mut firsts = Vec::new();
        delivered.iter().for_each(|number| {
            if !firsts.contains(number) {
                firsts.push(*number)
            }
        });
        assert_eq!(firsts, [1, 3, 5, 7, 2, 4, 6], "{fails_at} {fault:?}");
        assert!(delivered.len() <= 7 + 3, "only what one page held is repeated: {delivered:?}");
    }
    failed
}

#[test]
fn a_consumer_survives_the_failure_of_each_storage_call() {
    for kind in [Kind::Projection, Kind::Reactor] {
        for fault in [FaultMoment::Before, FaultMoment::After] {
            let settings = settings(kind, OnFailure::HoldStream);
            let mut calls = 0;
            while survives(&settings, calls, fault) {
                calls += 1;
            }
            assert!((100..MOST_CALLS).contains(&calls), "{calls} calls");
        }
    }
}
