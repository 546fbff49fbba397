//! The settings of a consumer, its stored state, and other consumers in the same database.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::database::Database;
use crate::world::*;
use sillok::ErrorCode;
use sillok::handler::{Consumer, ConsumerName, Kind, Next, OnFailure, OpenError, Policy, Running, Settings};
use sillok::store::sqlite::{Row, Sql, Value};
use sillok::store::{Checkpoint, StorageError};

fn skipping() -> Settings {
    settings(Kind::Projection, OnFailure::Skip)
}

fn refused(database: &Database, settings: Settings) -> OpenError {
    Consumer::open(database.clone(), StoredAlarm(database.clone()), settings).err().unwrap()
}

#[test]
fn settings_out_of_range_are_refused_and_say_which() {
    let database = Place::in_sqlite();
    let policy = |policy: Policy| refused(&database, Settings { policy, ..skipping() });
    let base = skipping().policy;
    let fields = [
        (Policy { attempts: 0, ..base }, "attempts"),
        (Policy { attempts: 101, ..base }, "attempts"),
        (Policy { first_delay: 0, ..base }, "firstDelay"),
        (Policy { first_delay: 86_400_001, longest_delay: 86_400_001, ..base }, "firstDelay"),
        (Policy { longest_delay: 99, ..base }, "longestDelay"),
        (Policy { longest_delay: 86_400_001, ..base }, "longestDelay"),
        (Policy { timeout: 0, ..base }, "timeout"),
        (Policy { timeout: 600_001, ..base }, "timeout"),
    ];
    for (wrong, field) in fields {
        assert_eq!(policy(wrong), OpenError::Policy { field });
        assert_eq!(policy(wrong).code(), ErrorCode::InvalidPolicy);
    }
    for name in ["", "a\nb", "a\u{1f}b", "a\u{7f}b", &"n".repeat(201)] {
        assert_eq!(ConsumerName::new(name).unwrap_err().code(), ErrorCode::InvalidConsumerName);
    }
    for partitions in [0, 257] {
        assert_eq!(refused(&database, Settings { partitions, ..skipping() }), OpenError::Partitions);
    }
    assert_eq!(OpenError::Partitions.code(), ErrorCode::InvalidPartitions);
    assert!(
        Consumer::open(
            database.clone(),
            StoredAlarm(database.clone()),
            Settings { policy: Policy::default(), ..skipping() }
        )
        .is_ok()
    );
}

#[test]
fn partitions_do_not_change_and_the_policy_may() {
    let (database, feed) = (Place::in_sqlite(), Feed::of(&["a", "b"]));
    project(&mut open(&database, &skipping()), &feed, 0, &[2]).unwrap();
    let error = refused(&database, Settings { partitions: 2, ..skipping() });
    assert_eq!(
        (error.code(), error),
        (ErrorCode::PartitionsChanged, OpenError::PartitionsChanged { followed: 1 })
    );
    let mut settings = skipping();
    settings.policy.attempts = 2;
    let mut consumer = open(&database, &settings);
    assert_eq!(project(&mut consumer, &feed, 100, &[2]).unwrap(), Next::Idle);
    assert_eq!(letters(&mut consumer), [(2, "failed")]);
}

fn all_kinds() -> [Settings; 4] {
    [Kind::Projection, Kind::Reactor, Kind::Webhook, Kind::Queue].map(|kind| settings(kind, OnFailure::Skip))
}

#[test]
fn a_consumer_stays_of_its_kind() {
    for first in all_kinds() {
        for place in [Place::in_sqlite(), Place::in_memory()] {
            // A consumer that has only been read has not stored its kind.
            for other in all_kinds() {
                place.open(&other).unwrap().status().unwrap();
            }
            let mut consumer = place.open(&first).unwrap();
            let mut all = |_: Work<'_, Database>| Ok(());
            run(&mut consumer, &Feed::of(&["a"]), 0, &mut all).unwrap();
            for other in all_kinds() {
                let (kind, opened) = (first.kind, place.open(&other).err());
                if other.kind == kind {
                    assert_eq!(opened, None);
                    continue;
                }
                let error = opened.unwrap();
                assert_eq!(
                    (error.code(), &error),
                    (ErrorCode::ConsumerKindFixed, &OpenError::KindFixed { kind })
                );
                let message = format!(
                    "a {0} has this name, and a consumer cannot change its kind; delete the {0} first, or choose another name",
                    kind.as_str()
                );
                assert_eq!(error.to_string(), message);
            }
        }
    }
}

#[test]
fn of_two_kinds_that_were_opened_before_either_has_saved_the_first_takes_the_name() {
    for place in [Place::in_sqlite(), Place::in_memory()] {
        let (mut one, mut two) =
            (open(&place, &skipping()), open(&place, &settings(Kind::Reactor, OnFailure::Skip)));
        let feed = Feed::of(&["a", "b"]);
        project(&mut one, &feed, 0, &[]).unwrap();
        assert_eq!(two.next(at(0)).unwrap_err().code(), ErrorCode::StorageFailed);
        assert_eq!(two.pause().unwrap_err().code(), ErrorCode::StorageFailed);
        assert_eq!(documents(&mut one), folded(&feed, &[]));
    }
}

