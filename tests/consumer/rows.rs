//! The rows that consumers write to SQLite.

use crate::world::*;
use sillok::handler::{Kind, Next, OnFailure, Settings};

fn skipping() -> Settings {
    settings(Kind::Projection, OnFailure::Skip)
}

#[test]
fn a_document_that_a_page_alters_often_is_written_once() {
    let (database, mut feed) = (Place::in_sqlite(), Feed::of(&["a"; 100]));
    feed.page = 100;
    let mut consumer = open(&database, &skipping());
    let mut rows_of_a_page = |feed: &Feed| {
        consumer.woken(0, at(0)).unwrap();
        let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
        consumer.take_page(feed.read(read), at(0)).unwrap();
        let before = database.0.total_changes();
        consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
        database.0.total_changes() - before
    };
    assert_eq!(rows_of_a_page(&feed), 3, "the document, the state and, this once, the kind");
    (0..100).for_each(|_| feed.add(0, "a", "Counted"));
    assert_eq!(rows_of_a_page(&feed), 2, "the document and the state");
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}

#[test]
fn a_follower_of_documents_costs_no_written_row() {
    let (database, mut feed) = (Place::in_sqlite(), Feed::of(&["a", "b", "c"]));
    let mut consumer = open(&database, &skipping());
    let mut rows_of_all = |feed: &Feed, follows: bool| {
        consumer.woken(0, at(0)).unwrap();
        let before = database.0.total_changes();
        project(&mut consumer, feed, 0, &[]).unwrap();
        if follows {
            let followed = consumer.follow("", None, true).unwrap();
            assert!(!followed.more);
            consumer.follow("", Some(&followed.checkpoint), false).unwrap();
        }
        database.0.total_changes() - before
    };
    rows_of_all(&feed, true);
    ["a", "b"].iter().for_each(|stream| feed.add(0, stream, "Counted"));
    let with = rows_of_all(&feed, true);
    ["a", "b"].iter().for_each(|stream| feed.add(0, stream, "Counted"));
    assert_eq!(with, rows_of_all(&feed, false));
}

#[test]
fn a_place_among_events_that_are_not_wanted_is_made_durable_now_and_then() {
    let (database, mut feed) = (Place::in_sqlite(), Feed::new(1));
    feed.page = 5000;
    let mut consumer = open(&database, &skipping());
    let stored = || open(&database, &skipping()).status().unwrap().checkpoint.to_string();
    for number in 1..=2500 {
        feed.add(0, "a", feed.unwanted);
        consumer.woken(0, at(number)).unwrap();
        assert_eq!(project(&mut consumer, &feed, number, &[]).unwrap(), Next::Idle);
        match number {
            999 => assert_eq!(stored(), "0"),
            1000 | 1999 => assert_eq!(stored(), "1000"),
            2500 => assert_eq!(stored(), "2000"),
            _ => {}
        }
    }
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "2500");
}
