//! The alarm. A duty to run survives a crash, and a consumer that has caught up has no alarm.

use super::database;
use crate::world::*;
use sillok::handler::{BACKSTOP_MILLIS, Kind, Next, OnFailure, Outcome, Settings};

fn skipping() -> Settings {
    settings(Kind::Reactor, OnFailure::Skip)
}

/// An alarm counts as lost if it is overdue by this time, in milliseconds.
const LOST_MILLIS: u64 = 30_000;

#[test]
fn a_wake_is_durable_before_it_is_answered_and_costs_one_row() {
    let (database, mut feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    consumer.woken(0, at(1000)).unwrap();
    assert_eq!(armed(&database), Some(1000 + BACKSTOP_MILLIS));
    consumer.woken(0, at(1001)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 1002, &[]), (Next::Idle, vec![1]));
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(1003)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 1004, &[]), (Next::Idle, vec![2]));
    assert_eq!((sets(&database), armed(&database)), (1, Some(1000 + BACKSTOP_MILLIS)));
}

#[test]
fn a_ring_that_finds_nothing_leaves_the_alarm_unset() {
    for opened_anew in [false, true] {
        let (database, feed) = (database(), Feed::of(&["a"]));
        let mut consumer = open(&database, &skipping());
        consumer.woken(0, at(0)).unwrap();
        deliver(&mut consumer, &feed, 0, &[]);
        unset(&database);
        if opened_anew {
            consumer = open(&database, &skipping());
        }
        consumer.rang(at(BACKSTOP_MILLIS)).unwrap();
        assert_eq!(deliver(&mut consumer, &feed, BACKSTOP_MILLIS, &[]), (Next::Idle, vec![]));
        assert_eq!(armed(&database), None);
    }
}

#[test]
fn a_ring_that_finds_something_sets_the_alarm_again() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    consumer.rang(at(0)).unwrap();
    assert_eq!(armed(&database), None);
    let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
    consumer.take_page(feed.read(read), at(0)).unwrap();
    assert_eq!(armed(&database), Some(BACKSTOP_MILLIS), "before anything is delivered");
}

#[test]
fn a_ring_amid_the_work_sets_the_alarm_again() {
    let (database, feed) = (database(), Feed::of(&["a"; 9]));
    let mut consumer = open(&database, &skipping());
    consumer.woken(0, at(0)).unwrap();
    let mut now = 0;
    // The alarm rings at each step of the machine.
    loop {
        now += BACKSTOP_MILLIS;
        let next = consumer.next(at(now)).unwrap();
        if next == Next::Idle {
            break;
        }
        unset(&database);
        consumer.rang(at(now)).unwrap();
        assert_eq!(armed(&database), Some(now + BACKSTOP_MILLIS), "amid {next:?}");
        match next {
            Next::Read(read) => consumer.take_page(feed.read(read), at(now)).unwrap(),
            Next::Deliver(deliveries) => {
                consumer.delivered(&only(deliveries).id, Outcome::Done, at(now), 0).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(consumer.reached(0, feed.end(0)).unwrap());
}

#[test]
fn a_wake_while_a_page_is_read_is_not_lost() {
    let (database, mut feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
    let page = feed.read(read);
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(1)).unwrap();
    consumer.take_page(page, at(2)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 3, &[]), (Next::Idle, vec![1, 2]));
}

#[test]
fn while_backing_off_the_alarm_is_at_the_retry() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    consumer.woken(0, at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 10, &[1]).0, Next::Wait { until: at(110) });
    assert_eq!(armed(&database), Some(110));
    // A wake or an alarm before its time does not end the wait.
    consumer.woken(0, at(20)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 20, &[]), (Next::Wait { until: at(110) }, vec![]));
    unset(&database);
    consumer.rang(at(30)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 30, &[]), (Next::Wait { until: at(110) }, vec![]));
    assert_eq!(armed(&database), Some(110));
}

#[test]
fn an_alarm_that_was_lost_is_noticed() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    assert!(!consumer.started(None, at(0)).unwrap());
    assert!(!consumer.started(Some(at(1000)), at(1000 + LOST_MILLIS - 1)).unwrap());
    assert_eq!(sets(&database), 0);
    let now = 1000 + LOST_MILLIS;
    assert!(consumer.started(Some(at(1000)), at(now)).unwrap());
    assert_eq!(armed(&database), Some(now + BACKSTOP_MILLIS));
    deliver(&mut consumer, &feed, now, &[]);
    // The alarm does not ring, and the next wakes come long after it.
    let lost = now + BACKSTOP_MILLIS + LOST_MILLIS;
    consumer.woken(0, at(lost - 1)).unwrap();
    assert_eq!(armed(&database), Some(now + BACKSTOP_MILLIS));
    consumer.woken(0, at(lost)).unwrap();
    assert_eq!(armed(&database), Some(lost + BACKSTOP_MILLIS));
}

#[test]
fn a_page_that_cannot_be_read_is_asked_for_again() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    consumer.rang(at(0)).unwrap();
    for now in [0, BACKSTOP_MILLIS, 2 * BACKSTOP_MILLIS] {
        assert!(matches!(consumer.next(at(now)).unwrap(), Next::Read(_)));
        consumer.missed(at(now)).unwrap();
        assert_eq!(armed(&database), Some(now + BACKSTOP_MILLIS));
        unset(&database);
        consumer.rang(at(now + BACKSTOP_MILLIS)).unwrap();
    }
    assert_eq!(deliver(&mut consumer, &feed, 3 * BACKSTOP_MILLIS, &[]), (Next::Idle, vec![1]));
}

#[test]
fn a_paused_consumer_has_no_alarm_and_misses_nothing() {
    let (database, mut feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &skipping());
    deliver(&mut consumer, &feed, 0, &[]);
    consumer.pause().unwrap();
    unset(&database);
    consumer.rang(at(0)).unwrap();
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(1)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 1, &[]), (Next::Paused, vec![]));
    assert_eq!(armed(&database), None);
    consumer.resume(at(2)).unwrap();
    assert_eq!(armed(&database), Some(2 + BACKSTOP_MILLIS), "durable with the resumption");
    assert_eq!(deliver(&mut consumer, &feed, 2, &[]), (Next::Idle, vec![2]));
}

#[test]
fn a_page_that_was_not_asked_for_is_dropped() {
    let (database, feed) = (database(), Feed::of(&["a"; 5]));
    let mut consumer = open(&database, &skipping());
    let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
    consumer.take_page(feed.read(sillok::handler::Read { after: position(2), ..read }), at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![1, 2, 3, 4, 5]));
    consumer.take_page(feed.read(read), at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![]));
}

#[test]
fn a_run_that_outlasts_its_alarm_has_another() {
    type Begin = fn(&mut Opened);
    let begins: [Begin; 4] = [
        |consumer| consumer.woken(0, at(0)).unwrap(),
        |consumer| consumer.resume(at(0)).unwrap(),
        |consumer| consumer.retry(at(0)).unwrap(),
        |consumer| assert!(consumer.started(Some(at(0)), at(LOST_MILLIS)).unwrap()),
    ];
    for begin in begins {
        let database = database();
        let mut consumer = open(&database, &skipping());
        begin(&mut consumer);
        assert!(matches!(consumer.next(at(0)).unwrap(), Next::Read(_)));
        // The read of the page takes long. Only the alarm would restart a consumer that crashes meanwhile.
        let rings = armed(&database).unwrap();
        unset(&database);
        consumer.rang(at(rings)).unwrap();
        assert_eq!(armed(&database), Some(rings + BACKSTOP_MILLIS));
    }
}
