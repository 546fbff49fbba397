//! What consumers write to SQLite, row by row.

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
    let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
    consumer.took(feed.read(read), at(0)).unwrap();
    let before = database.0.total_changes();
    consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap();
    assert_eq!(database.0.total_changes() - before, 2, "the document and the state");
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
}

#[test]
fn old_documents_are_removed_a_few_at_a_time() {
    let (database, mut feed) = (Place::in_sqlite(), Feed::new(1));
    (0..1200).for_each(|number| feed.add(0, &format!("stream-{number}"), "Counted"));
    feed.page = 1000;
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[]).unwrap();
    consumer.rebuild(at(0)).unwrap();
    let mut tidied = Vec::new();
    loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) => consumer.took(feed.read(read), at(0)).unwrap(),
            Next::Project => {
                consumer.project(at(0), 0, &mut |event, documents| count(event, documents)).unwrap()
            }
            Next::Tidied => tidied.push(database.rows()),
            rest => break assert_eq!(rest, Next::Idle),
        }
    }
    assert_eq!(tidied, [1900, 1400, 1200]);
}
