//! Projections: events become documents, each exactly once.

use super::database;
use crate::world::*;
use sillok::handler::{Kind, Next, OnFailure, Running};

fn skipping() -> sillok::handler::Settings {
    settings(Kind::Projection, OnFailure::Skip)
}

#[test]
fn documents_follow_the_feed() {
    let (database, mut feed) = (database(), Feed::of(&["a", "b", "a", "a", "b", "c", "a"]));
    let mut consumer = open(&database, &skipping());
    assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    feed.add(0, "a", "Counted");
    consumer.woken(0, at(1)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 1, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    assert_eq!(consumer.document(&key("a")).unwrap().unwrap().as_str(), "[1,3,4,7,8]");
    assert_eq!(consumer.document(&key("z")).unwrap(), None);
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "8");
    // A consumer that is opened again is at its checkpoint.
    let mut consumer = open(&database, &skipping());
    assert_eq!(project(&mut consumer, &feed, 2, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}

#[test]
fn the_events_before_a_failure_take_effect_and_the_failed_one_is_attempted_again() {
    let (database, feed) = (database(), Feed::of(&["a", "a", "a"]));
    let mut consumer = open(&database, &skipping());
    assert_eq!(project(&mut consumer, &feed, 0, &[2]).unwrap(), Next::Wait { until: at(100) });
    assert_eq!(documents(&mut consumer), folded(&feed, &[2, 3]));
    let status = consumer.status().unwrap();
    assert_eq!(
        (status.checkpoint.to_string().as_str(), status.failures, status.retry_at),
        ("1", 1, Some(at(100)))
    );
    assert_eq!(status.error.unwrap().message, "2 fails");
    // The changes of the failed attempt are undone, also after a crash.
    let mut consumer = open(&database, &skipping());
    assert_eq!(project(&mut consumer, &feed, 99, &[]).unwrap(), Next::Wait { until: at(100) });
    assert_eq!(project(&mut consumer, &feed, 100, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    let status = consumer.status().unwrap();
    assert_eq!((status.failures, status.retry_at, status.dead_letters), (0, None, 0));
}

#[test]
fn an_event_that_always_fails_becomes_a_dead_letter() {
    let (database, feed) = (database(), Feed::of(&["a", "a", "b", "a"]));
    let mut consumer = open(&database, &skipping());
    assert_eq!(project(&mut consumer, &feed, 0, &[2]).unwrap(), Next::Wait { until: at(100) });
    assert_eq!(project(&mut consumer, &feed, 100, &[2]).unwrap(), Next::Wait { until: at(300) });
    assert_eq!(project(&mut consumer, &feed, 300, &[2]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[2]));
    let letter = &consumer.dead_letters(0, 10).unwrap().letters[0];
    assert_eq!((letter.event.clone(), letter.attempts), (feed.partitions[0][1].clone(), 3));
    assert_eq!((letter.error.message.as_str(), letter.time), ("2 fails", at(300)));
    assert_eq!(consumer.status().unwrap().dead_letters, 1);
    // After a repair, the event is projected. The same transaction deletes its letter.
    consumer.retry(at(400)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 400, &[]).unwrap(), Next::Idle);
    assert_eq!(consumer.document(&key("a")).unwrap().unwrap().as_str(), "[1,4,2]");
    assert_eq!(letters(&mut consumer), []);
}

#[test]
fn partitions_are_followed_in_turn() {
    let (database, mut feed) = (database(), Feed::new(3));
    let settings = sillok::handler::Settings { partitions: 3, ..skipping() };
    for number in 0..30 {
        feed.add(number % 3, &format!("stream-{}", number % 3), "Counted");
    }
    let mut consumer = open(&database, &settings);
    let mut first = Vec::new();
    for _ in 0..3 {
        let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
        first.push(read.partition);
        consumer.take_page(feed.read(read), at(0)).unwrap();
        assert_eq!(consumer.next(at(0)).unwrap(), Next::Project);
        consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
    }
    first.sort_unstable();
    assert_eq!(first, [0, 1, 2]);
    assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "10.10.10");
}

#[test]
fn a_reader_knows_whether_an_event_was_seen() {
    let (database, mut feed) = (database(), Feed::of(&["a", "a"]));
    (0..5).for_each(|_| feed.add(0, "x", "Unwanted"));
    let mut consumer = open(&database, &skipping());
    assert!(consumer.reached(0, position(0)).unwrap());
    assert!(!consumer.reached(0, position(1)).unwrap());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    assert!(consumer.reached(0, position(7)).unwrap(), "also what it does not want");
    assert!(!consumer.reached(0, position(8)).unwrap());
    assert!(!consumer.reached(1, position(1)).unwrap());
}

#[test]
fn a_paused_consumer_resumes_at_its_checkpoint_with_its_attempts() {
    let (database, feed) = (database(), Feed::of(&["a", "a"]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[2]).unwrap();
    consumer.pause().unwrap();
    assert_eq!(project(&mut consumer, &feed, 1000, &[]).unwrap(), Next::Paused);
    let mut consumer = open(&database, &skipping());
    assert_eq!(project(&mut consumer, &feed, 1000, &[]).unwrap(), Next::Paused);
    let status = consumer.status().unwrap();
    assert_eq!((status.running, status.failures), (Running::Paused, 1));
    consumer.resume(at(2000)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 2000, &[2]).unwrap(), Next::Wait { until: at(2200) });
    assert_eq!(consumer.status().unwrap().failures, 2);
}
