//! The world: one clock, one queue of future events, and chance.

use std::collections::BTreeMap;

use sillok::ErrorCode;
use sillok::store::RecordedTime;
use sillok::testing::FaultMoment;

use crate::bank::{Bank, SentCommands, Teller};
use crate::breaks::Break;
use crate::clients::Client;
use crate::consumers::Receiver;
use crate::network::{Address, CallId, Reply, Request, Weather};
use crate::objects::{Input, Object, Outgoing, Tick, Turn};
use crate::operator::Operator;
use crate::plan::{BEGINNING, Plan};
use crate::random::Random;

/// The most steps of a run. A run with more steps never becomes quiet.
const MOST_STEPS: u32 = 100_000;

pub struct World {
    pub plan: Plan,
    pub clients: Vec<Client>,
    pub tellers: Vec<Teller>,
    pub receivers: Vec<Receiver>,
    pub objects: BTreeMap<Address, Object>,
    operator: Operator,
    random: Random,
    weather: Weather,
    now: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    happenings: u64,
    last_call: CallId,
    /// The caller of each call.
    calls: BTreeMap<CallId, (Address, u32)>,
    pub sent: SentCommands,
    /// Whether to print every step.
    traced: bool,
}

#[derive(Debug)]
enum Happening {
    Called { call: CallId, to: Address, request: Request },
    Answered { call: CallId, reply: Option<Reply> },
    Ticked { who: Address, incarnation: u32, tick: Tick },
    Rings { who: Address, again: bool, early: u64 },
}

/// The end of an object in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// After this many storage calls. The earlier writes are lost, or stay in a storage without turns.
    Amid { calls: u32, fault: FaultMoment, stored: bool },
    /// After all writes, when none is durable.
    BeforeDurable,
    /// When all writes are durable and nothing was sent.
    BeforeSent,
}

impl End {
    fn amid(self) -> Option<(u32, FaultMoment)> {
        match self {
            Self::Amid { calls, fault, .. } => Some((calls, fault)),
            Self::BeforeDurable | Self::BeforeSent => None,
        }
    }

    fn is_durable(self) -> bool {
        matches!(self, Self::BeforeSent | Self::Amid { stored: true, .. })
    }
}

impl World {
    pub fn new(seed: u64, broken: Option<Break>, traced: bool) -> Self {
        let mut random = Random::seeded(seed);
        let weather = Weather::drawn(broken.is_some(), &mut random);
        let plan = Plan::drawn(&weather, broken, &mut random);
        let clients = (0..=random.index(4)).map(|number| Client::new(number, &plan, &mut random)).collect();
        Self { clients, ..Self::empty(plan, weather, random, traced) }.populated()
    }

    /// A world with timers and processes.
    pub fn of_bank(seed: u64, broken: Option<Break>, traced: bool) -> Self {
        let mut random = Random::seeded(seed);
        let weather = Weather::of_bank(broken.is_some(), &mut random);
        let bank = Bank::drawn(&mut random);
        let plan = Plan::of_bank(bank.clone(), &weather, broken, &mut random);
        let teller = |number| Teller::new(number, &bank, &plan, &mut random);
        let tellers = (0..4).map(teller).collect();
        Self { tellers, ..Self::empty(plan, weather, random, traced) }.populated()
    }

    fn empty(plan: Plan, weather: Weather, mut random: Random, traced: bool) -> Self {
        Self {
            clients: Vec::new(),
            tellers: Vec::new(),
            receivers: plan.consumers.iter().map(Receiver::new).collect(),
            objects: BTreeMap::new(),
            operator: Operator::new(&plan, BEGINNING, &mut random),
            weather,
            now: BEGINNING,
            queue: BTreeMap::new(),
            happenings: 0,
            last_call: 0,
            calls: BTreeMap::new(),
            sent: SentCommands::default(),
            traced,
            random,
            plan,
        }
    }

    fn populated(mut self) -> Self {
        let aggregates = (0..self.plan.streams.len()).map(Address::Aggregate);
        let journals = (0..self.plan.partitions).map(Address::Journal);
        let consumers = (0..self.plan.consumers.len()).map(Address::Consumer);
        for address in aggregates.chain(journals).chain(consumers) {
            let broken = self.plan.broken.filter(|broken| broken.is_in(address));
            self.objects.insert(address, Object::new(broken));
        }
        let clients = (0..self.clients.len()).map(Address::Client);
        for who in clients.chain((0..self.tellers.len()).map(Address::Teller)) {
            let start = self.now + self.random.below(self.plan.longest_wait);
            self.happen(start, Happening::Ticked { who, incarnation: 0, tick: 0 });
        }
        self.happen(self.now, Happening::Ticked { who: Address::Operator, incarnation: 0, tick: 0 });
        self
    }

    /// Runs the world until nothing more is to happen.
    pub fn run(&mut self) -> Result<(), String> {
        self.run_until(u64::MAX)
    }

