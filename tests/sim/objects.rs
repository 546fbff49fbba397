//! Objects: the parts that survive a crash, and the parts that do not.

use std::cell::Cell;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::Turn as CoreTurn;
use sillok::store::{RecordedTime, StorageError};

use crate::aggregates::AggregateShell;
use crate::bank::Around;
use crate::breaks::Break;
use crate::consumers::ConsumerShell;
use crate::deciders::{Counting, Memory};
use crate::journals::JournalShell;
use crate::network::{Address, CallId, Reply, Request};
use crate::plan::Plan;
use crate::random::Random;
use crate::storage::{ObjectAlarm, Storage};

/// Something that happens to a participant.
#[derive(Debug)]
pub enum Input {
    /// Another participant calls it.
    Called { call: CallId, request: Request },
    /// A call of its own has an answer, or will never have one.
    Answered { call: CallId, reply: Option<Reply> },
    /// A time has ended that it wanted to wait.
    Ticked(Tick),
    /// Its alarm rings.
    Rang,
}

/// The number of a time to wait, which no other has.
pub type Tick = u64;

/// The shell of an object: it carries out the effects of a driver of the core.
pub trait Shell {
    /// Makes one synchronous turn. An error ends the object.
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError>;

    /// How many calls of others wait for their answers.
    fn unanswered(&self) -> usize;
}

/// The abilities of a participant in its turn. Nothing leaves before the turn's writes are durable.
pub struct Turn<'a> {
    pub now: RecordedTime,
    /// Whether no faults happen by chance any more.
    pub kind: bool,
    /// Whether poison no longer fails.
    pub cured: bool,
    /// The error with which the code of an aggregate fails in this turn.
    pub fails: Option<ErrorCode>,
    pub random: &'a mut Random,
    pub last_call: &'a mut CallId,
    pub outgoing: Vec<Outgoing>,
}

/// Something that leaves at the end of a turn.
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
    /// The work for the alarm is done. Without this, the platform would ring the alarm again after a crash.
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

    /// Makes one turn of a driver of the core. Returns its result and its effects.
    pub fn drive<T, E>(&mut self, input: impl FnOnce(&mut CoreTurn<'_, E>) -> T) -> (T, Vec<E>) {
        let mut random = || self.random.number();
        let mut turn = CoreTurn::at(self.now, &mut random);
        let given = input(&mut turn);
        (given, turn.into_effects())
    }

    /// Makes one turn of a driver that runs code of this object within its turn.
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

    /// Draws a random number of 32 bits.
    pub fn number(&mut self) -> u32 {
        u32::try_from(self.random.number() >> 32).unwrap()
    }
}

/// An object. Its storage survives a crash, and its shell does not.
pub struct Object {
    pub storage: Storage,
    pub alarm: ObjectAlarm,
    pub shell: Option<Box<dyn Shell>>,
    /// The number of its starts.
    pub incarnation: u32,
    /// Whether its alarm has rung and the work for it is not done.
    pub ringing: bool,
    /// The time for which its alarm is planned to ring.
    pub planned: Option<u64>,
    /// The last state of its aggregate, for a broken one.
    pub memory: Memory,
    /// How far its clock is ahead, in milliseconds.
    pub clock_ahead: u64,
}

impl Object {
    pub fn new(broken: Option<Break>) -> Self {
        let storage = Storage::new(broken);
        let alarm = ObjectAlarm { storage: storage.clone(), apart: Rc::new(Cell::new(None)) };
        let (shell, incarnation, ringing) = (None, 0, false);
        Self {
            storage,
            alarm,
            shell,
            incarnation,
            ringing,
            planned: None,
            memory: Memory::default(),
            clock_ahead: 0,
        }
    }

    /// Makes a turn. Starts the object first if it is not running.
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
                    Address::Aggregate(number) => {
                        let around = Rc::new(Around { broken: plan.broken, ..Around::default() });
                        let code = match &plan.bank {
                            Some(bank) => bank.code(number, &around, turn.random),
                            None => Box::new(Counting::new(
                                turn.random.between(1, 2),
                                turn.random.between(1, 4),
                                self.memory.clone(),
                                plan.broken,
                            )),
                        };
                        Box::new(AggregateShell::new(number, plan, storage, alarm, code, around))
                    }
                    Address::Journal(number) => Box::new(JournalShell::new(number, plan, storage, alarm)),
                    Address::Consumer(number) => {
                        // After a death, the code may have another version: a deployment, or a rollback.
                        let version = turn.random.pick(&[1, 1, 1, 2]);
                        Box::new(ConsumerShell::new(number, plan, storage, alarm, version)?)
                    }
                    _ => return Ok(()),
                })
            }
        };
        shell.turn(input, turn)
    }

    /// Loses everything that is not durable. The platform rings the alarm again if its work was not done.
    pub fn crash(&mut self, now: u64) {
        self.shell = None;
        self.alarm.apart.set(None);
        if std::mem::take(&mut self.ringing) && self.storage.alarm().is_none() {
            self.storage.set_alarm(now + 2000);
        }
    }
}
