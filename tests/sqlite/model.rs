//! Random operations on a store and on a reference of a few lines. The two agree after every step. A failure prints its
//! reduced operations.

use std::collections::HashMap;

use crate::database::Database;
use crate::databases::Databases;
use proptest::prelude::*;
use sillok::ErrorCode;
use sillok::store::sqlite::StreamsTable;
use sillok::store::{
    Append, Direction, EventId, EventStore, ExpectedVersion, IdempotencyKey, JsonText, MemoryLog, NewEvent,
    ReadRange, RecordedTime, StreamId, StreamLog, Version,
};

#[derive(Debug, Clone)]
enum Operation {
    Append { expected: ExpectedVersion, data: Vec<u8>, key: Option<u8> },
    Truncate { before: u64 },
    Delete,
}

/// One stream, in the simplest form.
#[derive(Default)]
struct Reference {
    data: Vec<u8>,
    hidden: usize,
    deleted: bool,
    keys: HashMap<u8, (Vec<u8>, usize)>,
}

impl Reference {
    fn apply(&mut self, operation: &Operation) -> Result<u64, ErrorCode> {
        let version = self.data.len();
        match operation {
            Operation::Append { expected, data, key } => {
                if let Some((sent, version)) = key.and_then(|key| self.keys.get(&key)) {
                    return if sent == data {
                        Ok(*version as u64)
                    } else {
                        Err(ErrorCode::IdempotencyKeyReused)
                    };
                }
                if self.deleted {
                    return Err(ErrorCode::StreamDeleted);
                }
                if !expected.holds_at(Version::new(version as u64).unwrap()) {
                    return Err(ErrorCode::WrongExpectedVersion);
                }
                self.data.extend(data);
                key.map(|key| self.keys.insert(key, (data.clone(), self.data.len())));
                Ok(self.data.len() as u64)
            }
            Operation::Truncate { .. } if self.deleted => Err(ErrorCode::StreamDeleted),
            Operation::Truncate { before } if *before == 0 || *before > version as u64 + 1 => {
                Err(ErrorCode::InvalidParameter)
            }
            Operation::Truncate { before } => {
                self.hide(usize::try_from(*before).unwrap() - 1);
                Ok(version as u64)
            }
            Operation::Delete => {
                self.hide(version);
                self.keys.clear();
                self.deleted = true;
                Ok(version as u64)
            }
        }
    }

    /// Hides the events before a version, and forgets the keys of the commits that lie wholly before it.
    fn hide(&mut self, hidden: usize) {
        self.hidden = self.hidden.max(hidden);
        self.keys.retain(|_, (_, version)| *version > self.hidden);
    }

    /// The versions and data that a reader sees.
    fn seen(&self) -> Vec<(u64, String)> {
        let all = self.data.iter().enumerate().skip(self.hidden);
        all.map(|(place, data)| (place as u64 + 1, data.to_string())).collect()
    }
}

fn apply<L: StreamLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    operation: &Operation,
) -> Result<u64, ErrorCode> {
    match operation {
        Operation::Append { expected, data, key } => {
            let event = |data: &u8| NewEvent::new("Counted", JsonText::from_value(data).unwrap()).unwrap();
            let append = Append {
                stream: stream.clone(),
                expected: *expected,
                events: data.iter().map(event).collect(),
                key: key.map(|key| IdempotencyKey::new(&key.to_string()).unwrap()),
                cause: None,
            };
            let appended = store.append(append, RecordedTime::default(), &mut EventId::default);
            appended.map(|appended| appended.version.get()).map_err(|error| error.code())
        }
        Operation::Truncate { before } => {
            let truncated = store.truncate(stream, Version::new(*before).unwrap());
            truncated.map(|truncated| truncated.version.get()).map_err(|error| error.code())
        }
        Operation::Delete => {
            store.delete(stream).unwrap();
            Ok(store.head(stream).unwrap().version.get())
        }
    }
}