    /// Runs the world until this time, or until nothing more is to happen.
    pub fn run_until(&mut self, end: u64) -> Result<(), String> {
        let mut steps = 0;
        while let Some(next) = self.queue.first_entry().filter(|next| next.key().0 <= end) {
            let ((time, _), happening) = next.remove_entry();
            self.now = time;
            if self.is_kind() {
                self.weather = Weather::default();
            }
            steps += 1;
            if steps > MOST_STEPS {
                return Err(format!("after {steps} steps there is no quiet: {happening:?}"));
            }
            self.trace(&happening);
            self.evict();
            self.step(happening)?;
        }
        Ok(())
    }

    /// Lets the operator resume every consumer, once the world is quiet.
    pub fn mend(&mut self) {
        self.operator.mend(&self.plan);
        self.happen(self.now, Happening::Ticked { who: Address::Operator, incarnation: 0, tick: 0 });
    }

    fn is_kind(&self) -> bool {
        self.now >= self.plan.kind_from
    }

    fn trace(&self, happening: &impl std::fmt::Debug) {
        if self.traced {
            eprintln!("{:>8} {happening:?}", self.now - BEGINNING);
        }
    }

    fn happen(&mut self, time: u64, happening: Happening) {
        self.happenings += 1;
        self.queue.insert((time, self.happenings), happening);
    }

