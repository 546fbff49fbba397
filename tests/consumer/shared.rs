//! Two processes over one file, each over a connection of its own.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::database::Database;
use crate::world::*;
use sillok::ErrorCode;
use sillok::handler::{Consumer, DocumentKey, Kind, Next, OnFailure, Outcome, Settings};
use sillok::store::sqlite::{Row, Sql, Value};
use sillok::store::{JsonText, StorageError};

fn skipping() -> Settings {
    settings(Kind::Projection, OnFailure::Skip)
}

/// Two connections to one file, with an alarm that is not set.
fn shared() -> (Database, Database) {
    let (one, other) = Database::shared();
    let alarm = "CREATE TABLE alarm (at INTEGER, sets INTEGER); INSERT INTO alarm VALUES (NULL, 0)";
    one.0.execute_batch(alarm).unwrap();
    (one, other)
}

/// The work of another process, which runs once.
type Other = Rc<RefCell<Option<Box<dyn FnOnce()>>>>;

/// A connection in which another process works before one of the queries.
#[derive(Clone)]
struct Interrupted {
    database: Database,
    /// The number of queries before the other process works.
    queries: Rc<Cell<usize>>,
    other: Other,
}

impl Sql for Interrupted {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.database.execute(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        match self.queries.get().checked_sub(1) {
            Some(left) => self.queries.set(left),
            None => {
                if let Some(work) = self.other.take() {
                    work();
                }
            }
        }
        self.database.query(statement, values, visit)
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.database.reading(work)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.database.transaction(work)
    }

    fn size(&self) -> u64 {
        0
    }
}

/// Sets the document of each event's stream to this text. The second event fails while the documents are old.
fn make(consumer: &mut Opened, feed: &Feed, now: u64, text: &str) {
    let document = JsonText::parse(&format!("\"{text}\"")).unwrap();
    let rest = run(consumer, feed, now, &mut |work| match work {
        Work::Project(event, _) if text == "old" && event.position.get() == 2 => Err("too old".to_owned()),
        Work::Project(event, documents) => {
            documents.put(event.stream.as_str(), &document).map_err(|error| error.to_string())
        }
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    });
    if let Next::Wait { until } = rest.unwrap() {
        make(consumer, feed, until.as_millis(), text);
    }
}

/// The result of `read` while another process rebuilds the documents before query number `queries` of the reader.
/// `None` if there are fewer queries.
fn found<T>(
    queries: usize,
    read: impl Fn(&mut Consumer<Interrupted, StoredAlarm<Interrupted>>) -> T,
) -> Option<T> {
    let (one, other) = shared();
    let mut writer = open(&Place::of(other), &skipping());
    make(&mut writer, &Feed::of(&["a", "b", "c"]), 0, "old");
    let sql = Interrupted { database: one, queries: Rc::default(), other: Rc::default() };
    let mut reader = Consumer::open(sql.clone(), StoredAlarm(sql.clone()), skipping()).ok().unwrap();
    sql.queries.set(queries);
    sql.other.replace(Some(Box::new(move || {
        writer.woken(0, at(0)).unwrap();
        writer.rebuild(at(0)).unwrap();
        make(&mut writer, &Feed::of(&["a", "b", "c", "d"]), 0, "new");
    })));
    let found = read(&mut reader);
    sql.other.borrow().is_none().then_some(found)
}

/// The results of `read` with another process before each of its queries.
fn all_found<T>(read: impl Fn(&mut Consumer<Interrupted, StoredAlarm<Interrupted>>) -> T) -> Vec<T> {
    let found: Vec<T> = (0..).map_while(|queries| found(queries, &read)).collect();
    assert!(found.len() >= 2, "{} queries", found.len());
    found
}

#[test]
fn documents_and_the_state_they_belong_to_are_read_at_one_moment() {
    for document in all_found(|reader| reader.document(&DocumentKey::new("a").unwrap()).unwrap()) {
        let document = document.expect("it was never removed");
        assert!(["\"old\"", "\"new\""].contains(&document.as_str()), "{document:?}");
    }
    for page in all_found(|reader| reader.documents("", "", 10).unwrap()) {
        let documents: Vec<_> =
            page.documents.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        let old = [("a", "\"old\""), ("c", "\"old\"")];
        let new = ["a", "b", "c", "d"].map(|key| (key, "\"new\""));
        assert!(documents == old || documents == new, "{documents:?}");
    }
}

#[test]
fn a_status_is_of_one_moment() {
    for status in all_found(|reader| reader.status().unwrap()) {
        let found = (status.checkpoint.to_string(), status.dead_letters);
        assert!([("3".to_owned(), 1), ("4".to_owned(), 0)].contains(&found), "{found:?}");
    }
}

#[test]
fn while_one_process_projects_the_other_is_excluded_and_repeats_nothing() {
    let (one, other) = shared();
    let feed = Feed::of(&["a", "b", "a", "c", "a"]);
    let (mut one, mut other) = (open(&Place::of(one), &skipping()), open(&Place::of(other), &skipping()));
    for consumer in [&mut one, &mut other] {
        let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
        consumer.take_page(feed.read(read), at(0)).unwrap();
        assert_eq!(consumer.next(at(0)).unwrap(), Next::Project);
    }
    let mut kept_out = Vec::new();
    one.project(at(0), 0, &mut |event, documents| {
        let projected = other.project(at(0), 0, &mut |_, _| -> Outcome { panic!("both project one event") });
        kept_out.push(projected.map_err(|error| error.code()));
        count(event, documents)
    })
    .unwrap();
    // The other process has dropped its page after the first refusal, and has nothing to project after it.
    assert_eq!(kept_out.first(), Some(&Err(ErrorCode::StorageBusy)));
    project(&mut other, &feed, 0, &[]).unwrap();
    assert_eq!((documents(&mut one), documents(&mut other)), (folded(&feed, &[]), folded(&feed, &[])));
}
