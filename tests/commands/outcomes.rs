//! Remembered outcomes: the first outcome under an id stands.

use super::world;
use crate::world::{World, add, at, command, key, stream, version};
use sillok::ErrorCode;
use sillok::gateway::{CommandError, Executed};
use sillok::handler::Command;
use sillok::store::{Decided, DecisionLog};

/// The part of an outcome that a repeat must have too.
fn told(executed: &Executed) -> (u64, u64, u64, Decided, Vec<String>) {
    let mut events = Vec::new();
    executed.visit_events(&mut |event| events.push(format!("{event:?}"))).unwrap();
    let (first_version, version) = (executed.first_version().get(), executed.version.get());
    (first_version, version, executed.time.as_millis(), executed.decided.clone(), events)
}

/// Commands that are accepted, refused and without effect, at a sum of 9.
fn all() -> [Command; 3] {
    [
        command("AddTo10", &[0, 1]).with_id(key("accepted")),
        command("AddTo10", &[5]).with_id(key("refused")),
        command("AddTo10", &[]).with_id(key("without effect")),
    ]
}

fn repeated<L: DecisionLog>(world: &mut World<L>, command: &Command) -> Executed {
    let (executed, folded, decided) = world.calls(|world| world.execute(command).unwrap());
    assert_eq!((executed.replayed, folded, decided), (true, 0, 0));
    executed
}

#[test]
fn a_repeat_gets_the_first_outcome_and_is_not_decided_again() {
    let mut world = world();
    world.execute(&add(9)).unwrap();
    let first = all().map(|command| world.execute(&command).unwrap());
    assert!(first.iter().all(|executed| !executed.replayed));
    assert_eq!(first[1].decided, {
        let rejection = sillok::store::JsonText::parse(r#"{"code":"too_many","data":{"sum":10}}"#).unwrap();
        Decided::Rejected { rejection }
    });
    // From here on, each of them would be decided in another way.
    world.now = 5000;
    world.append(&[1]);
    for round in 0..2 {
        let again = all().map(|command| repeated(&mut world, &command));
        assert_eq!(again.each_ref().map(told), first.each_ref().map(told), "round {round}");
        world.restart();
    }
    assert_eq!(world.version(), 4);
}

#[test]
fn a_repeat_holds_when_the_expected_version_no_longer_does() {
    let mut world = world();
    let create = add(1).with_id(key("k")).expecting(sillok::store::ExpectedVersion::NoStream);
    world.execute(&create).unwrap();
    assert_eq!(repeated(&mut world, &create).version, version(1));
}

#[test]
fn another_command_under_the_same_id_is_refused() {
    let mut world = world();
    for command in all() {
        world.execute(&command).unwrap();
    }
    for id in ["accepted", "refused", "without effect"] {
        for other in [command("Add", &[0, 1]), command("AddTo10", &[0, 2])] {
            let error = world.execute(&other.with_id(key(id))).unwrap_err();
            assert_eq!(error, CommandError::IdReused { stream: stream() });
            assert_eq!(error.code(), ErrorCode::IdempotencyKeyReused);
        }
    }
    // The state is still there.
    assert_eq!(world.calls(|world| world.execute(&add(1)).is_ok()), (true, 0, 1));
}

#[test]
fn metadata_do_not_make_another_command() {
    let mut world = world();
    world.execute(&add(1).with_id(key("k"))).unwrap();
    let metadata = sillok::store::JsonText::parse(r#"{"correlationId":"c-2"}"#).unwrap();
    repeated(&mut world, &add(1).with_id(key("k")).with_metadata(metadata).unwrap());
}

#[test]
fn the_key_of_an_append_is_not_the_id_of_a_command() {
    let mut world = world();
    let append = sillok::store::Append::to(stream(), vec![crate::counter::added(1, 1)]).keyed(key("k"));
    world.store.append(append, at(1), &mut sillok::store::EventId::default).unwrap();
    assert_eq!(world.execute(&add(1).with_id(key("k"))).unwrap().version, version(2));
}

#[test]
fn the_repeat_of_a_command_whose_events_were_truncated_has_its_versions() {
    let mut world = world();
    let command = command("Add", &[1, 2]).with_id(key("k"));
    world.execute(&command).unwrap();
    for cut in [2, 3] {
        world.execute(&add(1)).unwrap();
        world.store.truncate(&stream(), version(cut)).unwrap();
        let executed = repeated(&mut world, &command);
        assert_eq!((executed.first_version(), executed.version), (version(1), version(2)));
        assert_eq!(executed.commit(), None);
    }
}

#[test]
fn an_outcome_is_forgotten_after_its_time() {
    let mut world = world();
    world.code.set(|settings| settings.remember_millis = 100);
    let refused = command("AddTo10", &[5]).with_id(key("k"));
    world.append(&[9]);
    assert!(world.execute(&refused).unwrap().rejection().is_some());
    world.now = 1100;
    assert!(repeated(&mut world, &refused).rejection().is_some());
    world.now = 1101;
    // Now the id may be that of another command, whose outcome is remembered from here on.
    let other = add(7).with_id(key("k"));
    let executed = world.execute(&other).unwrap();
    assert_eq!((executed.replayed, executed.version), (false, version(2)));
    world.now = 1201;
    assert_eq!(repeated(&mut world, &other).version, version(2));
    assert_eq!(world.execute(&refused).unwrap_err().code(), ErrorCode::IdempotencyKeyReused);
}

#[test]
fn outcomes_that_are_too_old_are_removed() {
    let growing: fn(u64) -> String = |n| format!("{n:06}");
    // Knuth's multiplicative hash.
    let mixed: fn(u64) -> String = |n| format!("{:08x}", n * 2_654_435_761 % (1 << 32));
    for id in [growing, mixed] {
        let mut world = world();
        world.code.set(|settings| settings.remember_millis = 300);
        for n in 0..3000 {
            world.now = 1000 + n;
            world.execute(&command("Add", &[]).with_id(key(&id(n)))).unwrap();
            if n % 700 == 0 {
                // The first outcome after a restart removes some too.
                world.restart();
            }
        }
        let is_stored =
            |n: &u64| world.store.log().outcome(&stream(), &key(&id(*n))).unwrap().is_some();
        assert!((2699..3000).all(|n| is_stored(&n)), "those that are remembered are left");
        let stored = (0..3000).filter(is_stored).count();
        assert!(stored < 400, "{stored} outcomes are stored");
    }
}

#[test]
fn an_outcome_is_remembered_as_long_as_the_stream() {
    let mut world = world();
    world.execute(&add(1).with_id(key("k"))).unwrap();
    world.now = sillok::store::limits::MAX_TIME_MILLIS;
    repeated(&mut world, &add(1).with_id(key("k")));
}

#[test]
fn a_command_without_an_id_is_decided_each_time() {
    let mut world = world();
    for _ in 0..3 {
        assert!(!world.execute(&add(1)).unwrap().replayed);
    }
    assert_eq!(world.sum().unwrap(), 3);
}
