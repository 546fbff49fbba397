//! Snapshots: a cache beside the stream. One that does not fit is ignored and replaced.

use super::world;
use crate::world::{World, add, command, stream, version};
use sillok::store::limits::STATE_BYTES;
use sillok::store::{CommitHash, DecisionLog, JsonText, Snapshot};

/// A world with a snapshot of version 3, of the sum 6, and two events after it.
fn with_snapshot() -> World<impl DecisionLog> {
    let mut world = world();
    world.code.set(|settings| settings.snapshot_events = 3);
    world.execute(&command("Add", &[1, 2, 3])).unwrap();
    world.append(&[4]);
    world.append(&[5]);
    assert_eq!(world.snapshot("1"), Some(3));
    world.restart();
    world
}

/// The number of events that a load after a restart folds, and the sum.
fn loaded<L: DecisionLog>(world: &mut World<L>) -> (u64, u64) {
    world.restart();
    let (sum, folded, _) = world.calls(|world| world.sum().unwrap());
    (folded, sum)
}

#[test]
fn a_load_begins_with_the_snapshot() {
    let mut world = with_snapshot();
    assert_eq!(loaded(&mut world), (2, 15));
    world.execute(&add(1)).unwrap();
    assert_eq!(world.snapshot("1"), Some(6), "3 events after the snapshot");
    assert_eq!(loaded(&mut world), (0, 16));
}

#[test]
fn without_a_setting_there_are_no_snapshots() {
    let mut world = world();
    world.execute(&command("Add", &[1; 1000])).unwrap();
    assert_eq!((world.snapshot("1"), world.commands.snapshots().version.get()), (None, 0));
    assert_eq!(loaded(&mut world), (1000, 1000));
}

#[test]
fn a_snapshot_is_due_after_so_many_bytes_of_events() {
    let mut world = world();
    world.code.set(|settings| settings.snapshot_bytes = 300);
    let mut versions = Vec::new();
    for _ in 0..10 {
        world.execute(&add(1_000_000_000)).unwrap();
        versions.extend(world.snapshot("1"));
    }
    versions.dedup();
    assert!((2..=4).contains(&versions.len()), "{versions:?}");
    assert_eq!(world.commands.snapshots().version.get(), *versions.last().unwrap());
    assert!(loaded(&mut world).0 < 10);
}

#[test]
fn a_snapshot_that_does_not_fit_is_ignored_and_replaced_once() {
    let hash = |hash: CommitHash| {
        let mut bytes = hash.as_bytes().to_vec();
        bytes[0] ^= 1;
        CommitHash::from_bytes(&bytes).unwrap()
    };
    let json = |text| JsonText::parse(text).unwrap();
    type Change<'a> = &'a dyn Fn(Snapshot) -> Snapshot;
    let unfit: [(&str, Change<'_>); 6] = [
        ("undecodable", &|snapshot| Snapshot { state: json(r#"{"sum":"6"}"#), ..snapshot }),
        ("of another history", &|snapshot| Snapshot { hash: hash(snapshot.hash), ..snapshot }),
        ("beyond the end", &|snapshot| Snapshot { version: version(6), ..snapshot }),
        ("within a commit", &|snapshot| Snapshot { version: version(2), ..snapshot }),
        ("of another version", &|snapshot| Snapshot { version: version(4), ..snapshot }),
        ("of no version", &|snapshot| Snapshot { version: version(0), ..snapshot }),
    ];
    for (what, change) in unfit {
        let mut world = with_snapshot();
        world.code.set(|settings| settings.snapshot_events = 1000);
        let state = json(r#"{"sum":600}"#);
        let changed = change(Snapshot { state, ..world.stored_snapshot("1").unwrap() });
        world.alter(|log| log.insert_snapshot(&stream(), &changed).unwrap());
        assert_eq!(loaded(&mut world), (5, 15), "{what}");
        assert_eq!(world.snapshot("1"), Some(5), "{what}: replaced");
        assert_eq!(loaded(&mut world), (0, 15), "{what}");
        world.execute(&add(1)).unwrap();
        assert_eq!(world.snapshot("1"), Some(5), "{what}: replaced once");
        world.events();
    }
}

#[test]
fn a_snapshot_that_does_not_fit_is_replaced_after_a_command_too() {
    let mut world = with_snapshot();
    world.code.set(|settings| settings.snapshot_events = 1000);
    let unfit = Snapshot { state: JsonText::null(), ..world.stored_snapshot("1").unwrap() };
    world.alter(|log| log.insert_snapshot(&stream(), &unfit).unwrap());
    world.execute(&add(1)).unwrap();
    assert_eq!(world.snapshot("1"), Some(6));
    world.execute(&add(1)).unwrap();
    assert_eq!(world.snapshot("1"), Some(6));
}

#[test]
fn the_snapshots_of_the_two_latest_codes_are_kept() {
    let mut world = with_snapshot();
    world.code.set(|settings| settings.snapshot_events = 1);
    let run = |world: &mut World<_>, code: &str| {
        *world.code.name.borrow_mut() = code.to_owned();
        world.restart();
        let (_, folded, _) = world.calls(|world| world.execute(&add(1)).unwrap());
        folded
    };
    assert_eq!(run(&mut world, "2"), 5, "the snapshot of code 1 is not used");
    assert_eq!((world.snapshot("1"), world.snapshot("2")), (Some(3), Some(6)));
    assert_eq!(run(&mut world, "1"), 3, "a rollback replays only what is new");
    assert_eq!(run(&mut world, "2;Added=2"), 7, "nor is the snapshot of other schema versions");
    let versions = ["1", "2", "2;Added=2"].map(|code| world.snapshot(code));
    assert_eq!(versions, [Some(7), None, Some(8)], "code 1 has stored last");
    world.events();
}

#[test]
fn a_state_over_the_limit_works_without_a_snapshot() {
    let mut world = world();
    world.code.set(|settings| settings.snapshot_events = 2);
    world.code.padding.set(STATE_BYTES);
    for _ in 0..5 {
        world.execute(&add(1)).unwrap();
    }
    let status = world.commands.snapshots().clone();
    let error = status.error.unwrap();
    assert!(error.contains("the state is") && error.contains("1048576"), "{error}");
    assert_eq!((status.version.get(), world.snapshot("1")), (0, None));
    world.code.padding.set(0);
    for _ in 0..2 {
        world.execute(&add(1)).unwrap();
    }
    assert_eq!(world.commands.snapshots().error, None);
    assert!(world.snapshot("1").is_some());
    assert_eq!(loaded(&mut world).1, 7);
}

#[test]
fn a_truncated_history_is_loaded_from_a_snapshot_that_fits() {
    let mut world = with_snapshot();
    world.store.truncate(&stream(), version(4)).unwrap();
    assert_eq!(loaded(&mut world), (2, 15), "the snapshot is of the last hidden version");
    let unfit = Snapshot { state: JsonText::null(), ..world.stored_snapshot("1").unwrap() };
    let fits = world.stored_snapshot("1").unwrap();
    for (snapshot, is_available) in [(unfit, false), (fits, true)] {
        world.alter(|log| log.insert_snapshot(&stream(), &snapshot).unwrap());
        world.restart();
        assert_eq!(world.sum().is_ok(), is_available);
        assert_eq!(world.execute(&add(0)).is_ok(), is_available);
    }
    world.store.truncate(&stream(), version(6)).unwrap();
    world.restart();
    assert_eq!(world.snapshot("1"), Some(6), "3 events after the snapshot");
    assert_eq!(loaded(&mut world), (0, 15));
}
