//! Clocks that jump. No wait is longer than its policy allows, whatever the clock was at its start.

use super::database;
use crate::jumping::{DAY, Random, jumped};
use crate::world::*;
use sillok::handler::{BACKSTOP_MILLIS, Kind, Next, OnFailure, Policy, Settings};

/// The longest wait: the policy allows a second, and the feed is read again after five.
const LONGEST: u64 = BACKSTOP_MILLIS;
const CASES: u64 = 1000;

/// A consumer whose events always fail, with enough attempts left.
fn failing() -> Settings {
    let settings = settings(Kind::Reactor, OnFailure::Skip);
    Settings { policy: Policy { attempts: 100, ..settings.policy }, ..settings }
}

#[test]
fn a_failure_from_a_clock_a_day_ahead_does_not_delay_the_next_attempt() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &failing());
    let (rest, _) = deliver(&mut consumer, &feed, DAY, &[1]);
    assert_eq!(rest, Next::Wait { until: at(DAY + 100) });
    // The clock is now right, and the object starts again.
    let mut consumer = open(&database, &failing());
    assert!(consumer.started(Some(at(DAY + 100)), at(1000)).unwrap(), "such an alarm is none");
    assert_eq!(armed(&database), Some(1000 + BACKSTOP_MILLIS));
    assert_eq!(deliver(&mut consumer, &feed, 1000, &[]), (Next::Idle, vec![1]));
}

#[test]
fn resume_and_retry_begin_at_once() {
    for retries in [false, true] {
        let (database, feed) = (database(), Feed::of(&["a"]));
        let policy = Policy { first_delay: DAY, longest_delay: DAY, ..failing().policy };
        let mut consumer = open(&database, &Settings { policy, ..failing() });
        assert_eq!(deliver(&mut consumer, &feed, 0, &[1]), (Next::Wait { until: at(DAY) }, vec![1]));
        assert_eq!(deliver(&mut consumer, &feed, 1, &[1]), (Next::Wait { until: at(DAY) }, vec![]));
        if retries { consumer.retry(at(2)) } else { consumer.resume(at(2)) }.unwrap();
        assert_eq!(consumer.status().unwrap().failures, 1, "the series of attempts goes on");
        assert_eq!(deliver(&mut consumer, &feed, 2, &[]), (Next::Idle, vec![1]));
    }
}

fn live(seed: u64) {
    let (mut random, mut now) = (Random::seeded(seed), 10 * DAY);
    let (database, feed) = (database(), Feed::of(&["a", "b"]));
    let mut consumer = open(&database, &failing());
    for step in 0..30 {
        now = jumped(&mut random, now);
        let act = random.below(5);
        match act {
            0 => {
                consumer = open(&database, &failing());
                consumer.started(armed(&database).map(at), at(now)).unwrap();
            }
            1 => consumer.woken(0, at(now)).unwrap(),
            2 => {
                unset(&database);
                consumer.rang(at(now)).unwrap();
            }
            3 => consumer.resume(at(now)).unwrap(),
            _ => consumer.retry(at(now)).unwrap(),
        }
        let alarm = armed(&database);
        assert!(alarm.is_none_or(|at| at <= now + LONGEST), "seed {seed}, step {step}: {alarm:?} at {now}");
        let (rest, attempted) = deliver(&mut consumer, &feed, now, &[1, 2]);
        assert!(act < 3 || !attempted.is_empty(), "seed {seed}, step {step}: it did not begin at once");
        let Next::Wait { until } = rest else { panic!("seed {seed}, step {step}: {rest:?}") };
        assert!(until <= at(now + LONGEST), "seed {seed}, step {step}: {until:?} at {now}");
        assert_eq!(armed(&database).map(at), Some(until), "seed {seed}, step {step}");
        now += LONGEST;
        let (_, attempted) = deliver(&mut consumer, &feed, now, &[1, 2]);
        assert!(!attempted.is_empty(), "seed {seed}, step {step}: it waits longer than it may");
    }
}

#[test]
fn a_jumping_clock_makes_no_wait_longer_than_allowed() {
    println!("{CASES} cases, the seeds 0 to {}", CASES - 1);
    (0..CASES).for_each(live);
}
