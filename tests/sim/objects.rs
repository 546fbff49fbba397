//! Objects: what survives their crashes, and what does not.

use std::cell::Cell;
use std::rc::Rc;

use sillok::gateway::Turn as CoreTurn;
use sillok::store::{RecordedTime, StorageError};

use crate::aggregates::AggregateShell;
use crate::breaks::Break;
use crate::consumers::ConsumerShell;
use crate::journals::JournalShell;
use crate::network::{Address, CallId, Reply, Request};
use crate::random::Random;
use crate::storage::{ObjectAlarm, Storage};
use crate::world::Plan;

/// What happens to a participant.
#[derive(Debug)]
pub enum Input {
    /// It is called.
    Called { call: CallId, request: Request },
    /// A call of its own came back, or never will.
    Answered { call: CallId, reply: Option<Reply> },
    /// A time is over that it wanted to wait.
    Ticked(Tick),
    /// Its alarm rings.
    Rang,
}

/// What tells one time that is waited for from every other.
pub type Tick = u64;

/// What carries out what a driver of the core decides: the shell that an object is.
pub trait Shell {
    /// One synchronous turn. An error ends the object.
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError>;

    /// How many calls of others wait for their answers.
    fn unanswered(&self) -> usize;
}

/// What a participant can do in its turn. Nothing leaves before what the turn wrote is durable.
pub struct Turn<'a> {
    pub now: RecordedTime,
    /// Whether nothing fails by chance any more.
    pub kind: bool,
    /// Whether what was poisoned no longer is.
    pub cured: bool,
    pub random: &'a mut Random,
    pub last_call: &'a mut CallId,
    pub outgoing: Vec<Outgoing>,
}

/// What leaves when a turn is over.
#[derive(Debug)]
pub enum Outgoing {
    Call {
        call: CallId,
        to: Address,
        request: Request,
    },
    Answer {
        call: CallId,
        reply: Reply,
    },
    Tick {
        tick: Tick,
        millis: u64,
    },
    /// All that the alarm was for is done: until then the platform would ring it again after a crash.
    AlarmOver,
}

impl Turn<'_> {
    pub fn call(&mut self, to: Address, request: Request) -> CallId {
        *self.last_call += 1;
        let call = *self.last_call;
        self.outgoing.push(Outgoing::Call { call, to, request });
        call
    }

    pub fn answer(&mut self, call: CallId, reply: Reply) {
        self.outgoing.push(Outgoing::Answer { call, reply });
    }

    pub fn tick_in(&mut self, millis: u64) -> Tick {
        *self.last_call += 1;
        let tick = *self.last_call;
        self.outgoing.push(Outgoing::Tick { tick, millis });
        tick
    }

    pub fn tick_within(&mut self, millis: u64) {
        let millis = self.random.between(1, millis);
        self.tick_in(millis);
    }

    /// One turn of a driver of the core: what it gives, and what it wants done.
    pub fn drive<T, E>(&mut self, input: impl FnOnce(&mut CoreTurn<'_, E>) -> T) -> (T, Vec<E>) {
        let mut random = || self.random.number();
        let mut turn = CoreTurn::at(self.now, &mut random);
        let given = input(&mut turn);
        (given, turn.into_effects())
    }

    /// The same for a driver that runs code of this object within its turn.
    pub fn drive_within<E>(&mut self, input: impl FnOnce(&mut CoreTurn<'_, E>, &mut Self)) -> Vec<E> {
        let mut own = Random::seeded(self.random.number());
        let mut random = || own.number();
        let mut turn = CoreTurn::at(self.now, &mut random);
        input(&mut turn, self);
        turn.into_effects()
    }

    pub fn alarm_is_over(&mut self) {
        self.outgoing.push(Outgoing::AlarmOver);
    }

    pub fn jitter(&mut self) -> u64 {
        self.random.number()
    }

    /// The same, as a smaller number.
    pub fn number(&mut self) -> u32 {
        u32::try_from(self.random.number() >> 32).unwrap()
    }
}

/// An object: its storage lasts, its shell is lost with every crash.
pub struct Object {
    pub storage: Storage,
    pub alarm: ObjectAlarm,
    pub shell: Option<Box<dyn Shell>>,
    /// How often it was started.
    pub incarnation: u32,
    /// Whether its alarm has rung and what that was for is not over.
    pub ringing: bool,
    /// For when its ringing is planned.
    pub planned: Option<u64>,
    /// How far its clock is ahead, in milliseconds.
    pub clock_ahead: u64,
}

impl Object {
    pub fn new(broken: Option<Break>) -> Self {
        let storage = Storage::new(broken);
        let alarm = ObjectAlarm { storage: storage.clone(), apart: Rc::new(Cell::new(None)) };
        let (shell, incarnation, ringing) = (None, 0, false);
        Self { storage, alarm, shell, incarnation, ringing, planned: None, clock_ahead: 0 }
    }

    /// Takes a turn, for which it is started where it is not there.
    pub fn turn(
        &mut self,
        who: Address,
        plan: &Plan,
        input: Input,
        turn: &mut Turn<'_>,
    ) -> Result<(), StorageError> {
        let shell = match &mut self.shell {
            Some(shell) => shell,
            none => {
                let (storage, alarm) = (self.storage.clone(), self.alarm.clone());
                none.insert(match who {
                    Address::Aggregate(number) => Box::new(AggregateShell::new(number, plan, storage, alarm)),
                    Address::Journal(number) => Box::new(JournalShell::new(number, plan, storage, alarm)),
                    Address::Consumer(number) => Box::new(ConsumerShell::new(number, plan, storage, alarm)?),
                    _ => return Ok(()),
                })
            }
        };
        shell.turn(input, turn)
    }

    /// Loses all that is not durable. The platform rings again where a ringing was not over.
    pub fn crash(&mut self, now: u64) {
        self.shell = None;
        self.alarm.apart.set(None);
        if std::mem::take(&mut self.ringing) && self.storage.alarm().is_none() {
            self.storage.set_alarm(now + 2000);
        }
    }
}
