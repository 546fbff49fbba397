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
