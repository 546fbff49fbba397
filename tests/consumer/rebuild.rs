//! Rebuilds: documents are made again beside those that readers see.

use super::database;
use crate::world::*;
use sillok::ErrorCode;
use sillok::handler::{Kind, Lane, Next, OnFailure, RebuildError, Settings};
use sillok::store::Position;

fn skipping() -> Settings {
    settings(Kind::Projection, OnFailure::Skip)
}

#[test]
fn the_new_documents_take_the_place_of_the_old_ones() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b", "c"]));
    let mut consumer = open(&database, &skipping());
    // The code that made the first documents was wrong.
    run(&mut consumer, &feed, 0, &mut |work| match work {
        Work::Project(event, documents) => {
            documents.put(&format!("wrong-{}", event.json), &sillok::store::JsonText::null()).unwrap();
            Ok(())
        }
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    })
    .unwrap();
    consumer.rebuild(at(0)).unwrap();
    assert_eq!(consumer.status().unwrap().rebuild.unwrap().checkpoint.to_string(), "0");
    assert_eq!(documents(&mut consumer).len(), 7, "the old ones until the new ones are there");
    assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    let status = consumer.status().unwrap();
    assert_eq!((status.checkpoint.to_string().as_str(), status.rebuild), ("7", None));
    assert_eq!(database.rows(), 3, "nothing is left of the old ones");
}

#[test]
fn the_live_documents_keep_up_while_others_are_built() {
    let (database, mut feed) = (database(), Feed::of(&["a"; 12]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    let mut live = Vec::new();
    loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) => {
                // Events continue to arrive, and every other page is for the live lane.
                if consumer.status().unwrap().rebuild.is_some() && feed.end(0) < position(16) {
                    feed.add(0, "a", "Counted");
                    consumer.woken(0, at(0)).unwrap();
                }
                consumer.take_page(feed.read(read), at(0)).unwrap();
            }
            Next::Project => {
                consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap()
            }
            Next::Tidied => {}
            rest => break assert_eq!(rest, Next::Idle),
        }
        live.push(consumer.status().unwrap().checkpoint.position(0));
    }
    assert!(live.is_sorted(), "readers never go back: {live:?}");
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    assert_eq!(database.rows(), 1);
}

#[test]
fn new_documents_wait_until_every_partition_has_come_as_far() {
    let (database, mut feed) = (database(), Feed::new(2));
    let settings = Settings { partitions: 2, ..skipping() };
    feed.add(0, "a", "Counted");
    (0..9).for_each(|_| feed.add(1, "b", "Counted"));
    let mut consumer = open(&database, &settings);
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            Next::Project => {
                consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
            }
            Next::Tidied => {}
            rest => break assert_eq!(rest, Next::Idle),
        }
        assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "1.9", "readers never go back");
    }
    assert_eq!(consumer.status().unwrap().rebuild, None);
}

#[test]
fn a_rebuild_continues_after_a_crash() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b", "c"]));
    project(&mut open(&database, &skipping()), &feed, 0, &[]).unwrap();
    open(&database, &skipping()).rebuild(at(0)).unwrap();
    assert_eq!(armed(&database), Some(sillok::handler::BACKSTOP_MILLIS), "the duty is durable");
    for _ in 0..100 {
        // This makes three calls, and then a crash.
        let mut consumer = open(&database, &skipping());
        for _ in 0..3 {
            match consumer.next(at(0)).unwrap() {
                Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
                Next::Project => {
                    consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
                }
                _ => {}
            }
        }
    }
    let mut consumer = open(&database, &skipping());
    assert_eq!(consumer.status().unwrap().rebuild, None);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}

#[test]
fn a_rebuild_begun_again_gives_up_the_first() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c"]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    // This is a page of the first rebuild.
    let read = loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) if read.lane == sillok::handler::Lane::Rebuild => break read,
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    consumer.take_page(feed.read(read), at(0)).unwrap();
    consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
    consumer.rebuild(at(0)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    assert_eq!(database.rows(), 3);
}

#[test]
fn a_page_for_a_rebuild_that_was_given_up_is_dropped() {
    let (database, feed) = (database(), Feed::of(&["a"; 9]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    let late = loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) if read.lane == sillok::handler::Lane::Rebuild && read.after > position(0) => {
                break feed.read(read);
            }
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            Next::Project => {
                consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
            }
            other => panic!("{other:?}"),
        }
    };
    consumer.rebuild(at(0)).unwrap();
    consumer.take_page(late, at(0)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}

