//! The use of documents by a projection's handler.

use super::database;
use crate::random::Flaky;
use crate::world::*;
use sillok::ErrorCode;
use sillok::handler::{DocumentError, Documents, Kind, Next, OnFailure};
use sillok::store::JsonText;

type Handle = Documents<crate::database::Database>;

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// Runs a handler on the first event of a feed.
fn with_documents(consumer: &mut Opened, handler: &mut dyn FnMut(&Handle) -> Result<(), String>) -> Next {
    let mut feed = Feed::of(&["a"]);
    let seen = consumer.status().unwrap().checkpoint.position(0).get();
    (0..seen).for_each(|_| feed.add(0, "a", "Counted"));
    consumer.woken(0, at(0)).unwrap();
    let work = &mut |work: Work<'_, _>| match work {
        Work::Project(_, documents) => handler(documents),
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    };
    run(consumer, &feed, 0, work).unwrap()
}

fn keys(page: &sillok::handler::DocumentPage) -> Vec<&str> {
    page.documents.iter().map(|(key, _)| key.as_str()).collect()
}

fn projection() -> Opened {
    open(&database(), &settings(Kind::Projection, OnFailure::Skip))
}

#[test]
fn a_handler_sees_what_it_wrote_beside_what_is_stored() {
    let mut consumer = projection();
    with_documents(&mut consumer, &mut |documents| {
        for key in ["b", "d", "f", "other"] {
            documents.put(key, &json("0")).unwrap();
        }
        Ok(())
    });
    with_documents(&mut consumer, &mut |documents| {
        documents.put("a", &json("1")).unwrap();
        documents.put("d", &json("1")).unwrap();
        documents.put("g", &json("1")).unwrap();
        documents.delete("f").unwrap();
        documents.delete("unknown").unwrap();
        assert_eq!(documents.get("d").unwrap(), Some(json("1")));
        assert_eq!(documents.get("b").unwrap(), Some(json("0")));
        assert_eq!(documents.get("f").unwrap(), None);
        let all = documents.list("", "", 10).unwrap();
        assert_eq!(keys(&all), ["a", "b", "d", "g", "other"]);
        assert_eq!((all.next, &all.documents[2].1), (None, &json("1")));
        let first = documents.list("", "", 2).unwrap();
        assert_eq!((keys(&first), first.next.as_deref()), (vec!["a", "b"], Some("b")));
        let second = documents.list("", "b", 2).unwrap();
        assert_eq!((keys(&second), second.next.as_deref()), (vec!["d", "g"], Some("g")));
        assert_eq!(keys(&documents.list("o", "", 10).unwrap()), ["other"]);
        assert_eq!(keys(&documents.list("x", "", 10).unwrap()), [""; 0]);
        Ok(())
    });
    assert_eq!(keys(&consumer.documents("", "", 10).unwrap()), ["a", "b", "d", "g", "other"]);
    assert_eq!(keys(&consumer.documents("", "b", 1).unwrap()), ["d"]);
}

#[test]
fn the_changes_of_a_failed_event_are_undone() {
    let mut consumer = projection();
    with_documents(&mut consumer, &mut |documents| {
        documents.put("kept", &json("1")).unwrap();
        documents.put("removed", &json("1")).map_err(|error| error.to_string())
    });
    let rest = with_documents(&mut consumer, &mut |documents| {
        documents.put("kept", &json("2")).unwrap();
        documents.put("kept", &json("3")).unwrap();
        documents.put("new", &json("1")).unwrap();
        documents.delete("removed").unwrap();
        Err("no".to_owned())
    });
    assert_eq!(rest, Next::Wait { until: at(100) });
    let expected = [("kept", "1"), ("removed", "1")].map(|(key, text)| (key.to_owned(), text.to_owned()));
    assert_eq!(documents(&mut consumer), expected);
}

#[test]
fn every_bound_has_an_error_of_its_own() {
    let mut consumer = projection();
    with_documents(&mut consumer, &mut |documents| {
        let largest = json(&format!("\"{}\"", "x".repeat(1024 * 1024 - 2)));
        let larger = json(&format!("\"{}\"", "x".repeat(1024 * 1024 - 1)));
        documents.put(&"k".repeat(200), &largest).unwrap();
        assert_eq!(documents.put("k", &larger), Err(DocumentError::TooLarge { bytes: 1024 * 1024 + 1 }));
        for key in ["", &"k".repeat(201), "a\nb"] {
            let error = documents.put(key, &json("1")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidDocumentKey);
            assert_eq!(documents.get(key), Err(error.clone()));
            assert_eq!(documents.delete(key), Err(error));
        }
        Ok(())
    });
    assert_eq!(DocumentError::TooLarge { bytes: 0 }.code(), ErrorCode::DocumentTooLarge);
}

#[test]
fn documents_are_refused_after_their_handler_has_returned() {
    let mut consumer = projection();
    let mut handle = None;
    with_documents(&mut consumer, &mut |documents| {
        handle = Some(documents.clone());
        Ok(())
    });
    let handle = handle.unwrap();
    assert_eq!(handle.get("a"), Err(DocumentError::Over));
    assert_eq!(handle.put("a", &json("1")), Err(DocumentError::Over));
    assert_eq!(handle.delete("a"), Err(DocumentError::Over));
    assert_eq!(handle.list("", "", 1), Err(DocumentError::Over));
    assert_eq!(DocumentError::Over.code(), ErrorCode::DocumentsOver);
}

#[test]
fn more_than_memory_should_hold_is_written_on_the_way_and_still_as_one() {
    let (database, mut feed) = (database(), Feed::of(&["a"; 9]));
    feed.page = 9;
    let mut consumer = open(&database, &settings(Kind::Projection, OnFailure::Skip));
    let large = json(&format!("\"{}\"", "x".repeat(1024 * 1024 - 2)));
    let rest = run(&mut consumer, &feed, 0, &mut |work| match work {
        Work::Project(event, documents) => {
            documents.put(&event.json, &large).unwrap();
            documents.put("last", &json(&event.json)).unwrap();
            if event.json == "9" { Err("no".to_owned()) } else { Ok(()) }
        }
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    });
    assert_eq!(rest.unwrap(), Next::Wait { until: at(100) });
    assert_eq!(consumer.document(&key("8")).unwrap(), Some(large));
    assert_eq!(consumer.document(&key("9")).unwrap(), None);
    assert_eq!(consumer.document(&key("last")).unwrap(), Some(json("8")));
    // A page for a reader ends with the document that fills 4 MiB.
    let page = consumer.documents("", "", 1000).unwrap();
    assert_eq!((keys(&page), page.next.as_deref()), (vec!["1", "2", "3", "4"], Some("4")));
}

#[test]
fn a_handler_cannot_pass_over_a_failure_of_the_storage() {
    let (feed, settings) = (Feed::of(&["a"]), settings(Kind::Projection, OnFailure::Skip));
    let sql = Flaky::new(crate::world::database(), 1);
    let alarm = StoredAlarm(sql.clone());
    let mut consumer = sillok::handler::Consumer::open(sql.clone(), alarm, settings).ok().unwrap();
    for reads_all in [false, true] {
        let rest = run(&mut consumer, &feed, 0, &mut |work| {
            if let Work::Project(_, documents) = work {
                sql.failing.set(1000);
                let failed =
                    if reads_all { documents.list("", "", 1).is_err() } else { documents.get("a").is_err() };
                sql.failing.set(0);
                assert!(failed);
            }
            Ok(())
        });
        assert!(rest.is_err());
    }
    assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
    assert_eq!(consumer.document(&key("a")).unwrap(), Some(json("[1]")));
}
