//! The conditions that must hold at the end of a run. The checkers read only the stored rows, and do not know how they
//! were made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, Row};
use sillok::gateway::partition_of;
use sillok::store::EventStore;
use sillok::store::sqlite::StreamTable;

use crate::clients::Known;
use crate::consumer_checkers;
use crate::network::{Address, Request};
use crate::world::World;

/// An event in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub partition: usize,
    pub position: u64,
    pub stream: String,
    pub version: u64,
    pub mark: String,
    /// Whether the event is hidden.
    pub hidden: bool,
}

impl Found {
    /// The mark as the client has given it, without the state that has decided the event.
    fn given(&self) -> &str {
        self.mark.split_once('@').map_or(&self.mark, |(given, _)| given)
    }
}

/// The finding of a checker.
pub type Verdict = Result<(), String>;

/// Checks the world when it is quiet for the first time: no object has lost its duties.
pub fn check_quiet(world: &World) -> Verdict {
    let found = check_appends(world)?;
    consumer_checkers::check_quiet(world, &found)
}

/// Checks the world after operators have resumed every consumer.
pub fn check(world: &World) -> Verdict {
    let found = check_appends(world)?;
    consumer_checkers::check(world, &found)
}

fn check_appends(world: &World) -> Result<Vec<Found>, String> {
    nothing_is_left_to_do(world)?;
    let found = check_journal(world)?;
    appends_were_done_as_answered(world, &found)?;
    the_journal_has_what_the_streams_have(world, &found)?;
    Ok(found)
}

/// Checks the streams and the journal.
pub fn check_streams(world: &World) -> Verdict {
    let found = check_journal(world)?;
    the_journal_has_what_the_streams_have(world, &found)
}

/// Checks the journal alone. Returns its events.
fn check_journal(world: &World) -> Result<Vec<Found>, String> {
    let found = journal(world)?;
    each_stream_is_in_order(&found)?;
    each_decision_is_by_the_true_state(&found)?;
    Ok(found)
}

/// Fails with a message unless the condition holds.
pub fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// The rows of a query. Empty if its table does not exist.
pub fn rows<T>(database: &Connection, query: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    match database.prepare(query) {
        Ok(mut statement) => statement.query_map([], |row| read(row)).unwrap().map(Result::unwrap).collect(),
        Err(error) if error.to_string().contains("no such table") => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

pub fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap())
}

fn marks(events: &serde_json::Value) -> Vec<String> {
    let events = events.as_array().unwrap().iter();
    events.map(|event| event["data"].as_str().unwrap().to_owned()).collect()
}

/// All events of all partitions. Positions have no gaps.
fn journal(world: &World) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    for partition in 0..world.plan.partitions {
        let database = world.objects[&Address::Journal(partition)].storage.database();
        let hidden: HashMap<String, u64> =
            rows(database, "SELECT stream, hidden FROM streams_v1", |row| Ok((row.get(0)?, number(row, 1)?)))
                .into_iter()
                .collect();
        let groups = rows(database, "SELECT position, commits FROM groups_v1 ORDER BY position", |row| {
            Ok((number(row, 0)?, row.get::<_, String>(1)?))
        });
        let mut position = 0;
        for (end, commits) in groups {
            let commits: serde_json::Value = serde_json::from_str(&commits).unwrap();
            for commit in commits.as_array().unwrap() {
                let stream = commit["stream"].as_str().unwrap().to_owned();
                let first = commit["first"].as_u64().unwrap();
                for (version, mark) in (first..).zip(marks(&commit["events"])) {
                    position += 1;
                    let hidden = hidden.get(&stream).is_some_and(|hidden| version <= *hidden);
                    let stream = stream.clone();
                    found.push(Found { partition, position, stream, version, mark, hidden });
                }
            }
            holds(position == end, || {
                format!("position {end} of partition {partition} should be {position}")
            })?;
        }
    }
    Ok(found)
}

pub fn nothing_is_left_to_do(world: &World) -> Verdict {
    for (who, object) in &world.objects {
        holds(!object.ringing, || format!("{who:?} has an alarm that is never over"))?;
        holds(object.storage.alarm().is_none(), || format!("{who:?} has an alarm that never rings"))?;
        let unanswered = object.shell.as_ref().map_or(0, |shell| shell.unanswered());
        holds(unanswered == 0, || format!("{who:?} never answers {unanswered} calls"))?;
    }
    Ok(())
}

fn each_stream_is_in_order(found: &[Found]) -> Verdict {
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    for event in found {
        let last = versions.entry(&event.stream).or_default();
        holds(event.version == *last + 1, || format!("{event:?} follows on version {last}"))?;
        *last = event.version;
    }
    Ok(())
}

/// Checks that the state has counted all events before each decided event.
fn each_decision_is_by_the_true_state(found: &[Found]) -> Verdict {
    // A reaction repeats the mark of its cause.
    for event in found.iter().filter(|event| !event.stream.starts_with("reaction")) {
        let Some((_, seen)) = event.mark.split_once('@') else { continue };
        holds(seen.parse() == Ok(event.version - 1), || {
            format!("{event:?} was decided by the state of version {seen}")
        })?;
    }
    Ok(())
}

