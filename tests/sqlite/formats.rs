//! Objects of every released format are read, verified and appended to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    Append, AppendError, Cause, EventId, EventStore, ExpectedVersion, IdempotencyKey, JsonText, KeyOrigin,
    NewEvent, ReadError, ReadRange, RecordedTime, StreamId, Version,
};

use crate::database::Database;

const FORMAT_1: &str = include_str!("formats/format-1.json");

/// A database as statements, and the results of its reads when the statements were saved.
#[derive(Deserialize)]
struct Saved {
    sql: Vec<String>,
    events: Vec<KeptEvent>,
    verified: Verified,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptEvent {
    stream: String,
    version: u64,
    id: String,
    r#type: String,
    time: u64,
    data: Value,
    metadata: Value,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verified {
    intact: bool,
    version: u64,
    head: String,
    commits: u64,
}

type Store = EventStore<StreamTable<Database>>;

/// The saved data of each stream, with a store over a copy of it.
fn streams() -> Vec<(StreamId, Saved, Store)> {
    let saved: BTreeMap<String, Saved> = serde_json::from_str(FORMAT_1).unwrap();
    let opened = |(name, saved): (String, Saved)| {
        let database = Database::in_memory();
        database.0.execute_batch(&saved.sql.join(";\n")).unwrap();
        (StreamId::new(&name).unwrap(), saved, EventStore::new(StreamTable::new(database)))
    };
    saved.into_iter().map(opened).collect()
}

fn opened() -> NewEvent {
    NewEvent::new("Opened", JsonText::parse("{\"owner\":\"세종\"}").unwrap()).unwrap()
}

fn send(store: &mut Store, append: Append) -> Result<(u64, bool), AppendError> {
    let mut fresh_id = || EventId::new("fresh").unwrap();
    let appended = store.append(append, RecordedTime::default(), &mut fresh_id)?;
    Ok((appended.version.get(), appended.replayed))
}

#[test]
fn a_stream_of_format_1_reads_and_verifies_as_it_did() {
    for (stream, saved, store) in streams() {
        let value = |text: &JsonText| serde_json::from_str(text.as_str()).unwrap();
        let read = match store.read(&stream, &ReadRange::all()) {
            Err(ReadError::StreamDeleted { .. }) if stream.as_str() == "deleted" => Vec::new(),
            page => page.unwrap().events,
        };
        let events = read.iter().map(|event| KeptEvent {
            stream: event.stream.as_str().to_owned(),
            version: event.version.get(),
            id: event.id.as_str().to_owned(),
            r#type: event.event_type.as_str().to_owned(),
            time: event.time.as_millis(),
            data: value(&event.data),
            metadata: value(&event.metadata),
        });
        assert_eq!(events.collect::<Vec<_>>(), saved.events, "{stream}");
        let found = store.verify(&stream).unwrap();
        let verified = Verified {
            intact: found.broken.is_none(),
            version: found.version.get(),
            head: found.head.to_string(),
            commits: found.commits,
        };
        assert_eq!(verified, saved.verified, "{stream}");
    }
}

#[test]
fn a_stream_of_format_1_keeps_its_keys_its_cut_and_its_deletion_and_takes_more() {
    for (stream, saved, mut store) in streams() {
        let append = Append::to(stream.clone(), vec![opened()]);
        let again = append.clone().keyed(IdempotencyKey::new("k-1").unwrap());
        let version = Version::new(saved.verified.version).unwrap();
        let next = append.expecting(ExpectedVersion::Exactly(version));
        match stream.as_str() {
            "deleted" => {
                assert_eq!(send(&mut store, next), Err(AppendError::StreamDeleted { stream }));
                continue;
            }
            "account-42" => {
                assert_eq!(send(&mut store, again), Ok((1, true)));
                // Keys had no origin yet, so a reaction's key was among the others.
                let cause = Cause::new(EventId::new("cause").unwrap(), "{}");
                let key = IdempotencyKey::of(KeyOrigin::Reactor, "k-1").unwrap();
                let reaction = Append::to(stream.clone(), vec![opened()]).keyed(key).caused_by(cause);
                assert_eq!(send(&mut store, reaction), Ok((1, true)));
            }
            "cut" => assert_eq!(store.truncate(&stream, Version::FIRST).unwrap().first_version.get(), 6),
            _ => {}
        }
        assert_eq!(send(&mut store, next), Ok((version.get() + 1, false)), "{stream}");
        assert_eq!(store.verify(&stream).unwrap().broken, None, "{stream}");
    }
}

#[test]
fn a_stream_of_format_1_takes_commands() {
    for (stream, saved, mut store) in streams() {
        if ["deleted", "cut", "emptied"].contains(&stream.as_str()) {
            continue; // A truncated stream has no state before its first snapshot.
        }
        assert_eq!(crate::decisions::add(&mut store, &stream, &[5]), r#"{"sum":5}"#);
        assert_eq!(store.head(&stream).unwrap().version.get(), saved.verified.version + 1);
        assert_eq!(store.verify(&stream).unwrap().broken, None, "{stream}");
    }
}
