//! The state at a version and at a time.

use super::world;
use crate::world::{add, at, command, stream, version};
use sillok::ErrorCode;
use sillok::gateway::{CommandError, StateAt};

#[test]
fn the_state_at_each_version_is_the_fold_of_its_events() {
    let mut world = world();
    world.code.set(|settings| settings.snapshot_events = 4);
    for numbers in [&[1, 2][..], &[3], &[4, 5, 6], &[7]] {
        world.execute(&command("Add", numbers)).unwrap();
    }
    assert_eq!(world.snapshot("1"), Some(6));
    for number in 0..=7 {
        let sum = (1..=number).sum::<u64>();
        assert_eq!(world.sum_at(StateAt::Version(version(number))), Ok((number, sum)));
    }
    let beyond = world.sum_at(StateAt::Version(version(8))).unwrap_err();
    assert_eq!(beyond, CommandError::BeyondEnd { stream: stream(), actual: version(7) });
    assert_eq!(beyond.code(), ErrorCode::InvalidParameter);
    assert_eq!(world.snapshot("1"), Some(6), "such a load stores no snapshot");
}

#[test]
fn a_snapshot_is_used_for_its_version_and_later_ones_only() {
    let mut world = world();
    world.code.set(|settings| settings.snapshot_events = 3);
    for _ in 0..5 {
        world.execute(&add(1)).unwrap();
    }
    assert_eq!(world.snapshot("1"), Some(3));
    for (number, expected) in [(2, 2), (3, 0), (4, 1), (5, 2)] {
        let (_, folded, _) = world.calls(|world| world.sum_at(StateAt::Version(version(number))).unwrap());
        assert_eq!(folded, expected, "version {number}");
    }
}

#[test]
fn the_state_between_two_commits_is_that_of_the_first() {
    let mut world = world();
    for (now, numbers) in [(100, &[1][..]), (200, &[2, 3]), (200, &[4]), (300, &[5])] {
        world.now = now;
        world.append(numbers);
    }
    let expected = [
        (99, (0, 0)),
        (100, (1, 1)),
        (199, (1, 1)),
        (200, (4, 10)),
        (299, (4, 10)),
        (300, (5, 15)),
        (301, (5, 15)),
    ];
    for (millis, found) in expected {
        assert_eq!(world.sum_at(StateAt::Time(at(millis))), Ok(found), "at {millis}");
    }
}

#[test]
fn a_stream_without_events_has_the_initial_state() {
    let mut world = world();
    assert_eq!(world.sum_at(StateAt::Version(version(0))), Ok((0, 0)));
    assert_eq!(world.sum_at(StateAt::Time(at(1000))), Ok((0, 0)));
    assert_eq!(world.sum(), Ok(0));
}

#[test]
fn a_deleted_stream_has_no_state() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    world.store.delete(&stream()).unwrap();
    for wanted in [StateAt::Version(version(1)), StateAt::Time(at(9000))] {
        assert_eq!(world.sum_at(wanted).unwrap_err().code(), ErrorCode::StreamDeleted);
    }
}
