//! Dead letters. Held streams stay in order, and a round through the letters releases them.

use super::database;
use crate::world::*;
use sillok::handler::{Delivery, Kind, Next, OnFailure, Outcome, Settings};

fn holding() -> Settings {
    let mut settings = settings(Kind::Reactor, OnFailure::HoldStream);
    settings.policy.attempts = 1;
    settings
}

#[test]
fn the_later_events_of_a_failed_stream_are_held_and_others_go_on() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b"]));
    let mut consumer = open(&database, &holding());
    assert_eq!(deliver(&mut consumer, &feed, 0, &[1]), (Next::Idle, vec![1, 2, 4, 6]));
    assert_eq!(letters(&mut consumer), [(1, "failed"), (3, "held"), (5, "held")]);
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "6");
}

#[test]
fn a_round_delivers_what_is_held_in_its_order_and_releases_the_stream() {
    let (database, mut feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b"]));
    let mut consumer = open(&database, &holding());
    deliver(&mut consumer, &feed, 0, &[1, 2]);
    assert_eq!(letters(&mut consumer), [(1, "failed"), (2, "failed"), (3, "held"), (5, "held"), (6, "held")]);
    // One letter fails once more. The letters behind it stay held, and the other stream is released.
    consumer.retry(at(10)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 10, &[2]), (Next::Idle, vec![1, 2, 3, 5]));
    assert_eq!(letters(&mut consumer), [(2, "failed"), (6, "held")]);
    let letter = &consumer.dead_letters(0, 1).unwrap().letters[0];
    assert_eq!((letter.attempts, letter.time), (2, at(10)));
    feed.add(0, "a", "Counted");
    feed.add(0, "b", "Counted");
    consumer.woken(0, at(20)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 20, &[]), (Next::Idle, vec![7]));
    assert_eq!(letters(&mut consumer), [(2, "failed"), (6, "held"), (8, "held")]);
    consumer.retry(at(30)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 30, &[]), (Next::Idle, vec![2, 6, 8]));
    assert_eq!(letters(&mut consumer), []);
    assert!(!consumer.status().unwrap().retrying);
}

#[test]
fn events_held_during_a_round_are_delivered_in_it() {
    let (database, mut feed) = (database(), Feed::of(&["a", "a"]));
    let mut settings = holding();
    settings.policy.attempts = 2;
    let mut consumer = open(&database, &settings);
    deliver(&mut consumer, &feed, 0, &[1]);
    deliver(&mut consumer, &feed, 100, &[1]);
    assert_eq!(letters(&mut consumer), [(1, "failed"), (2, "held")]);
    consumer.retry(at(200)).unwrap();
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(200)).unwrap();
    let (rest, attempted) = deliver(&mut consumer, &feed, 200, &[1]);
    assert_eq!((rest, attempted), (Next::Wait { until: at(300) }, vec![1]));
    assert_eq!(letters(&mut consumer), [(1, "failed"), (2, "held"), (3, "held")]);
    // After a crash during the round, the round continues from its place.
    let mut consumer = open(&database, &settings);
    assert!(consumer.status().unwrap().retrying);
    assert_eq!(deliver(&mut consumer, &feed, 300, &[]), (Next::Idle, vec![1, 2, 3]));
    assert_eq!(letters(&mut consumer), []);
}

#[test]
fn a_letter_has_a_new_series_of_attempts_and_then_stays() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "c"]));
    let mut settings = settings(Kind::Reactor, OnFailure::Skip);
    settings.policy.attempts = 2;
    let mut consumer = open(&database, &settings);
    assert_eq!(deliver(&mut consumer, &feed, 0, &[1]), (Next::Wait { until: at(100) }, vec![1]));
    assert_eq!(deliver(&mut consumer, &feed, 100, &[1]), (Next::Idle, vec![1, 2, 3]));
    consumer.retry(at(200)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 200, &[1]), (Next::Wait { until: at(300) }, vec![1]));
    assert_eq!(deliver(&mut consumer, &feed, 300, &[1]), (Next::Idle, vec![1]));
    let letter = &consumer.dead_letters(0, 1).unwrap().letters[0];
    assert_eq!((letter.attempts, letter.time, letter.error.message.as_str()), (4, at(300), "1 fails"));
    assert_eq!(deliver(&mut consumer, &feed, 9000, &[]), (Next::Idle, vec![]), "the round is over");
}

#[test]
fn a_round_begun_again_passes_no_letter_over() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "c"]));
    let mut settings = settings(Kind::Reactor, OnFailure::Skip);
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    deliver(&mut consumer, &feed, 0, &[1, 2]);
    consumer.retry(at(0)).unwrap();
    let mut ids = Vec::new();
    while ids.len() < 2 {
        match consumer.next(at(0)).unwrap() {
            Next::Deliver(delivery) => ids.push(only(delivery).id),
            other => panic!("{other:?}"),
        }
        if ids.len() == 1 {
            consumer.delivered(&ids[0], Outcome::failed("no"), at(0), 0).unwrap();
        }
    }
    // The second letter is under way.
    consumer.retry(at(0)).unwrap();
    consumer.delivered(&ids[1], Outcome::Done, at(0), 0).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![1, 2]));
    assert_eq!(letters(&mut consumer), []);
}

