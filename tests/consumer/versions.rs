//! A projection whose code has another version rebuilds itself.

use super::database;
use crate::world::*;
use sillok::handler::{Kind, Next, OnFailure, Running, Settings};
use sillok::store::JsonText;

fn of_version(version: u32, on_failure: OnFailure) -> Settings {
    Settings { version, ..settings(Kind::Projection, on_failure) }
}

/// Writes documents that code of another version would not write.
fn write_wrong(consumer: &mut Opened, feed: &Feed) {
    run(consumer, feed, 0, &mut |work| match work {
        Work::Project(event, documents) => {
            documents.put(&format!("wrong-{}", event.json), &JsonText::null()).unwrap();
            Ok(())
        }
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    })
    .unwrap();
}

#[test]
fn another_version_makes_the_documents_again_beside_the_old_ones_also_a_lower_one() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b", "c"]));
    let mut last = 7;
    for (place, version) in [2, 9, 1, 2].into_iter().enumerate() {
        if place == 0 {
            write_wrong(&mut open(&database, &of_version(1, OnFailure::Skip)), &feed);
        }
        let mut consumer = open(&database, &of_version(version, OnFailure::Skip));
        assert_eq!(consumer.status().unwrap().rebuild, None, "a read changes nothing");
        let Next::Read(_) = consumer.next(at(0)).unwrap() else { panic!("there is a rebuild to do") };
        assert_eq!(consumer.status().unwrap().rebuild.unwrap().checkpoint.to_string(), "0");
        assert_eq!(documents(&mut consumer).len(), last, "the old ones until the new ones are there");
        assert_eq!(project(&mut consumer, &feed, 0, &[]).unwrap(), Next::Idle);
        assert_eq!(documents(&mut consumer), folded(&feed, &[]));
        assert_eq!(consumer.status().unwrap().rebuild, None);
        assert_eq!(database.rows(), 3, "nothing is left of the old ones");
        let mut same = open(&database, &of_version(version, OnFailure::Skip));
        project(&mut same, &feed, 0, &[]).unwrap();
        assert_eq!(documents(&mut same), folded(&feed, &[]));
        last = 3;
    }
}

#[test]
fn the_first_version_of_a_new_projection_is_any_number() {
    let (database, feed) = (database(), Feed::of(&["a", "b"]));
    let settings = of_version(7, OnFailure::Skip);
    project(&mut open(&database, &settings), &feed, 0, &[]).unwrap();
    let mut again = open(&database, &settings);
    let rest = run(&mut again, &feed, 0, &mut |_| panic!("no event is handled twice")).unwrap();
    assert_eq!((rest, again.status().unwrap().rebuild), (Next::Idle, None));
}

#[test]
fn a_third_version_gives_up_the_rebuild_of_the_second() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a", "b", "c"]));
    project(&mut open(&database, &of_version(1, OnFailure::Skip)), &feed, 0, &[]).unwrap();
    let mut second = open(&database, &of_version(2, OnFailure::Skip));
    loop {
        match second.next(at(0)).unwrap() {
            Next::Read(read) => second.take_page(feed.read(read), at(0)).unwrap(),
            Next::Project => break,
            rest => panic!("{rest:?}"),
        }
    }
    second
        .project(at(0), 0, &mut |event, documents| {
            documents.put(&format!("wrong-{}", event.json), &JsonText::null()).map_err(|error| error.to_string())
        })
        .unwrap();
    assert!(second.status().unwrap().rebuild.is_some());
    let mut third = open(&database, &of_version(3, OnFailure::Skip));
    project(&mut third, &feed, 0, &[]).unwrap();
    assert_eq!(documents(&mut third), folded(&feed, &[]));
    assert_eq!(database.rows(), 3);
}

#[test]
fn a_process_of_the_old_version_leaves_the_work_to_the_new_one() {
    let (database, mut feed) = (database(), Feed::of(&["a", "b", "a"]));
    let mut old = open(&database, &of_version(1, OnFailure::Skip));
    project(&mut old, &feed, 0, &[]).unwrap();
    let mut new = open(&database, &of_version(2, OnFailure::Skip));
    let Next::Read(_) = new.next(at(0)).unwrap() else { panic!("there is a rebuild to do") };
    feed.add(0, "a", "Counted");
    old.woken(0, at(0)).unwrap();
    let rest = run(&mut old, &feed, 0, &mut |_| panic!("the old code handles nothing more")).unwrap();
    assert_eq!(rest, Next::Idle);
    new.woken(0, at(0)).unwrap();
    project(&mut new, &feed, 0, &[]).unwrap();
    assert_eq!(documents(&mut new), folded(&feed, &[]));
    assert_eq!(documents(&mut old), folded(&feed, &[]), "it still reads");
    // Started again, the old code is a rollback.
    let mut back = open(&database, &of_version(1, OnFailure::Skip));
    let Next::Read(_) = back.next(at(0)).unwrap() else { panic!("there is a rebuild to do") };
}

#[test]
fn an_event_at_which_the_old_code_has_stopped_is_attempted_by_the_new_code() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a"]));
    let mut old = open(&database, &of_version(1, OnFailure::Stop));
    for now in [0, 1000, 3000] {
        project(&mut old, &feed, now, &[2]).unwrap();
    }
    assert_eq!(old.status().unwrap().running, Running::Stopped);
    let mut new = open(&database, &of_version(2, OnFailure::Stop));
    assert_eq!(project(&mut new, &feed, 3000, &[]).unwrap(), Next::Idle);
    assert_eq!(new.status().unwrap().running, Running::Running);
    assert_eq!(documents(&mut new), folded(&feed, &[]));
    // A pause is the decision of an operator.
    new.pause().unwrap();
    let mut third = open(&database, &of_version(3, OnFailure::Stop));
    assert_eq!(project(&mut third, &feed, 3000, &[]).unwrap(), Next::Paused);
    third.resume(at(3000)).unwrap();
    assert!(third.status().unwrap().rebuild.is_some());
    assert_eq!(project(&mut third, &feed, 3000, &[]).unwrap(), Next::Idle);
    assert_eq!(documents(&mut third), folded(&feed, &[]));
}
