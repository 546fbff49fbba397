//! What a command is decided by, and what it writes.

use super::world;
use crate::world::{World, add, at, command, dry_run, key, stream, version};
use sillok::ErrorCode;
use sillok::gateway::CommandError;
use sillok::store::{AppendError, Decided, DecisionLog, ExpectedVersion, JsonText, ReadRange};

fn versions_of(executed: &sillok::gateway::Executed) -> (u64, u64) {
    (executed.first_version().get(), executed.version.get())
}

#[test]
fn a_command_appends_its_events_in_one_commit() {
    let mut world = world();
    let executed = world.execute(&command("Add", &[1, 2])).unwrap();
    assert_eq!((versions_of(&executed), executed.replayed), ((1, 2), false));
    assert_eq!(executed.time, at(1000));
    let mut types = Vec::new();
    executed.visit_events(&mut |event| types.push((event.version.get(), event.data.to_owned()))).unwrap();
    assert_eq!(types, [(1, "[1,1]".to_owned()), (2, "[2,3]".to_owned())]);
    assert_eq!(versions_of(&world.execute(&add(3)).unwrap()), (3, 3));
    assert_eq!(world.events(), [(1, 1000), (2, 1000), (3, 1000)]);
}

#[test]
fn a_warm_command_folds_nothing_again() {
    let mut world = world();
    world.append(&[1, 2, 3]);
    assert_eq!(world.calls(|world| world.execute(&add(1)).is_ok()), (true, 3, 1));
    for _ in 0..10 {
        assert_eq!(world.calls(|world| world.execute(&add(1)).is_ok()), (true, 0, 1));
    }
    assert_eq!(world.events().len(), 14);
}

#[test]
fn only_what_somebody_appended_meanwhile_is_folded() {
    let mut world = world();
    world.append(&[1; 10]);
    world.execute(&add(1)).unwrap();
    world.append(&[5, 5]);
    assert_eq!(world.calls(|world| world.execute(&add(1)).is_ok()), (true, 2, 1));
    assert_eq!(world.sum().unwrap(), 22);
    world.events();
}

#[test]
fn a_truncation_meanwhile_does_not_change_a_state_in_memory() {
    let mut world = world();
    world.append(&[1]);
    world.append(&[2]);
    world.execute(&add(3)).unwrap();
    world.store.truncate(&stream(), version(3)).unwrap();
    world.execute(&add(4)).unwrap();
    assert_eq!(world.sum().unwrap(), 10);
    world.restart();
    unavailable(&mut world);
}

#[test]
fn a_truncation_of_events_that_the_state_lacks_makes_it_unavailable() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    world.append(&[2]);
    world.append(&[3]);
    world.store.truncate(&stream(), version(3)).unwrap();
    unavailable(&mut world);
    assert_eq!(world.version(), 3);
}

fn unavailable<L: DecisionLog>(world: &mut World<L>) {
    for error in [world.execute(&add(1)).unwrap_err(), world.sum().unwrap_err()] {
        let first_version = version(3);
        assert_eq!(error, CommandError::StateUnavailable { stream: stream(), first_version });
        assert_eq!(error.code(), ErrorCode::StateUnavailable);
    }
}

#[test]
fn of_two_that_create_one_wins() {
    let mut world = world();
    let create = add(1).expecting(ExpectedVersion::NoStream);
    world.execute(&create).unwrap();
    world.restart();
    let (error, _, decided) = world.calls(|world| world.execute(&create).unwrap_err());
    assert_eq!((error.code(), decided), (ErrorCode::WrongExpectedVersion, 0));
    assert_eq!(world.events(), [(1, 1000)]);
}

#[test]
fn an_expected_version_holds_or_the_command_is_not_decided() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    world.append(&[2]);
    for (expected, holds) in [(1, false), (3, false), (2, true)] {
        let command = add(1).expecting(ExpectedVersion::Exactly(version(expected)));
        match world.execute(&command) {
            Ok(executed) => assert!(holds && executed.version == version(3)),
            Err(CommandError::Refused(AppendError::WrongExpectedVersion { actual, .. })) => {
                assert!(!holds && actual == version(2));
            }
            Err(error) => panic!("{error}"),
        }
    }
    // A refusal says nothing about the state: it is still there.
    let stale = add(1).expecting(ExpectedVersion::NoStream);
    world.execute(&stale).unwrap_err();
    assert_eq!(world.calls(|world| world.execute(&add(1)).is_ok()), (true, 0, 1));
}

#[test]
fn a_decision_that_nothing_happens_writes_nothing() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    let head = world.store.head(&stream()).unwrap();
    let executed = world.execute(&command("Add", &[])).unwrap();
    assert_eq!(executed.decided, Decided::Nothing);
    assert_eq!((versions_of(&executed), executed.commit()), ((2, 1), None));
    assert_eq!(world.store.head(&stream()).unwrap(), head);
}

