//! Random lives of a consumer. Events arrive, the storage fails, the process crashes, and operators pause, retry and
//! rebuild. In the end the documents follow from the events, and every event was delivered in the order of its stream.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::database::Database;
use crate::world::*;
use sillok::handler::{Consumer, Delivery, FeedPage, Kind, Next, OnFailure, Outcome, Settings, Window};
use sillok::store::StorageError;
use sillok::store::sqlite::{Row, Sql, Value};

/// A database in which any call may fail, before or after it has written. Later calls work again.
#[derive(Clone)]
pub struct Flaky {
    sql: Database,
    seed: Rc<Cell<u64>>,
    /// The number of calls that fail, of 1,000.
    pub failing: Rc<Cell<u64>>,
}

impl Flaky {
    pub fn new(sql: Database, seed: u64) -> Self {
        Self { sql, seed: Rc::new(Cell::new(seed | 1)), failing: Rc::default() }
    }

    fn roll(&self, sides: u64) -> u64 {
        let mut seed = self.seed.get();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        self.seed.set(seed);
        seed % sides
    }

    fn call(&self, work: impl FnOnce() -> Result<(), StorageError>) -> Result<(), StorageError> {
        let fails = self.roll(1000) < self.failing.get();
        if fails && self.roll(2) == 0 {
            return Err(StorageError::failed("before"));
        }
        work()?;
        if fails { Err(StorageError::failed("after")) } else { Ok(()) }
    }
}

impl Sql for Flaky {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.call(|| self.sql.execute(statement, values))
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.call(|| self.sql.query(statement, values, visit))
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.call(|| self.sql.transaction(work))
    }

    fn size(&self) -> u64 {
        0
    }
}

#[derive(Debug, Clone)]
enum Action {
    /// An event arrives in the partition, in one of its streams.
    Event {
        partition: usize,
        stream: u8,
        wanted: bool,
    },
    /// The machine is called this many times.
    Run(u8),
    /// The process crashes, and another replaces it.
    Crash,
    /// The alarm rings, if it is set.
    Ring,
    Later(u16),
    Pause,
    Resume,
    Retry,
    Rebuild,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..2_usize, 0..3_u8, any::<bool>())
            .prop_map(|(partition, stream, wanted)| Action::Event { partition, stream, wanted }),
        8 => (1..12_u8).prop_map(Action::Run),
        2 => Just(Action::Crash),
        2 => Just(Action::Ring),
        3 => (1..600_u16).prop_map(Action::Later),
        1 => Just(Action::Pause),
        2 => Just(Action::Resume),
        1 => Just(Action::Retry),
        1 => Just(Action::Rebuild),
    ]
}

/// Work that a process has done but not yet passed to the machine, while other things happen.
enum Late {
    Page(FeedPage),
    Delivered(Vec<(String, Outcome)>),
}

type Living = Consumer<Flaky, StoredAlarm<Flaky>>;

/// A consumer, its processes and its world.
struct Life {
    settings: Settings,
    sql: Flaky,
    feed: Feed,
    now: u64,
    /// One process, or two that use the same database.
    processes: Vec<Living>,
    /// The late work of each process.
    late: Vec<Option<Late>>,
    /// Whether events whose number is a multiple of five fail.
    poisoned: bool,
    /// The partition and the number of each delivery that succeeded.
    delivered: Vec<(usize, u64)>,
}

impl Life {
    fn new(settings: Settings, seed: u64, processes: usize) -> Self {
        let sql = Flaky::new(database(), seed);
        let mut feed = Feed::new(2);
        feed.page = 4;
        let settings = Settings { partitions: 2, ..settings };
        let late = (0..processes).map(|_| None).collect();
        let processes = (0..processes).map(|_| living(&sql, &settings)).collect();
        sql.failing.set(20);
        Self { settings, sql, feed, now: 1, processes, late, poisoned: true, delivered: Vec::new() }
    }

    /// Repeats a call of any process until it succeeds.
    fn insist(&mut self, work: &mut dyn FnMut(&mut Living) -> Result<(), StorageError>) {
        let process = self.any_process();
        while work(&mut self.processes[process]).is_err() {}
    }

    fn any_process(&self) -> usize {
        usize::try_from(self.sql.roll(self.processes.len() as u64)).unwrap()
    }

