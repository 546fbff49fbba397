//! Faults of timers and answers. Every storage call fails once, before it has written and after it. Each timer and each
//! answer takes effect once, whoever attempts it after the fault.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{SentWork, Step};
use sillok::handler::Answer;
use sillok::store::limits::PENDING_ATTEMPTS;
use sillok::store::sqlite::{Row, Sql, StreamTable, StreamsTable, Value};
use sillok::store::{DecisionLog, PendingKind, PendingState, StorageError, Version};
use sillok::testing::{FaultMoment, Faulty};

use crate::case::{Case, timer};
use crate::database::Database;
use crate::script::{Act, Asked, send, set};
use crate::world::{World, stream};

/// More than the storage calls of a conversation.
const MOST_CALLS: u32 = 300;

/// Begins a conversation, unless it has begun.
fn begin<L: DecisionLog>(case: &mut Case<L>) -> bool {
    let second = Asked::Do(vec![Act::Event(2), send("debit", "account-a")]);
    let acts = vec![Act::Event(1), set("first", 1, second), set("refused", 1, Asked::Refuse)];
    let begin = Asked::Do(acts).command().with_id(crate::world::key("k-1"));
    case.execute(&begin).is_ok()
}

/// Goes on with everything that is pending. A timer takes no answer, and a sent command does not run.
fn go_on<L: DecisionLog>(case: &mut Case<L>) -> Result<(), StorageError> {
    case.play.on_answer.replace(Some(vec![Act::Event(3), set("last", 1, Asked::Do(vec![Act::End]))]));
    for key in ["first", "refused"] {
        case.fire_step(key)?;
    }
    let mut sent = Vec::new();
    case.world.store.log().agenda(&stream(), &mut |key, _| sent.push(key))?;
    for key in sent {
        let World { store, commands, .. } = &mut case.world;
        if key.kind() == PendingKind::Sent {
            let mut fresh = || unreachable!();
            let step = commands.fire(store, &stream(), &key, crate::world::at(1000), 0, &mut fresh)?;
            assert_eq!(step, Step::Done(None));
        }
        let mut fresh = || sillok::store::EventId::new("fresh").unwrap();
        let answer = Answer::Accepted { version: Version::FIRST };
        let now = crate::world::at(1000);
        commands.answered(store, &stream(), &key, &answer, now, 0, &mut fresh)?;
    }
    // The code has an end, after which no timer is left.
    case.fire_step("last").map(drop)
}

/// Runs the conversation over a log of which the call after some calls fails. Returns whether one has failed.
fn run<L: DecisionLog, H: DecisionLog + 'static>(
    faulty: &Faulty<Database>,
    log: L,
    healthy: impl Fn() -> H + Clone + 'static,
) -> bool {
    let mut case = Case::new(World::over(log, |_| panic!("it is not opened again")));
    let done = begin(&mut case) && go_on(&mut case).is_ok();
    let failed = faulty.has_failed();
    assert!(done || failed);
    let reopen = healthy.clone();
    let mut after = Case::new(World::over(healthy(), move |_| reopen()));
    if failed {
        assert!(begin(&mut after) || !after.timers().is_empty());
        go_on(&mut after).unwrap();
    }
    let answered = r#"Answered {"name":"debit","accepted":true,"stream":"account-a","version":1}"#;
    assert_eq!(after.events(), ["Counted 1", "Counted 2", "Counted 3", answered, "Ended null"]);
    assert_eq!((after.timers(), after.sent()), (vec![], vec![]));
    assert_eq!(after.world.store.verify(&stream()).unwrap().broken, None);
    failed
}

fn every_call_fails_once(run: impl Fn(FaultMoment, u32) -> bool) {
    for fault in [FaultMoment::Before, FaultMoment::After] {
        let failed = (0..MOST_CALLS).take_while(|calls| run(fault, *calls)).count();
        assert!((30..MOST_CALLS as usize).contains(&failed), "{failed} calls failed");
    }
}

#[test]
fn a_conversation_in_one_stream_survives_a_fault_of_each_call() {
    every_call_fails_once(|fault, calls| {
        let database = Database::in_memory();
        let faulty = Faulty::after(calls, fault, database.clone());
        run(&faulty, StreamTable::new(&faulty), move || StreamTable::new(database.clone()))
    });
}

#[test]
fn a_conversation_in_a_file_survives_a_fault_of_each_call() {
    every_call_fails_once(|fault, calls| {
        let database = Database::in_memory();
        let faulty = Faulty::after(calls, fault, database.clone());
        run(&faulty, StreamsTable::new(&faulty), move || StreamsTable::new(database.clone()))
    });
}

/// A database in which another process has a turn directly before each transaction.
#[derive(Clone)]
struct Raced(Database, Rc<RefCell<Option<Other>>>);

