//! Two connections to one file, each with a state of its own.

use std::cell::RefCell;

use sillok::ErrorCode;
use sillok::gateway::Step;
use sillok::store::sqlite::StreamsTable;
use sillok::store::{EventId, ExpectedVersion};

use crate::database::Database;
use crate::world::{World, add, at, command, key, many_streams, stream, version};

type Shared = World<StreamsTable<Database>>;

fn two() -> [Shared; 2] {
    let (one, other) = Database::shared();
    [many_streams(one), many_streams(other)]
}

#[test]
fn each_decides_on_what_the_other_has_written() {
    let mut worlds = two();
    for number in 0..200_usize {
        // Runs of different lengths, so that each is sometimes warm and sometimes behind.
        let world = &mut worlds[usize::from(number % 7 < 3)];
        let executed = world.execute(&add(number as u64)).unwrap();
        assert_eq!(executed.version, version(number as u64 + 1));
    }
    assert_eq!(worlds[0].events().len(), 200);
    assert_eq!(worlds[0].sum().unwrap(), worlds[1].sum().unwrap());
}

#[test]
fn of_two_that_create_at_the_same_time_one_wins() {
    let [mut one, mut other] = two();
    let create = add(1).expecting(ExpectedVersion::NoStream);
    one.execute(&create).unwrap();
    let error = other.execute(&create).unwrap_err();
    assert_eq!(error.code(), ErrorCode::WrongExpectedVersion);
    assert_eq!(one.events().len(), 1);
}

#[test]
fn nobody_writes_between_a_decision_and_its_write() {
    let [mut one, mut other] = two();
    one.execute(&add(1)).unwrap();
    other.execute(&add(1)).unwrap();
    let other = RefCell::new(other);
    let refused = RefCell::new(Vec::new());
    for number in 3..20 {
        // The store asks for an id after it has decided and before it writes.
        let mut fresh_id = || {
            let error = other.borrow_mut().execute(&add(100)).unwrap_err();
            refused.borrow_mut().push(error.code());
            EventId::default()
        };
        let done = one.commands.execute(&mut one.store, &stream(), &add(1), at(1), &mut fresh_id).unwrap();
        let Step::Done(executed) = done else { panic!("{done:?}") };
        assert_eq!(executed.version, version(2 * number - 3));
        other.borrow_mut().execute(&add(2)).unwrap();
    }
    assert_eq!(refused.into_inner(), [ErrorCode::StorageBusy; 17]);
    assert_eq!(one.events().len(), 36);
}

#[test]
fn the_outcome_of_one_is_known_to_the_other() {
    let [mut one, mut other] = two();
    let refused = command("AddTo10", &[11]).with_id(key("refused"));
    let accepted = add(20).with_id(key("accepted"));
    one.execute(&refused).unwrap();
    let first = one.execute(&accepted).unwrap();
    for (command, version_after) in [(refused, 0), (accepted, 1)] {
        let again = other.execute(&command).unwrap();
        assert_eq!((again.replayed, again.version), (true, version(version_after)));
    }
    assert_eq!(first.version, version(1));
}

#[test]
fn a_deletion_by_one_is_seen_by_the_other() {
    let [mut one, mut other] = two();
    one.execute(&add(1)).unwrap();
    other.execute(&add(1).with_id(key("k"))).unwrap();
    one.store.delete(&stream()).unwrap();
    let error = other.execute(&add(1).with_id(key("k"))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StreamDeleted);
}
