//! Long histories: a load in short steps, which goes on where it was cut off.

use super::world;
use crate::counter::added;
use crate::world::{World, add, stream, version};
use sillok::ErrorCode;
use sillok::gateway::{StateAt, StateLoad, Step};
use sillok::store::{DecisionLog, JsonText};

/// More than two interim snapshots.
const COMMITS: u64 = 45;
/// A commit does not end where a page of 1,000 events ends.
const PER_COMMIT: u64 = 1024;
const EVENTS: u64 = COMMITS * PER_COMMIT;

fn long() -> World<impl DecisionLog> {
    let mut world = world();
    for _ in 0..COMMITS {
        world.append(&[1; PER_COMMIT as usize]);
    }
    world
}

#[test]
fn a_load_that_is_cut_off_goes_on_from_an_interim_snapshot() {
    let mut world = long();
    world.code.set(|settings| settings.snapshot_events = 500);
    let mut lives = Vec::new();
    // Each life of the object ends after 25 steps.
    let executed = loop {
        world.restart();
        let (done, folded, _) = world.calls(|world| {
            (0..25).find_map(|_| match world.step(&add(1)).unwrap() {
                Step::Done(executed) => Some(executed),
                Step::More => None,
            })
        });
        lives.push(folded);
        if let Some(executed) = done {
            break executed;
        }
    };
    assert_eq!(executed.version, version(EVENTS + 1));
    assert!(lives.len() > 1 && lives.iter().all(|folded| *folded <= 25 * PER_COMMIT), "{lives:?}");
    assert!(lives.iter().sum::<u64>() < EVENTS + 20 * PER_COMMIT, "{lives:?}");
    assert_eq!(world.snapshot("1"), Some(EVENTS + 1));
    assert_eq!(world.sum().unwrap(), EVENTS + 1);
}

#[test]
fn a_load_stores_interim_snapshots_too() {
    let mut world = long();
    world.code.set(|settings| settings.snapshot_events = 500);
    assert_eq!(world.sum().unwrap(), EVENTS);
    assert!(world.steps > 40, "{} steps", world.steps);
    assert_eq!(world.snapshot("1"), Some(EVENTS));
}

#[test]
fn a_truncation_between_two_steps_makes_no_partial_state() {
    let mut world = long();
    assert_eq!(world.step(&add(1)).unwrap(), Step::More);
    world.store.truncate(&stream(), version(EVENTS)).unwrap();
    assert_eq!(world.step(&add(1)).unwrap_err().code(), ErrorCode::StateUnavailable);
}

#[test]
fn a_truncation_between_two_pages_of_an_earlier_state_makes_no_partial_state() {
    let mut world = long();
    let code = crate::counter::Counter::new(&world.code);
    let mut load = StateLoad::new(Box::new(code), StateAt::Version(version(5000)));
    assert_eq!(load.load(&world.store, &stream()), Ok(Step::More));
    world.store.truncate(&stream(), version(EVENTS)).unwrap();
    let error = load.load(&world.store, &stream()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StateUnavailable);
}

#[test]
fn events_between_two_steps_are_folded_too() {
    let mut world = long();
    assert_eq!(world.step(&add(1)).unwrap(), Step::More);
    world.append(&[5]);
    assert_eq!(world.execute(&add(1)).unwrap().version, version(EVENTS + 2));
    assert_eq!(world.sum().unwrap(), EVENTS + 6);
}

#[test]
fn a_page_of_many_bytes_ends_earlier() {
    let mut world = world();
    let note = JsonText::from_value(&serde_json::json!({ "note": "x".repeat(15_000) })).unwrap();
    // More bytes than a page has, and fewer events.
    for commit in 0..10 {
        let events = (1..=50).map(|n| added(1, 50 * commit + n).with_metadata(note.clone()).unwrap());
        world.append_events(events.collect());
    }
    world.restart();
    assert_eq!(world.execute(&add(1)).unwrap().version, version(501));
    assert!(world.steps > 1, "{} steps", world.steps);
    world.restart();
    assert_eq!(world.sum_at(StateAt::Version(version(500))).unwrap(), (500, 500));
    assert_eq!(world.sum().unwrap(), 501);
}
