//! An aggregate and its duty to forward, if the journal does not accept a forward.

use std::cell::RefCell;
use std::rc::Rc;

use sillok::gateway::{Aggregate, Alarm};
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    Append, EventId, JsonText, NewEvent, RecordedTime, StorageError, StreamId, StreamLog, Version,
};

use crate::database::Database;

/// An alarm that remembers every time for which it was set.
#[derive(Debug, Clone, Default)]
struct Clock(Rc<RefCell<Vec<u64>>>);

impl Alarm for Clock {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        self.0.borrow_mut().push(at.as_millis());
        Ok(())
    }
}

fn at(millis: u64) -> RecordedTime {
    RecordedTime::from_millis(millis)
}

fn account() -> StreamId {
    StreamId::new("account-1").unwrap()
}

fn append<L: StreamLog>(aggregate: &mut Aggregate<L, Clock>, now: u64) {
    let event = NewEvent::new("Counted", JsonText::parse("1").unwrap()).unwrap();
    let mut fresh_id = || EventId::new("a").unwrap();
    aggregate.append(Append::to(account(), vec![event]), at(now), &mut fresh_id).unwrap();
}

#[test]
fn a_forward_that_failed_is_tried_again_by_the_alarm_and_by_nothing_else() {
    let clock = Clock::default();
    let mut aggregate = Aggregate::new(StreamTable::new(Database::in_memory()), clock.clone());
    append(&mut aggregate, 0);
    assert!(aggregate.next_forward(&account()).unwrap().is_some());
    aggregate.not_forwarded(at(10), 0).unwrap();
    for now in 11..20 {
        append(&mut aggregate, now);
        assert_eq!(aggregate.next_forward(&account()).unwrap(), None, "the journal is left alone");
    }
    assert_eq!(*clock.0.borrow(), [5_000, 260], "what is appended meanwhile costs no further alarm");
    aggregate.rang(at(260));
    assert!(aggregate.next_forward(&account()).unwrap().is_some());
}

#[test]
fn a_journal_that_takes_nothing_is_not_asked_without_end() {
    let mut aggregate = Aggregate::new(StreamTable::new(Database::in_memory()), Clock::default());
    append(&mut aggregate, 0);
    let mut sent = 0;
    while aggregate.next_forward(&account()).unwrap().is_some() {
        sent += 1;
        assert!(sent <= 2, "it is sent the same again and again");
        aggregate.forwarded(Version::EMPTY, at(sent), 0).unwrap();
    }
    assert_eq!(sent, 2, "one that asks, and one that begins where the journal is");
}

#[test]
fn hidden_events_are_removed_page_by_page_across_crashes() {
    for is_deleted in [false, true] {
        let (database, clock) = (Database::in_memory(), Clock::default());
        let open = || Aggregate::new(StreamTable::new(database.clone()), clock.clone());
        let mut aggregate = open();
        for now in 1..=2500 {
            append(&mut aggregate, now);
        }
        let last = Version::new(2500).unwrap();
        assert!(aggregate.next_forward(&account()).unwrap().is_some());
        aggregate.forwarded(last, at(2500), 0).unwrap();
        if is_deleted {
            aggregate.delete(&account(), at(3000)).unwrap();
        } else {
            aggregate.truncate(&account(), Version::new(2500).unwrap(), at(3000)).unwrap();
        }
        let count = "SELECT count(*) FROM commits_v1";
        let rows = || database.0.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap();
        let mut left = rows();
        assert!(left > 1000, "{left} rows are left after the first page");
        loop {
            // The object crashes after each page. The alarm that was set then continues with the next page.
            let mut next = open();
            let now = *clock.0.borrow().last().unwrap();
            next.rang(at(now));
            let more = next.remove_forgotten(&account(), at(now)).unwrap();
            assert!(left - rows() <= 1000, "{} rows were removed in one turn", left - rows());
            left = rows();
            if !more {
                break;
            }
            assert_eq!(clock.0.borrow().last(), Some(&(now + 5000)), "nothing goes on by itself");
        }
        assert_eq!(left, if is_deleted { 1 } else { 2 }, "the base, and the commit that is kept");
        let alarms = clock.0.borrow().len();
        open().remove_forgotten(&account(), at(9_000_000)).unwrap();
        assert_eq!(clock.0.borrow().len(), alarms, "there is nothing more to do");
    }
}
