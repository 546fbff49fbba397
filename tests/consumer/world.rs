//! A feed, a receiver, and the runner of a consumer between them.

use std::ops::Deref;

use crate::database::Database;
use sillok::gateway::Alarm;
use sillok::handler::{
    Consumer, ConsumerMemory, ConsumerName, Delivery, DocumentKey, Documents, FeedEvent, FeedPage, Kind,
    Next, OnFailure, OpenError, Policy, Read, Settings, Window,
};
use sillok::store::sqlite::Sql;
use sillok::store::sqlite::Value;
use sillok::store::{EventId, EventType, JsonText, Position, RecordedTime, StorageError, StreamId, Version};

pub fn at(millis: u64) -> RecordedTime {
    RecordedTime::from_millis(millis)
}

pub fn key(text: &str) -> DocumentKey {
    DocumentKey::new(text).unwrap()
}

pub fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

/// An alarm in the database, as the real one is stored with its object.
#[derive(Clone)]
pub struct StoredAlarm<S>(pub S);

impl<S: Sql> Alarm for StoredAlarm<S> {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        self.0.execute("UPDATE alarm SET at = ?1, sets = sets + 1", &[Value::Integer(at.as_millis())])
    }
}

/// The storage of consumers: in a database, or in memory beside one. The alarm is in the database.
pub struct Place {
    database: Database,
    memory: Option<ConsumerMemory>,
}

impl Deref for Place {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Place {
    pub fn of(database: Database) -> Self {
        Self { database, memory: None }
    }

    pub fn in_sqlite() -> Self {
        Self::of(database())
    }

    pub fn in_memory() -> Self {
        Self { memory: Some(ConsumerMemory::default()), ..Self::in_sqlite() }
    }

    pub fn open(&self, settings: &Settings) -> Result<Opened, OpenError> {
        let (alarm, settings) = (StoredAlarm(self.database.clone()), settings.clone());
        match &self.memory {
            Some(memory) => Consumer::open_in_memory(memory, alarm, settings),
            None => Consumer::open(self.database.clone(), alarm, settings),
        }
    }

    /// The number of documents and dead letters, of all generations.
    pub fn rows(&self) -> usize {
        let rows = "SELECT (SELECT count(*) FROM documents_v1) + (SELECT count(*) FROM dead_letters_v1)";
        let count = |memory: &ConsumerMemory| memory.rows();
        let in_tables = || self.database.0.query_row(rows, [], |row| row.get::<_, i64>(0)).unwrap();
        self.memory.as_ref().map_or_else(|| in_tables().try_into().unwrap(), count)
    }
}

/// A database with an alarm that is not set.
pub fn database() -> Database {
    let database = Database::in_memory();
    database
        .0
        .execute_batch("CREATE TABLE alarm (at INTEGER, sets INTEGER); INSERT INTO alarm VALUES (NULL, 0)")
        .unwrap();
    database
}

/// The time of a database's alarm.
pub fn armed(database: &Database) -> Option<u64> {
    database
        .0
        .query_row("SELECT at FROM alarm", [], |row| row.get::<_, Option<i64>>(0))
        .unwrap()
        .map(|at| at.try_into().unwrap())
}

/// How often the alarm of a database was set.
pub fn sets(database: &Database) -> i64 {
    database.0.query_row("SELECT sets FROM alarm", [], |row| row.get(0)).unwrap()
}

/// Removes the alarm, as if it had rung.
pub fn unset(database: &Database) {
    database.0.execute("UPDATE alarm SET at = NULL", []).unwrap();
}

pub fn settings(kind: Kind, on_failure: OnFailure) -> Settings {
    let policy = Policy { on_failure, attempts: 3, first_delay: 100, longest_delay: 1000, ..Policy::DEFAULT };
    Settings {
        name: ConsumerName::new("balances").unwrap(),
        kind,
        partitions: 1,
        policy,
        window: Window::default(),
        after: None,
        version: 1,
    }
}

pub type Opened = Consumer<Database, StoredAlarm<Database>>;

pub fn open(place: &Place, settings: &Settings) -> Opened {
    place.open(settings).unwrap()
}

/// A feed: the events of each partition. The number of an event is its data.
pub struct Feed {
    pub partitions: Vec<Vec<FeedEvent>>,
    /// The most events that a page looks at.
    pub page: usize,
    /// The type of the unwanted events.
    pub unwanted: &'static str,
}

impl Feed {
    pub fn new(partitions: usize) -> Self {
        Self { partitions: vec![Vec::new(); partitions], page: 3, unwanted: "Unwanted" }
    }

    /// A feed of one partition with one event for each named stream. The events are numbered from 1.
    pub fn of(streams: &[&str]) -> Self {
        let mut feed = Self::new(1);
        streams.iter().for_each(|stream| feed.add(0, stream, "Counted"));
        feed
    }

    pub fn add(&mut self, partition: usize, stream: &str, event_type: &str) {
        let stream = StreamId::new(stream).unwrap();
        let events = &mut self.partitions[partition];
        let version = events.iter().filter(|event| event.stream == stream).count() + 1;
        let number = events.len() + 1;
        events.push(FeedEvent {
            position: position(number as u64),
            version: Version::new(version as u64).unwrap(),
            id: EventId::new(&format!("event-{partition}-{number}")).unwrap(),
            event_type: EventType::new(event_type).unwrap(),
            json: number.to_string(),
            stream,
        });
    }