    fn step(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Called { call, to, request } => {
                self.sent.called(call, &request);
                self.turn(to, Input::Called { call, request })
            }
            Happening::Answered { call, reply } => match self.calls.remove(&call) {
                Some((who, incarnation)) if self.is_alive(who, incarnation) => {
                    self.turn(who, Input::Answered { call, reply })
                }
                _ => Ok(()),
            },
            Happening::Ticked { who, incarnation, tick } if self.is_alive(who, incarnation) => {
                self.turn(who, Input::Ticked(tick))
            }
            Happening::Ticked { .. } => Ok(()),
            Happening::Rings { who, again, early } => self.ring(who, again, early),
        }
    }

    fn is_alive(&self, who: Address, incarnation: u32) -> bool {
        match self.objects.get(&who) {
            Some(object) => object.shell.is_some() && object.incarnation == incarnation,
            None => true, // not an object
        }
    }

    fn ring(&mut self, who: Address, again: bool, early: u64) -> Result<(), String> {
        let Some(object) = self.objects.get_mut(&who) else { return Ok(()) };
        if object.ringing {
            self.happen(self.now + 1000, Happening::Rings { who, again, early });
            return Ok(());
        }
        if !again {
            if object.storage.alarm().is_none_or(|at| at > self.now + early) {
                return Ok(());
            }
            object.planned = None;
            object.storage.clear_alarm();
        }
        object.ringing = true;
        if self.random.chance(self.weather.again) {
            let later = self.now + self.random.between(1, 10_000);
            self.happen(later, Happening::Rings { who, again: true, early: 0 });
        }
        self.turn(who, Input::Rang)
    }

    /// Evicts an object from memory, as may happen at any time between two turns.
    fn evict(&mut self) {
        if self.random.chance(self.weather.evicted) {
            let place = self.random.index(self.objects.len());
            let (who, object) = self.objects.iter_mut().nth(place).unwrap();
            let who = *who;
            object.crash(self.now);
            self.trace(&("evicted", who));
            self.plan_ringing(who);
        }
    }

    fn turn(&mut self, who: Address, input: Input) -> Result<(), String> {
        if self.objects.contains_key(&who) {
            return self.object_turn(who, input);
        }
        let now = RecordedTime::from_millis(self.now);
        let (kind, cured) = (self.is_kind(), self.is_cured());
        let (random, last_call) = (&mut self.random, &mut self.last_call);
        let mut turn = Turn { now, kind, cured, fails: None, random, last_call, outgoing: Vec::new() };
        match who {
            Address::Teller(number) => self.tellers[number].turn(input, &mut turn)?,
            Address::Client(number) => self.clients[number].turn(input, &mut turn)?,
            Address::Receiver(number) => self.receivers[number].turn(input, &mut turn),
            _ => self.operator.turn(input, &mut turn),
        }
        let outgoing = turn.outgoing;
        self.send(who, 0, outgoing);
        Ok(())
    }

    fn is_cured(&self) -> bool {
        self.plan.cured_from.is_some_and(|cured_from| self.now >= cured_from)
    }

    fn object_turn(&mut self, who: Address, input: Input) -> Result<(), String> {
        let (end, kind, cured) = (self.draw_end(), self.is_kind(), self.is_cured());
        let fails = self.draw_failure(who);
        let incarnation = self.start(who);
        let steps = self.random.chance(self.weather.late / 10).then(|| self.random.below(60_000));
        let object = self.objects.get_mut(&who).unwrap();
        // A clock is set while the object lives.
        object.clock_ahead = steps.unwrap_or(object.clock_ahead);
        let now = RecordedTime::from_millis(self.now + object.clock_ahead);
        let amid = end.and_then(End::amid);
        object.storage.begin(amid);
        let (random, last_call) = (&mut self.random, &mut self.last_call);
        let mut turn = Turn { now, kind, cured, fails, random, last_call, outgoing: Vec::new() };
        let outcome = object.turn(who, &self.plan, input, &mut turn);
        let outgoing = turn.outgoing;
        let end = end.filter(|_| amid.is_none() || object.storage.is_gone());
        object.storage.end(end.is_none_or(End::is_durable));
        match end {
            Some(end) => {
                object.crash(self.now);
                self.trace(&("crashed", who, end));
                if let (End::BeforeDurable, Some(broken)) = (end, self.plan.broken) {
                    let sent = outgoing.into_iter().filter(|out| broken.sends_before_durable(out));
                    self.send(who, incarnation, sent.collect());
                }
            }
            None => {
                outcome
                    .map_err(|error| format!("{who:?} failed, though nothing was made to fail: {error}"))?;
                self.send(who, incarnation, outgoing);
                self.set_apart(who);
            }
        }
        self.plan_ringing(who);
        Ok(())
    }

    fn draw_end(&mut self) -> Option<End> {
        if !self.random.chance(self.weather.crash) {
            return None;
        }
        Some(match self.random.below(6) {
            0 => End::BeforeDurable,
            1 => End::BeforeSent,
            _ => End::Amid {
                calls: u32::try_from(self.random.below(12)).unwrap(),
                fault: self.random.pick(&[FaultMoment::Before, FaultMoment::After]),
                stored: self.random.chance(500),
            },
        })
    }

    /// Draws the error of code that fails in a turn: as a receiver that has no time, or as a fault that parks.
    fn draw_failure(&mut self, who: Address) -> Option<ErrorCode> {
        let sick = self.plan.bank.as_ref().and_then(|bank| bank.sick).map(Address::Aggregate);
        let fails = self.random.chance(self.weather.failing) || sick == Some(who) && !self.is_kind();
        fails.then(|| self.random.pick(&[ErrorCode::Unavailable, ErrorCode::DeciderFailed]))
    }

    /// Starts an object if it is not running.
    fn start(&mut self, who: Address) -> u32 {
        let object = self.objects.get_mut(&who).unwrap();
        if object.shell.is_none() {
            object.incarnation += 1;
            object.clock_ahead =
                if self.random.chance(self.weather.late) { self.random.below(60_000) } else { 0 };
        }
        self.objects[&who].incarnation
    }

    /// Sends the messages of a turn. Chance decides what happens to them.
    fn send(&mut self, who: Address, incarnation: u32, outgoing: Vec<Outgoing>) {
        for out in outgoing {
            self.trace(&(who, &out));
            match out {
                Outgoing::Call { call, to, request } => {
                    self.calls.insert(call, (who, incarnation));
                    let given_up = self.now + self.weather.patience(&request, &mut self.random);
                    self.happen(given_up, Happening::Answered { call, reply: None });
                    if request.may_be_repeated() && self.random.chance(self.weather.repeated) {
                        let request = request.clone();
                        self.deliver(Happening::Called { call, to, request });
                    }
                    self.deliver(Happening::Called { call, to, request });
                }
                Outgoing::Answer { call, reply } => {
                    self.sent.answered(call, &reply);
                    self.deliver(Happening::Answered { call, reply: Some(reply) });
                }
                Outgoing::Tick { tick, millis } => {
                    self.happen(self.now + millis, Happening::Ticked { who, incarnation, tick });
                }
                Outgoing::AlarmOver => {
                    if let Some(object) = self.objects.get_mut(&who) {
                        object.ringing = false;
                    }
                }
            }
        }
    }

    fn deliver(&mut self, message: Happening) {
        let arrives = self.now + self.weather.delay(&mut self.random);
        if !self.random.chance(self.weather.lost) {
            self.happen(arrives, message);
        }
    }

    /// Sets the alarm that a broken object sets apart from its writes, unless the object crashes in between.
    fn set_apart(&mut self, who: Address) {
        let object = self.objects.get_mut(&who).unwrap();
        if let Some(at) = object.alarm.apart.take() {
            if self.random.chance(self.weather.crash) {
                object.crash(self.now);
            } else {
                object.storage.set_alarm(at);
            }
        }
    }

    /// Plans the ringing of an alarm: in time, late, or some milliseconds early.
    fn plan_ringing(&mut self, who: Address) {
        let late = if self.random.chance(self.weather.late) { self.random.below(90_000) } else { 0 };
        let early = if self.random.chance(self.weather.early) { self.random.below(20) } else { 0 };
        let object = self.objects.get_mut(&who).unwrap();
        let alarm = object.storage.alarm();
        if let Some(at) = alarm.filter(|_| alarm != object.planned) {
            let at = at.saturating_sub(early).max(self.now) + late;
            self.happen(at, Happening::Rings { who, again: false, early });
        }
        self.objects.get_mut(&who).unwrap().planned = alarm;
    }
}