/// Removes the stored kinds, as in a database from before they existed.
fn forget_kinds(database: &Database) {
    database.0.execute_batch("DROP TABLE consumer_kinds_v1").unwrap();
}

#[test]
fn a_state_without_a_stored_kind_is_read_and_the_next_save_stores_the_kind() {
    let (database, mut feed) = (Place::in_sqlite(), Feed::of(&["a", "b"]));
    project(&mut open(&database, &skipping()), &feed, 0, &[]).unwrap();
    forget_kinds(&database);
    let reacting = settings(Kind::Reactor, OnFailure::Skip);
    let checkpoint = |settings: &Settings| open(&database, settings).status().unwrap().checkpoint.to_string();
    assert_eq!((checkpoint(&skipping()), checkpoint(&reacting)), ("2".to_owned(), "2".to_owned()));
    let mut consumer = open(&database, &skipping());
    feed.add(0, "a", "Counted");
    project(&mut consumer, &feed, 0, &[]).unwrap();
    assert_eq!(documents(&mut consumer), folded(&feed, &[]));
    assert_eq!(refused(&database, reacting), OpenError::KindFixed { kind: Kind::Projection });
    assert_eq!(checkpoint(&skipping()), "3");
}

#[test]
fn a_kind_that_cannot_be_read_is_said_to_be_corrupt() {
    let database = Place::in_sqlite();
    project(&mut open(&database, &skipping()), &Feed::of(&["a"]), 0, &[]).unwrap();
    database.0.execute("UPDATE consumer_kinds_v1 SET kind = 'dancer'", []).unwrap();
    assert_eq!(refused(&database, skipping()).code(), ErrorCode::StoredDataCorrupt);
}

#[test]
fn looking_at_a_consumer_leaves_no_trace() {
    let database = Place::in_sqlite();
    let mut consumer = open(&database, &skipping());
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "0");
    assert_eq!(consumer.document(&key("a")).unwrap(), None);
    assert_eq!(documents(&mut consumer), []);
    assert_eq!(letters(&mut consumer), []);
    assert_eq!(project(&mut consumer, &Feed::new(1), 0, &[]).unwrap(), Next::Idle);
    let tables = "SELECT count(*) FROM sqlite_master WHERE name <> 'alarm'";
    let tables: i64 = database.0.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn consumers_of_one_database_are_apart() {
    let (database, feed) = (Place::in_sqlite(), Feed::of(&["a", "b", "a"]));
    let other = Settings {
        name: ConsumerName::new("other").unwrap(),
        ..settings(Kind::Reactor, OnFailure::HoldStream)
    };
    let (mut one, mut two) = (open(&database, &skipping()), open(&database, &other));
    project(&mut one, &feed, 0, &[]).unwrap();
    assert_eq!(deliver(&mut two, &feed, 0, &[1]), (Next::Wait { until: at(100) }, vec![1]));
    deliver(&mut two, &feed, 100, &[1]);
    deliver(&mut two, &feed, 300, &[1]);
    assert_eq!(letters(&mut two), [(1, "failed"), (3, "held")]);
    assert_eq!((letters(&mut one), documents(&mut one)), (vec![], folded(&feed, &[])));
    assert_eq!(documents(&mut two), []);
    one.retry(at(400)).unwrap();
    project(&mut one, &feed, 400, &[]).unwrap();
    assert_eq!(letters(&mut two).len(), 2);
}

#[test]
fn two_processes_of_one_consumer_project_each_event_once() {
    let (database, feed) = (Place::in_sqlite(), Feed::of(&["a", "b", "a", "c", "a"]));
    let (mut one, mut two) = (open(&database, &skipping()), open(&database, &skipping()));
    for consumer in [&mut one, &mut two] {
        let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
        consumer.take_page(feed.read(read), at(0)).unwrap();
        assert_eq!(consumer.next(at(0)).unwrap(), Next::Project);
    }
    let mut projected = Vec::new();
    for consumer in [&mut one, &mut two] {
        let apply = &mut |event: &sillok::handler::FeedEvent, documents: &_| {
            projected.push(event.position.get());
            count(event, documents)
        };
        consumer.project(at(0), 0, apply).unwrap();
    }
    assert_eq!(projected, [1, 2, 3]);
    project(&mut two, &feed, 0, &[]).unwrap();
    assert_eq!((documents(&mut one), documents(&mut two)), (folded(&feed, &[]), folded(&feed, &[])));
    // An operation on one machine holds for the other.
    one.pause().unwrap();
    assert_eq!(project(&mut two, &feed, 0, &[]).unwrap(), Next::Paused);
    two.resume(at(0)).unwrap();
    assert_eq!(project(&mut one, &feed, 0, &[]).unwrap(), Next::Idle);
}

/// A database in which another process saves its state just before a transaction begins.
#[derive(Clone)]
struct Interfered(Database, Rc<RefCell<Option<Opened>>>);