/// What the other process does.
type Other = Box<dyn FnOnce()>;

impl Sql for Raced {
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
        let other = self.1.take();
        other.into_iter().for_each(|other| other());
        self.0.transaction(work)
    }

    fn size(&self) -> u64 {
        self.0.size()
    }
}

#[test]
fn two_processes_that_share_a_file_run_a_timer_once() {
    let (one, other) = Database::shared();
    let raced = Raced(one, Rc::default());
    let clone = raced.clone();
    let log = StreamsTable::new(raced.clone());
    let mut case = Case::new(World::over(log, move |_| StreamsTable::new(clone.clone())));
    case.decide(vec![set("lapse", 1, Asked::event(1)), send("debit", "account-a")]);
    let [sent] = case.sent().try_into().unwrap();
    let other = Rc::new(RefCell::new(Case::new(crate::world::many_streams(other))));
    let answer = Answer::Accepted { version: Version::FIRST };

    let first = Rc::clone(&other);
    raced.1.replace(Some(Box::new(move || drop(first.borrow_mut().fire("lapse").unwrap()))));
    assert_eq!(case.fire("lapse"), None, "the other process has run it");
    let (second, key, same) = (Rc::clone(&other), sent.clone(), answer.clone());
    raced.1.replace(Some(Box::new(move || drop(second.borrow_mut().answer(&key, &same).unwrap()))));
    assert_eq!(case.answer(&sent, &answer), None, "the other process has taken it");
    assert_eq!(case.events().len(), 2);
}

#[test]
fn a_stored_command_that_cannot_be_read_is_attempted_and_parked() {
    let database = Database::in_memory();
    let mut case = Case::new(crate::world::one_stream(database.clone()));
    case.decide(vec![set("lapse", 1, Asked::event(1)), set("other", 1, Asked::event(2))]);
    database.0.execute("UPDATE pending_v1 SET command = '{' WHERE key = 'lapse'", []).unwrap();
    for _ in 0..PENDING_ATTEMPTS {
        assert_eq!(case.fire("lapse"), None);
        case.world.now += 300_000;
    }
    let pending = case.pending(&timer("lapse")).unwrap();
    assert_eq!((pending.failed, pending.state), (PENDING_ATTEMPTS, PendingState::Parked));
    assert!(pending.error.unwrap().as_str().contains("stored_data_corrupt"));
    case.fire("other").unwrap();
    assert_eq!(case.events(), ["Counted 2"]);
}

/// One row that cannot be read at all is parked, and nothing else waits for it.
#[test]
fn a_row_that_cannot_be_read_is_parked_and_can_be_removed() {
    for corruption in ["failed = -1", "at = -1", "state = 'x'", "receiver = NULL", "due = NULL"] {
        let database = Database::in_memory();
        let mut case = Case::new(crate::world::one_stream(database.clone()));
        case.decide(vec![
            set("other", 1, Asked::event(2)),
            send("debit", "account-a"),
            send("debit", "account-b"),
        ]);
        let [broken, whole] = case.sent().try_into().unwrap();
        let update = format!("UPDATE pending_v1 SET {corruption} WHERE key = ?1");
        database.0.execute(&update, [broken.as_str()]).unwrap();
        case.restart();
        assert!(matches!(case.sent_work(&broken), None | Some(SentWork::Unreadable)), "{corruption}");
        case.fail(&broken, ErrorCode::StoredDataCorrupt);
        let mut parked = Vec::new();
        let mut visit = |key, state| parked.extend((state == PendingState::Parked).then_some(key));
        case.world.store.log().agenda(&stream(), &mut visit).unwrap();
        assert_eq!(parked, std::slice::from_ref(&broken), "{corruption}");
        assert!(case.answer(&whole, &Answer::Accepted { version: Version::FIRST }).is_some());
        case.fire("other").unwrap();
        assert!(case.cancel(&broken) && !case.cancel(&broken), "{corruption}");
    }
}

/// A timer of a stream whose history cannot be read is not attempted every few seconds without end.
#[test]
fn a_timer_over_a_corrupt_history_is_parked() {
    for corruption in ["events = 'x'", "time = -1", "hash = x'00'"] {
        let database = Database::in_memory();
        let mut case = Case::new(crate::world::one_stream(database.clone()));
        case.decide(vec![Act::Event(1), set("lapse", 1, Asked::event(2))]);
        database.0.execute(&format!("UPDATE commits_v1 SET {corruption}"), []).unwrap();
        case.restart();
        for _ in 0..PENDING_ATTEMPTS {
            assert_eq!(case.fire("lapse"), None, "{corruption}");
            case.world.now += 300_000;
        }
        assert_eq!(case.pending(&timer("lapse")).unwrap().state, PendingState::Parked, "{corruption}");
    }
}