/// Applies each operation to both, and compares their answers and what a reader sees afterwards.
fn agree<L: StreamLog>(store: EventStore<L>, operations: &[(u8, Operation)]) -> Result<(), TestCaseError> {
    agree_in_turn(&mut [store], operations, &[0])
}

/// Does the same with several stores over the same streams. Each turn names the store to use.
fn agree_in_turn<L: StreamLog>(
    stores: &mut [EventStore<L>],
    operations: &[(u8, Operation)],
    turns: &[usize],
) -> Result<(), TestCaseError> {
    let mut references: HashMap<u8, Reference> = HashMap::new();
    for ((name, operation), turn) in operations.iter().zip(turns.iter().cycle()) {
        let stream = StreamId::new(&format!("stream-{name}")).unwrap();
        let reference = references.entry(*name).or_default();
        let store = &mut stores[*turn];
        prop_assert_eq!(apply(store, &stream, operation), reference.apply(operation), "{:?}", operation);
        let mut seen = reference.seen();
        for (limit, direction) in [(1000, Direction::Forward), (3, Direction::Backward)] {
            let expected = if reference.deleted { Err(ErrorCode::StreamDeleted) } else { Ok(seen.clone()) };
            prop_assert_eq!(read(store, &stream, limit, direction), expected);
            seen.reverse();
        }
        prop_assert_eq!(store.verify(&stream).unwrap().broken, None);
    }
    Ok(())
}

fn read<L: StreamLog>(
    store: &EventStore<L>,
    stream: &StreamId,
    limit: u64,
    direction: Direction,
) -> Result<Vec<(u64, String)>, ErrorCode> {
    let mut next = Some(ReadRange::new(None, None, Some(limit), direction).unwrap());
    let mut read = Vec::new();
    while let Some(range) = next {
        let page = store.read(stream, &range).map_err(|error| error.code())?;
        read.extend(page.events.iter().map(|event| (event.version.get(), event.data.as_str().to_owned())));
        next = page.next;
    }
    Ok(read)
}

fn expected() -> impl Strategy<Value = ExpectedVersion> {
    prop_oneof![
        4 => Just(ExpectedVersion::Any),
        1 => Just(ExpectedVersion::NoStream),
        1 => Just(ExpectedVersion::StreamExists),
        2 => (0..12_u64).prop_map(|version| ExpectedVersion::Exactly(Version::new(version).unwrap())),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let data = prop::collection::vec(0..3_u8, 1..4);
    let append = (expected(), data, prop::option::of(0..4_u8));
    prop_oneof![
        12 => append.prop_map(|(expected, data, key)| Operation::Append { expected, data, key }),
        3 => (0..16_u64).prop_map(|before| Operation::Truncate { before }),
        1 => Just(Operation::Delete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_agrees_with_the_reference(operations in prop::collection::vec((0..3_u8, operation()), 0..40)) {
        agree(EventStore::new(MemoryLog::new()), &operations)?;
    }

    #[test]
    fn one_stream_a_database_agrees_with_the_reference(
        operations in prop::collection::vec((0..3_u8, operation()), 0..40),
    ) {
        agree(EventStore::new(Databases::default()), &operations)?;
    }

    #[test]
    fn many_streams_a_database_agree_with_the_reference(
        operations in prop::collection::vec((0..3_u8, operation()), 0..40),
    ) {
        agree(EventStore::new(StreamsTable::new(Database::in_memory())), &operations)?;
    }

    #[test]
    fn two_writers_of_a_database_agree_with_the_reference(
        operations in prop::collection::vec((0..2_u8, operation()), 0..40),
        turns in prop::collection::vec(0..2_usize, 1..40),
    ) {
        let database = Database::in_memory();
        // Each store remembers its own writes, and not those of the other.
        let mut stores = [(); 2].map(|()| EventStore::new(StreamsTable::new(database.clone())));
        agree_in_turn(&mut stores, &operations, &turns)?;
    }
}