#[test]
fn an_event_that_fails_in_a_rebuild_does_not_affect_the_live_documents() {
    let (database, mut feed) = (database(), Feed::of(&["a", "b", "a"]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 0, &[2]).unwrap(), Next::Wait { until: at(100) });
    feed.add(0, "c", "Counted");
    consumer.woken(0, at(50)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 50, &[2]).unwrap(), Next::Wait { until: at(100) });
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    assert_eq!(project(&mut consumer, &feed, 100, &[2]).unwrap(), Next::Wait { until: at(300) });
    assert_eq!(letters(&mut consumer), []);
    assert_eq!(project(&mut consumer, &feed, 300, &[2]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[2]));
    assert_eq!(letters(&mut consumer), [(2, "failed")]);
    // The letters of the old generation are deleted with it.
    consumer.rebuild(at(400)).unwrap();
    assert_eq!(project(&mut consumer, &feed, 400, &[]).unwrap(), Next::Idle);
    assert_eq!((letters(&mut consumer), documents(&mut consumer)), (vec![], folded(&feed, &[])));
    assert_eq!(database.rows(), documents(&mut consumer).len(), "the documents are all there is");
}

#[test]
fn a_round_continues_through_the_letters_of_the_new_documents() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a"]));
    let mut consumer = open(&database, &skipping());
    for now in [0, 100, 300] {
        project(&mut consumer, &feed, now, &[2]).unwrap();
    }
    assert_eq!(letters(&mut consumer), [(2, "failed")]);
    consumer.rebuild(at(1000)).unwrap();
    for now in [1000, 1100] {
        project(&mut consumer, &feed, now, &[2]).unwrap();
    }
    consumer.retry(at(1250)).unwrap();
    // The last attempt of the rebuild comes at once, before the next letter of the round.
    assert_eq!(project(&mut consumer, &feed, 1250, &[2]).unwrap(), Next::Wait { until: at(1350) });
    assert_eq!((consumer.status().unwrap().rebuild, letters(&mut consumer)), (None, vec![(2, "failed")]));
    assert_eq!(project(&mut consumer, &feed, 1350, &[]).unwrap(), Next::Idle);
    assert_eq!((letters(&mut consumer), documents(&mut consumer)), (vec![], folded(&feed, &[])));
}

#[test]
fn old_documents_are_removed_a_few_at_a_time() {
    let (database, mut feed) = (database(), Feed::new(1));
    (0..1200).for_each(|number| feed.add(0, &format!("stream-{number}"), "Counted"));
    feed.page = 1000;
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    let mut tidied = Vec::new();
    loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            Next::Project => {
                consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap()
            }
            Next::Tidied => tidied.push(database.rows()),
            rest => break assert_eq!(rest, Next::Idle),
        }
    }
    assert_eq!(tidied, [1900, 1400, 1200]);
}

#[test]
fn a_feed_that_gives_less_than_before_is_asked_again_later() {
    let (database, feed) = (database(), Feed::of(&["a", "b"]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    assert_eq!(project(&mut consumer, &Feed::new(1), 0, &[]).unwrap(), Next::Wait { until: at(5000) });
    assert_eq!(project(&mut consumer, &feed, 5000, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}

#[test]
fn deliveries_cannot_be_rebuilt() {
    let mut consumer = open(&database(), &settings(Kind::Reactor, OnFailure::Skip));
    let error = consumer.rebuild(at(0)).unwrap_err();
    assert_eq!((error.code(), error), (ErrorCode::NotAProjection, RebuildError::NotAProjection));
}

#[test]
fn a_page_of_one_rebuild_is_not_used_by_the_next() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b", "c"]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    let second_page = loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) if read.lane == Lane::Rebuild && read.after > Position::START => break read,
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            _ => consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap(),
        }
    };
    consumer.rebuild(at(0)).unwrap();
    consumer.take_page(feed.read(second_page), at(0)).unwrap();
    project(&mut consumer, &feed, 0, &[]).unwrap();
    assert_eq!(consumer.status().unwrap().rebuild, None);
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}