impl Sql for Interfered {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.0.execute(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.0.query(statement, values, visit)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        if let Some(mut other) = self.1.take() {
            other.rebuild(at(0)).unwrap();
        }
        self.0.transaction(work)
    }

    fn size(&self) -> u64 {
        0
    }
}

#[test]
fn an_operation_is_done_although_another_process_saves_meanwhile() {
    let database = database();
    let other = Rc::new(RefCell::new(Some(open(&Place::of(database.clone()), &skipping()))));
    let sql = Interfered(database.clone(), other);
    let mut consumer = Consumer::open(sql.clone(), StoredAlarm(sql), skipping()).ok().unwrap();
    consumer.pause().unwrap();
    let status = open(&Place::of(database), &skipping()).status().unwrap();
    assert_eq!((status.running, status.rebuild.is_some()), (Running::Paused, true));
}

#[test]
fn a_state_is_stored_as_these_columns() {
    type Stored = (String, i64, String, i64, String, i64, i64, String, i64, i64, Option<i64>, Option<String>);
    let (database, feed) = (Place::in_sqlite(), Feed::of(&["a", "b"]));
    let mut consumer = open(&database, &skipping());
    project(&mut consumer, &feed, 0, &[2]).unwrap();
    let sql = "SELECT consumer, revision, status, letters, error, error_time, live, live_checkpoint, live_failures, \
        live_until, rebuild, rebuild_checkpoint FROM consumers_v1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
            row.get(7)?,
            row.get(8)?,
            row.get(9)?,
            row.get(10)?,
            row.get(11)?,
        ))
    };
    let stored: Stored = database.0.query_row(sql, [], read).unwrap();
    let expected = (
        "balances".to_owned(),
        1,
        "running".to_owned(),
        0,
        "2 fails\u{1f}b\u{1f}1\u{1f}2\u{1f}live".to_owned(),
        0,
        1,
        "1".to_owned(),
        1,
        100,
    );
    let (a, b, c, d, e, f, g, h, i, j) = expected;
    assert_eq!(stored, (a, b, c, d, e, f, g, h, i, j, None, None));
}

#[test]
fn the_tables_are_those_that_are_documented() {
    let database = Place::in_sqlite();
    project(&mut open(&database, &Settings { version: 2, ..skipping() }), &Feed::of(&["a"]), 0, &[]).unwrap();
    let documented = include_str!("../../docs/format.md");
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alarm'";
    let mut statement = database.0.prepare(sql).unwrap();
    let made: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(made.len(), 6);
    for sql in made {
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(documented.contains(&format!("{sql};")), "{sql}");
    }
}

#[test]
fn a_state_that_cannot_be_read_is_said_to_be_corrupt() {
    for broken in ["live_checkpoint = 'x'", "status = 'dancing'", "live_failures = 9999999999", "rebuild = 2"]
    {
        let database = Place::in_sqlite();
        project(&mut open(&database, &skipping()), &Feed::of(&["a"]), 0, &[]).unwrap();
        database.0.execute(&format!("UPDATE consumers_v1 SET {broken}, revision = 9"), []).unwrap();
        assert_eq!(refused(&database, skipping()).code(), ErrorCode::StoredDataCorrupt, "{broken}");
    }
}

#[test]
fn a_new_delivery_begins_after_its_checkpoint_which_then_cannot_change() {
    let mut feed = Feed::new(2);
    for (partition, stream) in [(0, "a"), (0, "b"), (0, "a"), (1, "c"), (1, "d")] {
        feed.add(partition, stream, "Counted");
    }
    let checkpoint = |text| Some(Checkpoint::parse(text, 2).unwrap());
    let delivering = |after| Settings { partitions: 2, after, ..settings(Kind::Reactor, OnFailure::Skip) };
    let database = Place::in_sqlite();
    // A reader sees the place at which the consumer begins, even before the first event.
    let mut consumer = open(&database, &delivering(checkpoint("2.1")));
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "2.1");
    let mut taken = Vec::new();
    let mut work = |work: Work<'_, Database>| {
        if let Work::Deliver(delivery) = work {
            taken.push(delivery.event.id.as_str().to_owned());
        }
        Ok(())
    };
    assert_eq!(run(&mut consumer, &feed, 0, &mut work).unwrap(), Next::Idle);
    // The stored checkpoint counts, and the new `after` does not.
    let mut consumer = open(&database, &delivering(None));
    assert_eq!(run(&mut consumer, &feed, 0, &mut work).unwrap(), Next::Idle);
    assert_eq!(taken, ["event-1-2", "event-0-3"]);
    let one = Checkpoint::parse("2", 1).ok();
    assert_eq!(refused(&database, delivering(one)), OpenError::After);
}

#[test]
fn a_projection_is_made_of_all_events() {
    let after = Some(Checkpoint::start(1));
    let error = refused(&database(), Settings { after, ..skipping() });
    assert_eq!((error.code(), error), (ErrorCode::InvalidCheckpoint, OpenError::After));
}