    fn act(&mut self, action: &Action) {
        let now = at(self.now);
        match action {
            Action::Event { partition, stream, wanted } => {
                let stream = format!("{partition}-{stream}");
                self.feed.add(*partition, &stream, if *wanted { "Counted" } else { "Unwanted" });
                // The journal wakes the consumer until it is answered.
                let partition = *partition;
                self.insist(&mut |consumer| consumer.woken(partition, now));
            }
            Action::Run(calls) => (0..*calls).for_each(|_| drop(self.call(self.any_process()))),
            Action::Crash => {
                let process = self.any_process();
                let failing = self.sql.failing.replace(0);
                self.processes[process] = living(&self.sql, &self.settings);
                self.late[process] = None;
                self.sql.failing.set(failing);
            }
            Action::Ring => self.ring(),
            Action::Later(millis) => self.now += u64::from(*millis),
            Action::Pause => self.insist(&mut Consumer::pause),
            Action::Resume => self.insist(&mut |consumer| consumer.resume(now)),
            Action::Retry => self.insist(&mut |consumer| consumer.retry(now)),
            Action::Rebuild if self.settings.kind == Kind::Projection => {
                self.insist(&mut |consumer| consumer.rebuild(now).map_err(|_| StorageError::failed("")));
            }
            Action::Rebuild => {}
        }
    }

    fn ring(&mut self) {
        if let Some(at_millis) = armed(&self.sql.sql) {
            self.now = self.now.max(at_millis);
            let now = at(self.now);
            unset(&self.sql.sql);
            self.insist(&mut |consumer| consumer.rang(now));
        }
    }

    /// Makes one call of the machine, and carries out its step. Returns the step if there is nothing to do.
    fn call(&mut self, process: usize) -> Result<Option<Next>, StorageError> {
        let (now, jitter) = (at(self.now), u32::try_from(self.sql.roll(1 << 32)).unwrap());
        let (is_late, picked) = (self.sql.roll(3) == 0, usize::try_from(self.sql.roll(6)).unwrap());
        let Self { processes, late, feed, poisoned, delivered, settings, .. } = self;
        let (consumer, late) = (&mut processes[process], &mut late[process]);
        let fails = |number: u64| *poisoned && number.is_multiple_of(5);
        match late.take() {
            Some(Late::Page(page)) => return consumer.take_page(page, now).map(|()| None),
            Some(Late::Delivered(mut deliveries)) => {
                let (id, outcome) = deliveries.swap_remove(picked % deliveries.len());
                // The machine receives the other outcomes later, or never.
                if !deliveries.is_empty() && picked < 5 {
                    *late = Some(Late::Delivered(deliveries));
                }
                return consumer.delivered(&id, outcome, now, jitter).map(|()| None);
            }
            None => {}
        }
        match consumer.next(now)? {
            Next::Read(read) if is_late => *late = Some(Late::Page(feed.read(read))),
            Next::Read(read) => consumer.take_page(feed.read(read), now)?,
            Next::Project => consumer.project(now, jitter, &mut |event, documents| {
                count(event, documents)?;
                if fails(event.position.get()) { Err("poison".to_owned()) } else { Ok(()) }
            })?,
            Next::Deliver(deliveries) => {
                let partition =
                    |delivery: &Delivery| usize::from(delivery.event.stream.as_str().starts_with('1'));
                let outcome = |delivery: &Delivery| !fails(delivery.event.position.get());
                let mut outcomes: Vec<_> = deliveries.iter().map(outcome).collect();
                if matches!(settings.window, Window::Batch(_)) && outcomes.contains(&false) {
                    outcomes = vec![false];
                }
                let reported: Vec<_> = deliveries.iter().zip(outcomes).collect();
                let succeeded = reported.iter().filter(|(_, succeeds)| *succeeds);
                delivered.extend(
                    succeeded.map(|(delivery, _)| (partition(delivery), delivery.event.position.get())),
                );
                let reported = reported
                    .into_iter()
                    .map(|(delivery, succeeds)| (delivery.id.clone(), outcome_of(delivery, succeeds)));
                *late = Some(Late::Delivered(reported.collect()));
            }
            Next::Tidied => {}
            rest => return Ok(Some(rest)),
        }
        Ok(None)
    }

    /// Repairs everything. From then on, only alarms run the consumer.
    fn end(&mut self) {
        self.poisoned = false;
        self.sql.failing.set(0);
        // A late failed attempt may be the last one, and stop the consumer. So late work is lost.
        self.late.fill_with(|| None);
        let now = at(self.now);
        self.insist(&mut |consumer| consumer.resume(now));
        self.come_to_rest();
        // A failure of the rebuilt generation becomes a dead letter only now.
        let now = at(self.now);
        self.insist(&mut |consumer| consumer.retry(now));
        self.come_to_rest();
    }

