//! The example of flights in Rust: after the same events it has the same state as its twin in TypeScript, to the byte.

#[path = "../../examples/flights/board.rs"]
mod board;
#[path = "../../examples/flights/events.rs"]
mod events;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use sillok::gateway::{Commands, Executed, Step};
use sillok::handler::{Command, TypedBehaviour};
use sillok::store::{Append, Decided, EventId, EventStore, JsonText, MemoryLog, NewEvent, StreamId};

use crate::world::at;
use board::{Board, BoardCommand, BoardEvent, Moved};
use events::Flights;

/// The most events of one append.
const AT_ONCE: usize = 1000;

/// The hashes that every platform and language must have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    events: usize,
    events_sha256: String,
    state_sha256: String,
}

fn hash_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn stored(event: &BoardEvent) -> NewEvent {
    let event = serde_json::to_value(event).unwrap();
    NewEvent::new(event["type"].as_str().unwrap(), JsonText::from_value(&event["data"]).unwrap()).unwrap()
}

fn execute(
    commands: &mut Commands,
    store: &mut EventStore<MemoryLog>,
    stream: &StreamId,
    command: &BoardCommand,
) -> Executed {
    let command = Command::of(command).unwrap();
    loop {
        let stepped = commands.execute(store, stream, &command, at(2), &mut EventId::default).unwrap();
        if let Step::Done(executed) = stepped {
            return executed;
        }
    }
}

#[test]
fn a_week_of_flights_has_the_state_of_the_twin_in_typescript() {
    let expected: Expected =
        serde_json::from_str(include_str!("../../examples/flights/expected.json")).unwrap();
    let events: Vec<_> = Flights::new().take(expected.events).collect();
    assert_eq!(hash_of(&serde_json::to_string(&events).unwrap()), expected.events_sha256);
    let stream = StreamId::new("board-1").unwrap();
    let mut store = EventStore::new(MemoryLog::new());
    for some in events.chunks(AT_ONCE) {
        let append = Append::to(stream.clone(), some.iter().map(stored).collect());
        store.append(append, at(1), &mut EventId::default).unwrap();
    }
    let mut commands = Commands::new(Box::new(TypedBehaviour::<Board>::new(stream.clone())));
    while commands.load(&mut store, &stream).unwrap() == Step::More {}
    let state = commands.state().unwrap();
    assert_eq!(hash_of(state.as_str()), expected.state_sha256);

    let state: board::State = serde_json::from_str(state.as_str()).unwrap();
    let flight = state.in_the_air.first().unwrap().clone();
    let arrive = BoardCommand::Arrive(Moved { flight, delay_minutes: 5 });
    let executed = execute(&mut commands, &mut store, &stream, &arrive);
    assert_eq!(executed.version.get(), expected.events as u64 + 1);
    let again = execute(&mut commands, &mut store, &stream, &arrive);
    let Decided::Rejected { rejection } = again.decided else { panic!("{again:?}") };
    assert_eq!(rejection.as_str(), r#"{"code":"not_in_the_air"}"#);
}
