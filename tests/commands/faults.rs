//! Faults. Every storage call fails once, before it has written and after it. The state in memory outlives the fault, the
//! log is opened again, and the caller repeats the command under its id. Each command takes effect once, no outcome is
//! without its commit, and no decision is made on a stale state.

use std::rc::Rc;

use sillok::gateway::Commands;
use sillok::handler::Command;
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{Decided, DecisionLog, EventStore, ReadRange};
use sillok::testing::{FaultMoment, Faulty};

use crate::counter::{Code, Counter};
use crate::database::Database;
use crate::world::{World, command, key, stream};

/// More than the storage calls of all commands together.
const MOST_CALLS: u32 = 400;

/// The commands. Each third has no id, so its caller cannot repeat it.
fn steps() -> Vec<Command> {
    let numbers: [&[u64]; 4] = [&[1], &[2, 3], &[], &[9]];
    let step = |place: usize| {
        let numbers = numbers[place % numbers.len()];
        let command = command(if numbers == [9] { "AddTo10" } else { "Add" }, numbers);
        if place % 3 == 2 { command } else { command.with_id(key(&place.to_string())) }
    };
    (0..12).map(step).collect()
}

/// Runs all commands. The call after `calls` calls fails. Returns whether one has failed.
fn run<L: DecisionLog, H: DecisionLog + 'static>(
    fault: FaultMoment,
    calls: u32,
    faulty: &Faulty<Database>,
    open: impl Fn() -> L,
    healthy: impl Fn() -> H + Clone + 'static,
) -> bool {
    let code = Rc::<Code>::default();
    code.set(|settings| settings.snapshot_events = 2);
    let mut commands = Commands::new(Box::new(Counter::new(&code)));
    let mut store = EventStore::new(open());
    let reopen = healthy.clone();
    let mut after = World::over(healthy(), move |_| reopen());
    after.code = Rc::clone(&code);
    let mut has_failed = false;
    for command in steps() {
        if !has_failed {
            let done =
                commands.execute(&mut store, &stream(), &command, crate::world::at(1), &mut Default::default);
            has_failed = faulty.has_failed();
            if !has_failed {
                done.unwrap();
                continue;
            }
            // The same commands go on over the log as it now is. A snapshot that failed is not the caller's matter.
            after.commands = std::mem::replace(&mut commands, Commands::new(Box::new(Counter::new(&code))));
            after.restart_log();
            if done.is_ok() || command.id.is_none() {
                continue;
            }
        }
        let executed = after.execute(&command).unwrap_or_else(|error| panic!("{fault:?} {calls}: {error}"));
        if let Some(id) = &command.id {
            let outcome = after.store.log().outcome(&stream(), id).unwrap().unwrap();
            assert_eq!(outcome.decided, executed.decided, "{fault:?} {calls}");
        }
    }
    if !has_failed {
        after.commands = commands;
        after.restart_log();
    }
    is_sound(&mut after, &format!("{fault:?} after {calls} calls"));
    has_failed
}

/// Checks that each outcome has its commit, and each command has taken effect once.
fn is_sound<L: DecisionLog>(world: &mut World<L>, what: &str) {
    let numbers: Vec<u64> = world.events().iter().map(|(number, _)| *number).collect();
    for command in steps() {
        let Some(id) = command.id.clone() else { continue };
        let outcome = world.store.log().outcome(&stream(), &id).unwrap();
        assert!(outcome.is_some(), "{what}: the outcome of {} is missing", id.as_str());
        let again = world.execute(&command).unwrap();
        assert!(again.replayed, "{what}: {}", id.as_str());
        let expected = match again.decided {
            Decided::Events { first_version } => again.version.get() - first_version.get() + 1,
            _ => 0,
        };
        assert_eq!(caused_by(world, id.as_str()), expected, "{what}: the events of {}", id.as_str());
    }
    // A command without an id took effect once or not at all.
    let sum: u64 = numbers.iter().sum();
    assert_eq!(world.sum().unwrap(), sum, "{what}");
    world.restart();
    assert_eq!(world.sum().unwrap(), sum, "{what}");
    assert_eq!(world.store.verify(&stream()).unwrap().broken, None, "{what}");
}

/// The number of events that a command has caused.
fn caused_by<L: DecisionLog>(world: &World<L>, id: &str) -> u64 {
    let page = world.store.read(&stream(), &ReadRange::all()).unwrap();
    let caused = page.events.iter().filter(|event| {
        let metadata: serde_json::Value = serde_json::from_str(event.metadata.as_str()).unwrap();
        metadata["causationId"] == id
    });
    caused.count() as u64
}

fn every_call_fails_once(run: impl Fn(FaultMoment, u32) -> bool) {
    for fault in [FaultMoment::Before, FaultMoment::After] {
        let failed = (0..MOST_CALLS).take_while(|calls| run(fault, *calls)).count();
        assert!((20..MOST_CALLS as usize).contains(&failed), "{failed} calls failed");
    }
}

#[test]
fn one_stream_survives_a_fault_of_each_call() {
    every_call_fails_once(|fault, calls| {
        let database = Database::in_memory();
        let faulty = Faulty::after(calls, fault, database.clone());
        run(fault, calls, &faulty, || StreamTable::new(&faulty), move || StreamTable::new(database.clone()))
    });
}

#[test]
fn many_streams_survive_a_fault_of_each_call() {
    every_call_fails_once(|fault, calls| {
        let database = Database::in_memory();
        let faulty = Faulty::after(calls, fault, database.clone());
        run(fault, calls, &faulty, || StreamsTable::new(&faulty), move || StreamsTable::new(database.clone()))
    });
}

#[test]
fn a_snapshot_that_cannot_be_stored_fails_no_command() {
    let database = Database::in_memory();
    let mut world = crate::world::one_stream(database.clone());
    world.code.set(|settings| settings.snapshot_events = 1);
    world.execute(&command("Add", &[1])).unwrap();
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON snapshots_v1 BEGIN SELECT RAISE(ABORT, 'full'); END";
    database.0.execute(refuse, []).unwrap();
    world.execute(&command("Add", &[1])).unwrap();
    let status = world.commands.snapshots().clone();
    assert_eq!(status.version.get(), 1);
    assert!(status.error.unwrap().contains("full"));
    let (_, folded, _) = world.calls(|world| world.execute(&command("Add", &[1])).unwrap());
    assert_eq!(folded, 0, "the state is still valid");
}