    pub fn end(&self, partition: usize) -> Position {
        position(self.partitions[partition].len() as u64)
    }

    pub fn read(&self, read: Read) -> FeedPage {
        let events = &self.partitions[read.partition];
        let from = usize::try_from(read.after.get()).unwrap();
        let to = events.len().min(from + self.page);
        let wanted = events[from..to].iter().filter(|event| event.event_type.as_str() != self.unwanted);
        FeedPage {
            read,
            events: wanted.cloned().collect(),
            after: position(to as u64),
            more: to < events.len(),
        }
    }
}

/// Appends the event's number to the array that is the document of its stream.
pub fn count<S: Sql>(event: &FeedEvent, documents: &Documents<S>) -> Result<(), String> {
    let key = event.stream.as_str();
    let document = documents.get(key).map_err(|error| error.to_string())?;
    let text = document.as_ref().map_or("[]", JsonText::as_str).trim_end_matches(']');
    let separator = if text == "[" { "" } else { "," };
    let text = format!("{text}{separator}{}]", event.json);
    documents.put(key, &JsonText::parse(&text).unwrap()).map_err(|error| error.to_string())
}

/// The work for an event: a delivery or a projection.
pub enum Work<'a, S> {
    Deliver(&'a Delivery),
    Project(&'a FeedEvent, &'a Documents<S>),
}

/// Runs the machine until it has nothing to do. Returns its last step.
pub fn run<S: Sql, A: Alarm>(
    consumer: &mut Consumer<S, A>,
    feed: &Feed,
    now: u64,
    work: &mut dyn FnMut(Work<'_, S>) -> Result<(), String>,
) -> Result<Next, StorageError> {
    for _ in 0..10_000 {
        match consumer.next(at(now))? {
            Next::Read(read) => consumer.take_page(feed.read(read), at(now))?,
            Next::Project => {
                consumer
                    .project(at(now), 0, &mut |event, documents| work(Work::Project(event, documents)))?;
            }
            Next::Deliver(deliveries) => {
                let outcomes: Vec<_> =
                    deliveries.iter().map(|delivery| work(Work::Deliver(delivery))).collect();
                for (Delivery { id, .. }, outcome) in deliveries.iter().zip(outcomes) {
                    consumer.delivered(id, outcome.into(), at(now), 0)?;
                }
            }
            Next::Tidied => {}
            rest => return Ok(rest),
        }
    }
    panic!("the machine does not rest");
}

/// Projects until the machine has nothing to do. The events with these numbers fail.
pub fn project<S: Sql, A: Alarm>(
    consumer: &mut Consumer<S, A>,
    feed: &Feed,
    now: u64,
    failing: &[u64],
) -> Result<Next, StorageError> {
    run(consumer, feed, now, &mut |work| match work {
        Work::Project(event, documents) => {
            count(event, documents)?;
            if failing.contains(&event.position.get()) {
                Err(format!("{} fails", event.json))
            } else {
                Ok(())
            }
        }
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    })
}

/// Delivers until the machine has nothing to do. The events with these numbers fail. Returns the numbers of the
/// attempted events.
pub fn deliver<S: Sql, A: Alarm>(
    consumer: &mut Consumer<S, A>,
    feed: &Feed,
    now: u64,
    failing: &[u64],
) -> (Next, Vec<u64>) {
    let mut attempted = Vec::new();
    let rest = run(consumer, feed, now, &mut |work| match work {
        Work::Deliver(delivery) => {
            let number = delivery.event.position.get();
            attempted.push(number);
            if failing.contains(&number) { Err(format!("{number} fails")) } else { Ok(()) }
        }
        Work::Project(..) => panic!("a delivery has no documents"),
    });
    (rest.unwrap(), attempted)
}

/// All documents of the live generation.
pub fn documents(consumer: &mut Opened) -> Vec<(String, String)> {
    let page = consumer.documents("", "", 1000).unwrap();
    page.documents.into_iter().map(|(key, document)| (key, document.as_str().to_owned())).collect()
}

/// The expected result of [`documents`]: the numbers of each stream's events, without some.
pub fn folded(feed: &Feed, without: &[u64]) -> Vec<(String, String)> {
    let mut folded = std::collections::BTreeMap::<String, Vec<u64>>::new();
    for event in feed.partitions.iter().flatten() {
        if event.event_type.as_str() != feed.unwanted && !without.contains(&event.position.get()) {
            folded.entry(event.stream.as_str().to_owned()).or_default().push(event.position.get());
        }
    }
    folded.into_iter().map(|(key, numbers)| (key, format!("{numbers:?}").replace(' ', ""))).collect()
}

/// The numbers of the dead letters, and the reason of each.
pub fn letters(consumer: &mut Opened) -> Vec<(u64, &'static str)> {
    let letters = consumer.dead_letters(0, 1000).unwrap().letters;
    letters.iter().map(|letter| (letter.event.position.get(), letter.reason.as_str())).collect()
}

/// The only delivery of a window of one.
pub fn only(deliveries: Vec<Delivery>) -> Delivery {
    let [delivery] = <[Delivery; 1]>::try_from(deliveries).unwrap();
    delivery
}