/// Checks that the journal has the commits of each stream as the same text, that both hide the same events, and that
/// the stream can be verified.
fn the_journal_has_what_the_streams_have(world: &World, found: &[Found]) -> Verdict {
    for (place, stream) in world.plan.streams.iter().enumerate() {
        let partition = partition_of(stream, world.plan.partitions);
        let in_journal: Vec<&Found> = found.iter().filter(|found| found.stream == stream.as_str()).collect();
        let elsewhere = in_journal.iter().find(|found| found.partition != partition);
        holds(elsewhere.is_none(), || format!("{elsewhere:?} is in the wrong partition"))?;
        let storage = &world.objects[&Address::Aggregate(place)].storage;
        let stored = Stored::of(storage.database());
        for (version, mark) in &stored.events {
            let place = in_journal.iter().find(|found| found.version == *version);
            let is_there = place.is_some_and(|found| found.mark == *mark);
            holds(is_there, || format!("{stream} has {mark} at {version}, the journal {place:?}"))?;
        }
        let end = in_journal.last().map_or(0, |found| found.version);
        holds(end == stored.version, || {
            format!("{stream} is at {}, in the journal at {end}", stored.version)
        })?;
        let shown = in_journal.iter().find(|found| found.hidden != (found.version <= stored.hidden));
        holds(shown.is_none(), || {
            format!("{stream} hides up to {}, but the journal has {shown:?}", stored.hidden)
        })?;
        let verified = EventStore::new(StreamTable::new(storage.plain())).verify(stream).unwrap();
        holds(verified.broken.is_none(), || format!("{stream} is broken: {verified:?}"))?;
        let journal = world.objects[&Address::Journal(partition)].storage.database();
        let position = in_journal.last().map_or(0, |found| found.position);
        let entry = (end, position, u64::from(stored.deleted));
        let listed = rows(journal, "SELECT stream, version, position, deleted FROM streams_v1", |row| {
            Ok((row.get::<_, String>(0)?, (number(row, 1)?, number(row, 2)?, number(row, 3)?)))
        });
        let listed = listed.into_iter().find(|(name, _)| name == stream.as_str()).map(|(_, entry)| entry);
        holds(listed.is_none() == (end == 0) && listed.is_none_or(|listed| listed == entry), || {
            format!("{stream} is listed as {listed:?} and should be as {entry:?}")
        })?;
    }
    Ok(())
}

/// The marks of the events that an object stores.
pub fn stored_marks(database: &Connection) -> Vec<String> {
    Stored::of(database).events.into_iter().map(|(_, mark)| mark).collect()
}

/// A stream as its object stores it.
#[derive(Default)]
struct Stored {
    version: u64,
    hidden: u64,
    deleted: bool,
    /// The rest of the stream: versions and marks.
    events: Vec<(u64, String)>,
}

impl Stored {
    fn of(database: &Connection) -> Self {
        let mut stored = Self::default();
        let commits = rows(database, "SELECT version, events FROM commits_v1 ORDER BY version", |row| {
            Ok((number(row, 0)?, row.get::<_, String>(1)?))
        });
        for (version, text) in commits {
            let text: serde_json::Value = serde_json::from_str(&text).unwrap();
            // Version 0 is the row of the base.
            if version == 0 {
                stored.version = text["version"].as_u64().unwrap();
                stored.hidden = text["hidden"].as_u64().unwrap();
                stored.deleted = text["deleted"].as_bool().unwrap();
                continue;
            }
            let marks = marks(&text);
            let first = version + 1 - u64::try_from(marks.len()).unwrap();
            stored.events.extend((first..).zip(marks));
            stored.version = version;
        }
        stored
    }
}

/// Checks appends against their answers. An answered append is stored once, under the versions of the answer. A refused
/// append is not stored. An append without an answer is stored at most once.
fn appends_were_done_as_answered(world: &World, found: &[Found]) -> Verdict {
    let mut places: HashMap<&str, Vec<&Found>> = HashMap::new();
    for event in found {
        places.entry(event.given()).or_default().push(event);
    }
    let mut known = BTreeSet::new();
    for asked in world.clients.iter().flat_map(|client| &client.asked) {
        let stream = match &asked.request {
            Request::Append(append) => &append.stream,
            Request::Execute(_) => &world.plan.streams[asked.aggregate],
            _ => continue,
        };
        for (place, mark) in asked.marks.iter().enumerate() {
            known.insert(mark.as_str());
            let places = places.get(mark.as_str()).map_or(&[][..], Vec::as_slice);
            holds(places.len() <= 1, || format!("{mark} was appended more than once: {places:?}"))?;
            let version = places.first().map(|found| found.version);
            let right = match asked.known {
                Known::Done { first } => {
                    let there = places.first().is_some_and(|found| found.stream == stream.as_str());
                    there && version == first.after(place).map(|version| version.get())
                }
                Known::Refused => places.is_empty(),
                Known::Maybe => true,
            };
            holds(right, || format!("{asked:?}, but {mark} is at {places:?}"))?;
        }
    }
    let unknown = found.iter().find(|found| !found.mark.starts_with('r') && !known.contains(found.given()));
    holds(unknown.is_none(), || format!("nobody appended {unknown:?}"))
}
