//! An object that carries out the effects of an aggregate's driver, over a disk and an alarm that a test can break.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::rc::Rc;

use sillok::gateway::{
    AggregateDriver, AggregateEffect as Effect, AggregateInput as Input, Alarm, CallId, CommandError,
    Executed, FailedAttempt, Sending,
};
use sillok::handler::{Answer, Command};
use sillok::store::sqlite::{Row, Sql, StreamTable, Value};
use sillok::store::{
    DecisionLog, EventId, JsonText, PendingCommand, PendingKey, PendingKind, RecordedTime, StorageError,
    StreamId, Version,
};

use crate::database::Database;
use crate::script::{Act, Asked, Play, Script};
use crate::turn;

/// More steps than any work of a test takes.
const MOST_STEPS: u32 = 20_000;

/// The platform's alarm.
#[derive(Debug, Clone, Default)]
pub struct Bell(Rc<Platform>);

#[derive(Debug, Default)]
struct Platform {
    sets: RefCell<Vec<u64>>,
    at: Cell<Option<u64>>,
    breaks: Cell<bool>,
}

impl Bell {
    /// The times for which the alarm was set since the last look. Each is a written row.
    pub fn sets(&self) -> Vec<u64> {
        self.0.sets.take()
    }

    /// The time of the alarm.
    pub fn at(&self) -> Option<u64> {
        self.0.at.get()
    }

    pub fn lose(&self) {
        self.0.at.set(None);
    }

    pub fn breaks(&self, breaks: bool) {
        self.0.breaks.set(breaks);
    }
}

impl Alarm for Bell {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        if self.0.breaks.get() {
            return Err(StorageError::failed("no alarm"));
        }
        self.0.sets.borrow_mut().push(at.as_millis());
        self.0.at.set(Some(at.as_millis()));
        Ok(())
    }
}

/// A database that can refuse to write, or write and then fail.
#[derive(Clone)]
pub struct Disk(pub Database, Rc<(Cell<bool>, Cell<bool>)>);

impl Disk {
    pub fn breaks(&self, breaks: bool) {
        self.1.0.set(breaks);
    }

    /// Transactions fail after they were committed.
    pub fn fails_late(&self, fails: bool) {
        self.1.1.set(fails);
    }
}

impl Sql for Disk {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        if self.1.0.get() { Err(StorageError::failed("no disk")) } else { self.0.execute(statement, values) }
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
        self.0.transaction(work)?;
        if self.1.1.get() { Err(StorageError::failed("no answer")) } else { Ok(()) }
    }

    fn size(&self) -> u64 {
        self.0.size()
    }
}

type Driver = AggregateDriver<StreamTable<Disk>, Bell>;

pub struct Object {
    pub driver: Driver,
    pub bell: Bell,
    pub disk: Disk,
    pub play: Rc<Play>,
    pub now: u64,
    /// Whether the journal answers at once. Otherwise it never does.
    pub journal: bool,
    /// What happened, in order: `forward`, `decided`, `answered`, `over` and `log`.
    pub trace: Vec<&'static str>,
    pub sends: VecDeque<(CallId, Sending)>,
    pub outcomes: Vec<Result<Executed, CommandError>>,
    pub overs: Vec<Result<(), StorageError>>,
    todo: VecDeque<Effect>,
    ids: u32,
}

pub fn process() -> StreamId {
    StreamId::new("transfer-1").unwrap()
}

impl Object {
    pub fn new() -> Self {
        let (bell, play) = (Bell::default(), Play::new());
        let disk = Disk(Database::in_memory(), Rc::default());
        let driver = AggregateDriver::new(process(), StreamTable::new(disk.clone()), bell.clone());
        let mut object = Self {
            driver,
            bell,
            disk,
            play,
            now: 1000,
            journal: true,
            trace: Vec::new(),
            sends: VecDeque::new(),
            outcomes: Vec::new(),
            overs: Vec::new(),
            todo: VecDeque::new(),
            ids: 0,
        };
        object.driver.behave(Box::new(Script::new(&object.play)));
        // The first request finds that there is no alarm.
        object.touch();
        object
    }

    /// The object dies and starts again. The disk and the alarm are left.
    pub fn restart(&mut self) {
        (self.todo, self.sends) = Default::default();
        self.driver = AggregateDriver::new(process(), StreamTable::new(self.disk.clone()), self.bell.clone());
        self.driver.behave(Box::new(Script::new(&self.play)));
    }

    /// Passes an input. Its effects wait until the next [`run`](Self::run).
    pub fn input(&mut self, input: Input) {
        let ((), effects) = turn(self.now, |turn| self.driver.input(turn, input));
        self.todo.extend(effects);
    }