    fn come_to_rest(&mut self) {
        if self.processes.len() == 1 {
            for _ in 0..1000 {
                if armed(&self.sql.sql).is_none() {
                    return;
                }
                self.ring();
                self.drain(0);
            }
            panic!("the alarm rings for ever");
        }
        // Each process has a clock of its own, independent of the other.
        for process in [0, 1, 0, 1] {
            self.now += 10_000;
            self.processes[process].rang(at(self.now)).unwrap();
            self.drain(process);
        }
    }

    fn drain(&mut self, process: usize) {
        let rests = |rest| matches!(rest, Some(Next::Idle | Next::Wait { .. }));
        assert!((0..10_000).any(|_| rests(self.call(process).unwrap())), "the machine does not rest");
    }
}

/// The outcome of a delivery. A failed delivery has every kind of failure in turn.
fn outcome_of(delivery: &Delivery, succeeds: bool) -> Outcome {
    let error = "poison".to_owned();
    match delivery.event.position.get() % 4 {
        _ if succeeds => Outcome::Done,
        0 => Outcome::refused(error),
        1 => Outcome::Gone { error },
        2 => Outcome::Failed { error, stack: None, retry_after: Some(700) },
        _ => Outcome::failed(error),
    }
}

fn living(sql: &Flaky, settings: &Settings) -> Living {
    Consumer::open(sql.clone(), StoredAlarm(sql.clone()), settings.clone()).ok().unwrap()
}

fn live(settings: Settings, seed: u64, processes: usize, actions: &[Action]) -> Result<(), TestCaseError> {
    let (kind, on_failure) = (settings.kind, settings.policy.on_failure);
    let mut life = Life::new(settings, seed, processes);
    actions.iter().for_each(|action| life.act(action));
    life.end();
    let wanted: Vec<(usize, u64, &str)> = life
        .feed
        .partitions
        .iter()
        .enumerate()
        .flat_map(|(partition, events)| events.iter().map(move |event| (partition, event)))
        .filter(|(_, event)| event.event_type.as_str() == "Counted")
        .map(|(partition, event)| (partition, event.position.get(), event.stream.as_str()))
        .collect();
    let mut consumer = open(&Place::of(life.sql.sql.clone()), &life.settings);
    prop_assert_eq!(letters(&mut consumer), []);
    if kind == Kind::Projection {
        let sorted = |documents: Vec<(String, String)>| -> Vec<(String, Vec<u64>)> {
            let numbers = |text: String| serde_json::from_str::<Vec<u64>>(&text).unwrap();
            let mut documents: Vec<_> =
                documents.into_iter().map(|(key, text)| (key, numbers(text))).collect();
            if on_failure == OnFailure::Skip {
                documents.iter_mut().for_each(|(_, numbers)| numbers.sort_unstable());
            }
            documents
        };
        prop_assert_eq!(sorted(documents(&mut consumer)), sorted(folded(&life.feed, &[])));
        return Ok(());
    }
    for stream in ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2"] {
        let all = wanted.iter().filter(|(.., of)| *of == stream);
        let all: Vec<_> = all.map(|(partition, number, _)| (*partition, *number)).collect();
        let mut firsts = Vec::new();
        for event in life.delivered.iter().filter(|event| all.contains(event)) {
            if !firsts.contains(event) {
                firsts.push(*event);
            }
        }
        if on_failure == OnFailure::Skip {
            firsts.sort_unstable();
        }
        prop_assert_eq!(firsts, all, "{}", stream);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_what_the_events_make_of_them(
        on_failure in policies(), seed in any::<u64>(), actions in prop::collection::vec(action(), 0..120),
    ) {
        live(settings(Kind::Projection, on_failure), seed, 1, &actions)?;
    }

    #[test]
    fn every_event_is_delivered(
        on_failure in policies(), window in windows(), seed in any::<u64>(),
        actions in prop::collection::vec(action(), 0..120),
    ) {
        live(Settings { window, ..settings(Kind::Reactor, on_failure) }, seed, 1, &actions)?;
    }

    #[test]
    fn two_processes_make_the_same_documents(
        on_failure in policies(), seed in any::<u64>(), actions in prop::collection::vec(action(), 0..120),
    ) {
        live(settings(Kind::Projection, on_failure), seed, 2, &actions)?;
    }
}

fn policies() -> impl Strategy<Value = OnFailure> {
    prop_oneof![Just(OnFailure::Skip), Just(OnFailure::HoldStream), Just(OnFailure::Stop)]
}

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![(1..5_usize).prop_map(Window::Streams), (2..5_usize).prop_map(Window::Batch)]
}
