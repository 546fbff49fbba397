//! A store with the commands of one aggregate.

use std::rc::Rc;

use serde_json::Value;
use sillok::gateway::{CommandError, Commands, Executed, StateAt, StateLoad, Step};
use sillok::handler::Command;
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    Append, DecisionLog, EventId, EventStore, IdempotencyKey, JsonText, MemoryLog, NewEvent, RecordedTime,
    Snapshot, StreamId, Version,
};

use crate::counter::{Code, Counter, added};
use crate::database::Database;

pub struct World<L> {
    pub store: EventStore<L>,
    pub commands: Commands,
    pub code: Rc<Code>,
    pub now: u64,
    /// The steps of the last execution or load.
    pub steps: u32,
    /// Opens the same log again.
    reopen: Box<dyn Fn(&L) -> L>,
}

pub fn stream() -> StreamId {
    StreamId::new("counter-1").unwrap()
}

pub fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

pub fn at(millis: u64) -> RecordedTime {
    RecordedTime::from_millis(millis)
}

pub fn command(name: &str, numbers: &[u64]) -> Command {
    Command::new(name, JsonText::from_value(numbers).unwrap()).unwrap()
}

pub fn add(number: u64) -> Command {
    command("Add", &[number])
}

pub fn dry_run(mut command: Command) -> Command {
    command.dry_run = true;
    command
}

pub fn in_memory() -> World<MemoryLog> {
    World::over(MemoryLog::new(), MemoryLog::clone)
}

pub fn one_stream(database: Database) -> World<StreamTable<Database>> {
    World::over(StreamTable::new(database.clone()), move |_| StreamTable::new(database.clone()))
}

pub fn many_streams(database: Database) -> World<StreamsTable<Database>> {
    World::over(StreamsTable::new(database.clone()), move |_| StreamsTable::new(database.clone()))
}

impl<L: DecisionLog> World<L> {
    pub fn over(log: L, reopen: impl Fn(&L) -> L + 'static) -> Self {
        let code = Rc::<Code>::default();
        let commands = Commands::new(Box::new(Counter::new(&code)));
        Self { store: EventStore::new(log), commands, code, now: 1000, steps: 0, reopen: Box::new(reopen) }
    }

    /// Opens the log again, without the state of before.
    pub fn restart(&mut self) {
        self.restart_log();
        self.commands = Commands::new(Box::new(Counter::new(&self.code)));
    }

    /// Opens the log again. The state in memory stays.
    pub fn restart_log(&mut self) {
        self.alter(|_| ());
    }

    /// Changes the log from outside.
    pub fn alter(&mut self, change: impl FnOnce(&mut L)) {
        let mut log = (self.reopen)(self.store.log());
        change(&mut log);
        self.store = EventStore::new((self.reopen)(&log));
    }

    pub fn execute(&mut self, command: &Command) -> Result<Executed, CommandError> {
        self.steps = 0;
        loop {
            if let Step::Done(executed) = self.step(command)? {
                return Ok(executed);
            }
        }
    }

    pub fn step(&mut self, command: &Command) -> Result<Step<Executed>, CommandError> {
        self.steps += 1;
        self.commands.execute(&mut self.store, &stream(), command, at(self.now), &mut EventId::default)
    }

    /// Appends numbers as events without a command, in one commit.
    pub fn append(&mut self, numbers: &[u64]) {
        let mut sum = self.stored_sum();
        let events = numbers.iter().map(|number| {
            sum += number;
            added(*number, sum)
        });
        self.append_events(events.collect());
    }

    pub fn append_events(&mut self, events: Vec<NewEvent>) {
        let append = Append::to(stream(), events);
        self.store.append(append, at(self.now), &mut EventId::default).unwrap();
    }

    /// The state, after it was brought up to the end of the stream.
    pub fn sum(&mut self) -> Result<u64, CommandError> {
        self.steps = 0;
        loop {
            self.steps += 1;
            if let Step::Done(_) = self.commands.load(&mut self.store, &stream())? {
                return Ok(sum_of(&self.commands.state()?));
            }
        }
    }

    /// The version and the state at a version or a time.
    pub fn sum_at(&self, wanted: StateAt) -> Result<(u64, u64), CommandError> {
        let mut load = StateLoad::new(Box::new(Counter::new(&self.code)), wanted);
        loop {
            if let Step::Done(version) = load.load(&self.store, &stream())? {
                return Ok((version.get(), sum_of(&load.state()?)));
            }
        }
    }

    /// The stored events: number, sum and time of each. Fails if a sum was decided on a stale state.
    pub fn events(&self) -> Vec<(u64, u64)> {
        let (mut events, mut sum) = (Vec::new(), None);
        let mut next = Some(sillok::store::ReadRange::all());
        while let Some(range) = next {
            let page = self.store.read(&stream(), &range).unwrap();
            for event in page.events {
                let [number, sum_after]: [u64; 2] = serde_json::from_str(event.data.as_str()).unwrap();
                let before = sum.unwrap_or(sum_after - number);
                assert_eq!(before + number, sum_after, "version {}", event.version);
                sum = Some(sum_after);
                events.push((number, event.time.as_millis()));
            }
            next = page.next;
        }
        events
    }

    /// The sum after the last stored event.
    fn stored_sum(&self) -> u64 {
        let last = sillok::store::ReadRange::new(None, None, Some(1), sillok::store::Direction::Backward);
        let page = self.store.read(&stream(), &last.unwrap()).unwrap();
        let sum = |event: &sillok::store::RecordedEvent| {
            serde_json::from_str::<[u64; 2]>(event.data.as_str()).unwrap()[1]
        };
        page.events.first().map_or(0, sum)
    }

    pub fn version(&self) -> u64 {
        self.store.head(&stream()).unwrap().version.get()
    }

    /// The version of the snapshot that this code has stored.
    pub fn snapshot(&self, code: &str) -> Option<u64> {
        self.stored_snapshot(code).map(|snapshot| snapshot.version.get())
    }

    pub fn stored_snapshot(&self, code: &str) -> Option<Snapshot> {
        self.store.log().snapshot(&stream(), code).unwrap()
    }

    /// The calls of `fold` and `decide` during some work.
    pub fn calls<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, u64, u64) {
        let (folded, decided) = (self.code.folded.get(), self.code.decided.get());
        let done = work(self);
        (done, self.code.folded.get() - folded, self.code.decided.get() - decided)
    }
}

fn sum_of(state: &JsonText) -> u64 {
    let state: Value = serde_json::from_str(state.as_str()).unwrap();
    state["sum"].as_u64().unwrap()
}