    /// Asks for a command. Its effects wait until the next [`run`](Self::run).
    pub fn ask(&mut self, command: Command) {
        let (ids, call) = (&mut self.ids, CallId::new(1));
        let (driver, now) = (&mut self.driver, self.now);
        let ((), effects) = turn(now, |turn| driver.execute(turn, call, command, &mut || fresh(ids)));
        self.todo.extend(effects);
    }

    /// Decides a command, and does everything that follows at this time.
    pub fn decide(&mut self, acts: Vec<Act>) {
        self.ask(Asked::Do(acts).command());
        self.run();
        self.outcomes.pop().unwrap().unwrap();
    }

    /// A request that changes nothing.
    pub fn touch(&mut self) {
        let ((), effects) = turn(self.now, |turn| self.driver.touched(turn));
        self.todo.extend(effects);
        self.run();
    }

    pub fn cancel(&mut self, key: &PendingKey) {
        let (cancelled, effects) = turn(self.now, |turn| self.driver.cancel_pending(turn, key));
        assert!(cancelled.unwrap());
        self.todo.extend(effects);
    }

    /// An operator answers a parked sent command.
    pub fn reject(&mut self, key: &PendingKey, rejection: &str) {
        let rejection = JsonText::parse(rejection).unwrap();
        let (rejected, effects) = turn(self.now, |turn| self.driver.reject_sent(turn, key, &rejection));
        assert!(rejected.unwrap());
        self.todo.extend(effects);
    }

    /// The alarm rings at this time, whether it is due or not.
    pub fn ring_at(&mut self, now: u64) {
        self.now = now;
        self.bell.lose();
        self.input(Input::Rang);
    }

    /// The alarm rings at its time, and everything that follows is done.
    pub fn ring(&mut self) {
        let at = self.bell.at().unwrap();
        self.ring_at(self.now.max(at));
        self.run();
    }

    pub fn reply(&mut self, call: CallId, reply: Result<Answer, FailedAttempt>) {
        self.input(Input::Replied { call, reply });
        self.run();
    }

    /// Carries out all effects, and those that follow.
    pub fn run(&mut self) {
        for _ in 0..MOST_STEPS {
            if !self.step() {
                return;
            }
        }
        panic!("the driver never comes to an end");
    }

    /// Carries out the next effect. Returns `false` if there is none.
    pub fn step(&mut self) -> bool {
        let Some(effect) = self.todo.pop_front() else { return false };
        match effect {
            Effect::Soon => self.input(Input::Continue),
            Effect::Later => self.input(Input::Remove),
            Effect::TryAgain { call } => self.input(Input::TryAgain { call }),
            Effect::FindAlarm => {
                self.input(Input::FoundAlarm(self.bell.at().map(RecordedTime::from_millis)));
            }
            Effect::Decide => {
                self.trace.push("decided");
                let (driver, ids, now) = (&mut self.driver, &mut self.ids, self.now);
                let ((), effects) = turn(now, |turn| driver.decide(turn, &mut || fresh(ids)));
                self.todo.extend(effects);
            }
            Effect::Forward { call, forward } => {
                self.trace.push("forward");
                let version = Some(forward.commits.last().map_or(Version::EMPTY, |commit| commit.version));
                if self.journal {
                    self.input(Input::Answered { call, version });
                }
            }
            Effect::Send { call, sending } => self.sends.push_back((call, sending)),
            Effect::Executed { outcome, .. } => {
                self.trace.push("answered");
                self.outcomes.push(outcome);
            }
            Effect::AlarmOver(over) => {
                self.trace.push("over");
                self.overs.push(over);
            }
            Effect::Log(_) => self.trace.push("log"),
            _ => {}
        }
        true
    }

    /// How often this happened since the last look.
    pub fn count(&mut self, what: &str) -> usize {
        let count = self.trace.iter().filter(|happened| **happened == what).count();
        self.trace.retain(|happened| *happened != what);
        count
    }

    pub fn version(&self) -> u64 {
        self.driver.store().head(&process()).unwrap().version.get()
    }

    pub fn pending(&self, key: &PendingKey) -> Option<PendingCommand> {
        self.driver.store().log().pending(&process(), key).unwrap()
    }

    pub fn count_pending(&self, kind: PendingKind) -> usize {
        let mut count = 0;
        let log = self.driver.store().log();
        log.agenda(&process(), &mut |key, _| count += usize::from(key.kind() == kind)).unwrap();
        count
    }
}

fn fresh(ids: &mut u32) -> EventId {
    *ids += 1;
    EventId::new(&format!("id-{ids:05}")).unwrap()
}

pub fn timer(key: &str) -> PendingKey {
    PendingKey::timer(key).unwrap()
}
