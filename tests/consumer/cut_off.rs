//! Attempts that crash the engine. The next machine counts each of them as a failed attempt.

use super::database;
use crate::world::*;
use sillok::handler::{Kind, Next, OnFailure, Running, Settings};
use sillok::store::{StreamId, Version};

const CRASH: &str = "the attempt was cut off: a panic";
/// The number of the event that crashes the engine. It is the only event of its stream.
const POISON: u64 = 2;

/// A machine after a crash.
fn after_a_crash(place: &Place, settings: &Settings) -> Opened {
    let mut consumer = open(place, settings);
    consumer.cut_off(StreamId::new("b").unwrap(), Version::FIRST, CRASH, 0);
    consumer
}

/// Runs the machine until it has nothing to do. It must not attempt the poison again.
fn work(consumer: &mut Opened, feed: &Feed, now: u64) -> Next {
    let untouched = |number: u64| assert_ne!(number, POISON, "the attempt that crashed is counted first");
    let rest = run(consumer, feed, now, &mut |work| match work {
        Work::Deliver(delivery) => {
            untouched(delivery.event.position.get());
            Ok(())
        }
        Work::Project(event, documents) => {
            untouched(event.position.get());
            count(event, documents)
        }
    });
    rest.unwrap()
}

#[test]
fn a_crash_is_a_failed_attempt_with_its_wait_and_in_the_end_a_dead_letter() {
    for kind in [Kind::Projection, Kind::Reactor] {
        let (place, feed) = (database(), Feed::of(&["a", "b", "a", "c"]));
        let settings = settings(kind, OnFailure::Skip);
        for (failures, until) in [(1, 10_100), (2, 20_200)] {
            let mut consumer = after_a_crash(&place, &settings);
            let rest = work(&mut consumer, &feed, u64::from(failures) * 10_000);
            assert_eq!(rest, Next::Wait { until: at(until) }, "{kind:?}");
            assert_eq!(armed(&place), Some(until));
            let status = consumer.status().unwrap();
            assert_eq!((status.failures, status.checkpoint.to_string()), (failures, "1".to_owned()));
            assert_eq!(status.error.map(|error| error.message), Some(CRASH.to_owned()));
        }
        let mut consumer = after_a_crash(&place, &settings);
        assert_eq!(work(&mut consumer, &feed, 30_000), Next::Idle, "others go on");
        let [letter] = &consumer.dead_letters(0, 10).unwrap().letters[..] else { panic!("{kind:?}") };
        assert_eq!((letter.event.position.get(), letter.attempts, letter.error.message.as_str()), (POISON, 3, CRASH));
        assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "4");
        if kind == Kind::Projection {
            assert_eq!(documents(&mut consumer), folded(&feed, &[POISON]));
        }
    }
}

#[test]
fn a_crash_stops_a_consumer_whose_policy_is_to_stop() {
    for kind in [Kind::Projection, Kind::Reactor] {
        let (place, feed) = (database(), Feed::of(&["a", "b"]));
        let settings = settings(kind, OnFailure::Stop);
        for now in [10_000, 20_000, 30_000] {
            work(&mut after_a_crash(&place, &settings), &feed, now);
        }
        assert_eq!(open(&place, &settings).status().unwrap().running, Running::Stopped, "{kind:?}");
    }
}

#[test]
fn a_dead_letter_that_crashes_when_it_is_retried_stays_one() {
    let (place, feed) = (database(), Feed::of(&["a", "b"]));
    let settings = settings(Kind::Reactor, OnFailure::Skip);
    for now in [10_000, 20_000, 30_000] {
        work(&mut after_a_crash(&place, &settings), &feed, now);
    }
    open(&place, &settings).retry(at(40_000)).unwrap();
    for now in [50_000, 60_000] {
        work(&mut after_a_crash(&place, &settings), &feed, now);
    }
    let mut consumer = after_a_crash(&place, &settings);
    assert_eq!(work(&mut consumer, &feed, 70_000), Next::Idle);
    assert_eq!(letters(&mut consumer), [(POISON, "failed")]);
    assert_eq!(consumer.dead_letters(0, 10).unwrap().letters[0].attempts, 6);
}

#[test]
fn a_crash_at_an_event_that_is_done_is_no_failure_of_another() {
    let (place, feed) = (database(), Feed::of(&["b", "a"]));
    let settings = settings(Kind::Reactor, OnFailure::Skip);
    assert_eq!(deliver(&mut open(&place, &settings), &feed, 0, &[]), (Next::Idle, vec![1, 2]));
    let mut consumer = after_a_crash(&place, &settings);
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![]));
    assert_eq!(consumer.status().unwrap().failures, 0);
}