#[test]
fn letters_come_in_pages() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "c", "d", "e"]));
    let mut settings = settings(Kind::Reactor, OnFailure::Skip);
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    deliver(&mut consumer, &feed, 0, &[1, 2, 3, 4, 5]);
    let (mut after, mut pages) = (Some(0), Vec::new());
    while let Some(id) = after {
        let page = consumer.dead_letters(id, 2).unwrap();
        pages.push(page.letters.iter().map(|letter| letter.event.position.get()).collect::<Vec<_>>());
        after = page.next;
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[test]
fn a_page_of_large_letters_ends_early() {
    let (database, mut feed) = (database(), Feed::of(&["a"; 6]));
    feed.partitions[0].iter_mut().for_each(|event| event.json = format!("\"{}\"", "x".repeat(1024 * 1024)));
    let mut settings = settings(Kind::Reactor, OnFailure::Skip);
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    deliver(&mut consumer, &feed, 0, &[1, 2, 3, 4, 5, 6]);
    let page = consumer.dead_letters(0, 1000).unwrap();
    assert_eq!((page.letters.len(), page.next), (4, Some(4)));
}

#[test]
fn letters_are_discarded_one_or_all() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "c", "d"]));
    let mut settings = settings(Kind::Reactor, OnFailure::Skip);
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    deliver(&mut consumer, &feed, 0, &[1, 2, 3]);
    for unknown in [0, 4, u64::MAX] {
        assert!(!consumer.discard(unknown..=unknown).unwrap(), "{unknown}");
    }
    assert!(consumer.discard(2..=2).unwrap());
    assert!(!consumer.discard(2..=2).unwrap());
    assert_eq!(letters(&mut consumer), [(1, "failed"), (3, "failed")]);
    assert!(consumer.discard(1..=u64::MAX).unwrap());
    assert!(!consumer.discard(1..=u64::MAX).unwrap());
    assert_eq!((letters(&mut consumer), database.rows()), (vec![], 0));
    consumer.retry(at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![]), "they are gone for good");
}

#[test]
fn events_held_by_a_discarded_letter_wait_for_a_retry() {
    let (database, mut feed) = (database(), Feed::of(&["a", "a", "b"]));
    let mut consumer = open(&database, &holding());
    deliver(&mut consumer, &feed, 0, &[1]);
    assert!(consumer.discard(1..=1).unwrap());
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![]));
    assert_eq!(letters(&mut consumer), [(2, "held"), (4, "held")]);
    consumer.retry(at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![2, 4]));
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![5]));
}

#[test]
fn a_letter_that_is_discarded_amid_its_attempts_leaves_no_trace_of_them() {
    let (database, feed) = (database(), Feed::of(&["a", "b"]));
    let mut settings = settings(Kind::Reactor, OnFailure::Skip);
    for now in [0, 100, 300, 400, 600] {
        deliver(&mut open(&database, &settings), &feed, now, &[1, 2]);
    }
    settings.policy.attempts = 2;
    let mut consumer = open(&database, &settings);
    assert_eq!(letters(&mut consumer), [(1, "failed"), (2, "failed")]);
    consumer.retry(at(1000)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 1000, &[1]), (Next::Wait { until: at(1100) }, vec![1]));
    // The second attempt is under way when the letter is discarded.
    let Next::Deliver(second) = consumer.next(at(1100)).unwrap() else { panic!("no delivery") };
    assert!(consumer.discard(1..=1).unwrap());
    consumer.delivered(&only(second).id, Outcome::failed("late"), at(1100), 0).unwrap();
    let Next::Deliver(next) = consumer.next(at(1100)).unwrap() else { panic!("no delivery") };
    let next = only(next);
    assert_eq!((next.event.position.get(), next.attempt), (2, 1));
    consumer.delivered(&next.id, Outcome::failed("no"), at(1100), 0).unwrap();
    // The discard of another letter does not change the waiting letter.
    assert!(!consumer.discard(1..=1).unwrap());
    assert_eq!(deliver(&mut consumer, &feed, 1100, &[]), (Next::Wait { until: at(1200) }, vec![]));
    assert!(consumer.discard(1..=u64::MAX).unwrap());
    assert_eq!(deliver(&mut consumer, &feed, 1100, &[]), (Next::Idle, vec![]));
    assert!(!consumer.status().unwrap().retrying);
}

#[test]
fn many_letters_are_looked_at_and_discarded_some_at_a_time() {
    const MANY: u64 = 1200;
    let (database, mut feed) = (database(), Feed::of(&["b"]));
    (0..MANY).for_each(|_| feed.add(0, "a", "Counted"));
    feed.add(0, "b", "Counted");
    feed.page = 1000;
    let mut consumer = open(&database, &holding());
    deliver(&mut consumer, &feed, 0, &[1, 2]);
    assert_eq!(consumer.status().unwrap().dead_letters, MANY + 2);
    // The first event of `a` fails again. Behind it are its held events, and at the end an event that is released by
    // then.
    consumer.retry(at(0)).unwrap();
    let (mut tidied, mut attempted) = (0, Vec::new());
    while attempted.len() < 3 {
        match consumer.next(at(0)).unwrap() {
            Next::Deliver(deliveries) => {
                let Delivery { id, event, .. } = only(deliveries);
                let number = event.position.get();
                attempted.push(number);
                let outcome = if number == 2 { Outcome::failed("again") } else { Outcome::Done };
                consumer.delivered(&id, outcome, at(0), 0).unwrap();
            }
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            Next::Tidied => tidied += 1,
            other => panic!("{other:?} after {attempted:?}"),
        }
    }
    assert_eq!(attempted, [1, 2, MANY + 2]);
    assert!(tidied >= 2, "others had their turn {tidied} times");
    let last = consumer.last_letter().unwrap();
    let mut left = database.rows();
    while consumer.discard(1..=last).unwrap() {
        let now = database.rows();
        assert!(left - now <= 500, "{} rows were removed in one turn", left - now);
        left = now;
    }
    assert_eq!(left, 0);
}