#[test]
fn a_rejection_is_an_outcome_and_writes_nothing() {
    let mut world = world();
    world.execute(&add(9)).unwrap();
    let executed = world.execute(&command("AddTo10", &[2])).unwrap();
    let rejection = executed.rejection().map(JsonText::as_str);
    assert_eq!(rejection, Some(r#"{"code":"too_many","data":{"sum":9}}"#));
    assert_eq!((world.version(), executed.version), (1, version(1)));
    world.execute(&command("AddTo10", &[1])).unwrap();
    assert_eq!(world.sum().unwrap(), 10);
}

#[test]
fn code_that_throws_writes_nothing_and_spoils_no_state() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    for fault in ["decide", "evolve"] {
        let (throws, cannot_evolve) = (fault == "decide", fault == "evolve");
        world.code.throws.set(throws);
        world.code.cannot_evolve.set(cannot_evolve);
        let error = world.execute(&add(1).with_id(key("k"))).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (ErrorCode::DeciderFailed, fault));
        world.code.throws.set(false);
        world.code.cannot_evolve.set(false);
        assert_eq!(world.version(), 1);
        assert_eq!(world.store.log().outcome(&stream(), &key("k")).unwrap(), None);
        assert_eq!(world.sum().unwrap(), 1);
    }
    let executed = world.execute(&add(1).with_id(key("k"))).unwrap();
    assert_eq!((executed.replayed, executed.version), (false, version(2)));
    world.events();
}

#[test]
fn code_that_cannot_fold_an_event_drops_the_state() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    world.append(&[2, 3]);
    world.code.cannot_fold.set(true);
    assert_eq!(world.execute(&add(1)).unwrap_err().code(), ErrorCode::DeciderFailed);
    world.code.cannot_fold.set(false);
    assert_eq!(world.calls(|world| world.sum().unwrap()), (6, 3, 0));
}

#[test]
fn a_decision_is_as_large_as_an_append() {
    let mut world = world();
    let error = world.execute(&command("Add", &[1; 1025])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TooManyEvents);
    world.execute(&command("Add", &[1; 1024])).unwrap();
    assert_eq!(world.sum().unwrap(), 1024);
}

#[test]
fn a_dry_run_decides_and_writes_nothing() {
    let mut world = world();
    world.execute(&add(8)).unwrap();
    let dry = |name: &str, numbers: &[u64]| dry_run(command(name, numbers).with_id(key("k")));
    assert_eq!(versions_of(&world.execute(&dry("AddTo10", &[1, 1])).unwrap()), (2, 3));
    assert!(world.execute(&dry("AddTo10", &[3])).unwrap().rejection().is_some());
    assert_eq!(world.execute(&dry("Add", &[])).unwrap().decided, Decided::Nothing);
    assert_eq!(world.version(), 1);
    assert_eq!(world.store.log().outcome(&stream(), &key("k")).unwrap(), None);
    let executed = world.execute(&command("AddTo10", &[2]).with_id(key("k"))).unwrap();
    assert_eq!((versions_of(&executed), executed.replayed), ((2, 2), false));
    assert_eq!(world.sum().unwrap(), 10);
    world.events();
}

#[test]
fn the_time_of_a_decision_never_goes_back() {
    let mut world = world();
    world.execute(&add(1)).unwrap();
    world.now = 10;
    assert_eq!(world.execute(&add(1)).unwrap().time, at(1000));
    world.now = 2000;
    assert_eq!(world.execute(&command("Add", &[])).unwrap().time, at(2000));
    assert_eq!(world.events(), [(1, 1000), (1, 1000)]);
}

#[test]
fn the_events_name_the_command_as_their_cause() {
    let mut world = world();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let metadata = JsonText::parse(&format!(r#"{{"traceparent":"{trace}","other":1}}"#)).unwrap();
    world.execute(&add(1).with_id(key("k-1")).with_metadata(metadata).unwrap()).unwrap();
    let metadata = JsonText::parse(r#"{"correlationId":"c-1"}"#).unwrap();
    world.execute(&add(1).with_id(key("k-2")).with_metadata(metadata).unwrap()).unwrap();
    world.execute(&add(1)).unwrap();
    let page = world.store.read(&stream(), &ReadRange::all()).unwrap();
    let metadata: Vec<serde_json::Value> =
        page.events.iter().map(|event| serde_json::from_str(event.metadata.as_str()).unwrap()).collect();
    let expected = [
        serde_json::json!({ "causationId": "k-1", "correlationId": "k-1", "traceparent": trace }),
        serde_json::json!({ "causationId": "k-2", "correlationId": "c-1" }),
        serde_json::json!({}),
    ];
    assert_eq!(metadata, expected);
}

#[test]
fn a_deleted_stream_takes_no_commands_and_has_nothing_left() {
    let mut world = world();
    world.code.set(|settings| settings.snapshot_events = 1);
    world.execute(&add(1).with_id(key("k"))).unwrap();
    assert_eq!(world.snapshot("1"), Some(1));
    world.store.delete(&stream()).unwrap();
    for id in ["k", "new"] {
        let error = world.execute(&add(1).with_id(key(id))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::StreamDeleted);
    }
    assert_eq!(world.sum().unwrap_err().code(), ErrorCode::StreamDeleted);
    assert_eq!(world.snapshot("1"), None);
    assert_eq!(world.store.log().outcome(&stream(), &key("k")).unwrap(), None);
}
