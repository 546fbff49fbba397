//! The object of a consumer. It carries out the effects of the core's [`ConsumerDriver`], for a projection, a webhook,
//! a queue or a reactor.

use std::collections::{BTreeMap, VecDeque};

use sillok::gateway::CallId as Number;
use sillok::handler::{
    Attempted, Consumer, ConsumerDriver, ConsumerEffect, ConsumerInput, Delivery, DocumentError, Documents,
    FeedEvent, Kind, LetterId, OpenError, Outcome, RebuildError, Settings, Window,
};
use sillok::store::{Append, JsonText, RecordedTime, StorageError, StreamId};

use crate::breaks::Break;
use crate::clients::marked;
use crate::consumer_plans::{ConsumerPlan, Role};
use crate::journals::name_of;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Tick, Turn};
use crate::plan::Plan;
use crate::storage::{ObjectAlarm, Storage};

/// The receiver of a webhook or a queue. It stores the accepted ids and marks.
pub struct Receiver {
    plan: ConsumerPlan,
    pub taken: Vec<(String, String)>,
}

impl Receiver {
    pub fn new(plan: &ConsumerPlan) -> Self {
        Self { plan: plan.clone(), taken: Vec::new() }
    }

    pub fn turn(&mut self, input: Input, turn: &mut Turn<'_>) {
        let Input::Called { call, request: Request::Deliver(deliveries) } = input else { return };
        let refused = deliveries.iter().any(|(_, mark)| self.plan.fails(mark, turn));
        if !refused {
            self.taken.extend(deliveries);
        }
        turn.answer(call, if refused { Reply::Refused } else { Reply::Done });
    }
}

pub struct ConsumerShell {
    number: usize,
    plan: ConsumerPlan,
    /// The stream of a reactor's commands.
    target: (Address, StreamId),
    driver: ConsumerDriver<Storage, ObjectAlarm>,
    storage: Storage,
    /// The calls under way, with the driver's numbers for them.
    calls: BTreeMap<CallId, Number>,
    ticks: BTreeMap<Tick, Step>,
    /// The call of an operator who waits until the consumer may be changed.
    changing: Option<CallId>,
    /// How many readers wait for a position, and how many operators wait for the end of a discard.
    waiting: usize,
    settings: Settings,
    alarm: ObjectAlarm,
    broken: Option<Break>,
}

/// The step at the end of a time.
enum Step {
    Input(ConsumerInput),
    /// A wake that is stored only in memory.
    Woken(usize),
}

impl ConsumerShell {
    pub fn new(
        number: usize,
        plan: &Plan,
        storage: Storage,
        alarm: ObjectAlarm,
        version: u32,
    ) -> Result<Self, StorageError> {
        let consumer = plan.consumers[number].clone();
        let kind = if consumer.role == Role::Projection { Kind::Projection } else { Kind::Reactor };
        let settings = Settings {
            name: name_of(number),
            kind,
            partitions: plan.partitions,
            policy: consumer.policy,
            window: match (consumer.window, plan.broken) {
                (Window::Streams(most), Some(Break::StreamTwiceAtOnce)) => Window::Batch(most),
                (window, _) => window,
            },
            after: consumer.after(plan.partitions),
            version,
        };
        let target = plan.for_clients + number;
        let machine = match Consumer::open(storage.clone(), alarm.clone(), settings.clone()) {
            Err(OpenError::Storage(error)) => return Err(error),
            opened => opened.unwrap(),
        };
        Ok(Self {
            number,
            target: (Address::Aggregate(target), plan.streams[target].clone()),
            driver: ConsumerDriver::new(machine),
            storage,
            plan: consumer,
            calls: BTreeMap::new(),
            ticks: BTreeMap::new(),
            changing: None,
            waiting: 0,
            settings,
            alarm,
            broken: plan.broken,
        })
    }

    fn input(&mut self, input: ConsumerInput, turn: &mut Turn<'_>) -> Vec<ConsumerEffect> {
        turn.drive(|core| self.driver.input(core, input)).1
    }

    fn woken(&mut self, partition: usize, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let (woken, effects) = turn.drive(|core| self.driver.woken(core, partition));
        woken?;
        self.carry_out(effects, turn)
    }

    /// An attempt has ended so, for all of its events or for the first.
    fn ended(&mut self, call: Number, outcome: Outcome, turn: &mut Turn<'_>) -> Vec<ConsumerEffect> {
        let attempted =
            if outcome.is_done() { Attempted::Done(usize::MAX) } else { Attempted::Ended(outcome) };
        self.input(ConsumerInput::Attempted { call, attempted }, turn)
    }

    fn carry_out(&mut self, effects: Vec<ConsumerEffect>, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                ConsumerEffect::Read { call, read } => {
                    let category = self.plan.category.clone();
                    let request = Request::ReadFeed { consumer: self.number, category, read };
                    self.calls.insert(turn.call(Address::Journal(read.partition), request), call);
                }
                ConsumerEffect::Project => effects.extend(self.project(turn)),
                ConsumerEffect::Deliver { call, deliveries, .. } => {
                    effects.extend(self.deliver(call, &deliveries, turn));
                }
                ConsumerEffect::Soon => {
                    self.ticks.insert(turn.tick_in(0), Step::Input(ConsumerInput::Continue));
                }
                ConsumerEffect::Later { call } => {
                    self.ticks.insert(turn.tick_in(1), Step::Input(ConsumerInput::Later { call }));
                }
                ConsumerEffect::FindAlarm { call } => {
                    let alarm = self.storage.alarm().map(RecordedTime::from_millis);
                    let found = ConsumerInput::FoundAlarm { call, alarm };
                    self.ticks.insert(turn.tick_in(1), Step::Input(found));
                }
                ConsumerEffect::Wait { call, millis } => {
                    self.ticks.insert(turn.tick_in(millis), Step::Input(ConsumerInput::Expired { call }));
                }
                ConsumerEffect::Change { .. } => effects.extend(self.redefine(turn)?),
                ConsumerEffect::Reached { call, outcome } => {
                    self.waiting -= 1;
                    outcome?;
                    turn.answer(call.get(), Reply::Found);
                }
                ConsumerEffect::Discarded { call, outcome } => {
                    self.waiting -= 1;
                    outcome?;
                    turn.answer(call.get(), Reply::Done);
                }
                ConsumerEffect::AlarmOver(over) => {
                    over?;
                    turn.alarm_is_over();
                }
                // Nobody watches, nobody follows the documents, and nobody reads the log.
                ConsumerEffect::Running(_)
                | ConsumerEffect::DocumentsChanged(_)
                | ConsumerEffect::Failed(_)
                | ConsumerEffect::Log(_) => {}
                other => panic!("{other:?} is not carried out"),
            }
        }
        Ok(())
    }

    /// Defines the consumer anew, as it was.
    fn redefine(&mut self, turn: &mut Turn<'_>) -> Result<Vec<ConsumerEffect>, StorageError> {
        let (storage, alarm, settings) = (self.storage.clone(), self.alarm.clone(), self.settings.clone());
        let open = || match Consumer::open(storage, alarm, settings) {
            Err(OpenError::Storage(error)) => Err(error),
            opened => Ok(opened.unwrap()),
        };
        let (redefined, effects) = turn.drive(|core| self.driver.redefine(core, open, || Ok(())));
        redefined?;
        if let Some(call) = self.changing.take() {
            turn.answer(call, Reply::Done);
        }
        Ok(effects)
    }

    fn project(&mut self, turn: &mut Turn<'_>) -> Vec<ConsumerEffect> {
        let plan = self.plan.clone();
        let driver = &mut self.driver;
        turn.drive_within(|core, turn| {
            driver.project(core, &mut |event, documents| {
                let mark = mark_of(event);
                add(documents, event.stream.as_str(), mark).map_err(|error| error.to_string())?;
                add(documents, "all", mark).map_err(|error| error.to_string())?;
                if plan.fails(mark, turn) { Err(format!("{mark} fails")) } else { Ok(()) }
            });
        })
    }

    /// Makes an attempt. If a reactor does not react to the event, the attempt ends at once.
    fn deliver(&mut self, call: Number, deliveries: &[Delivery], turn: &mut Turn<'_>) -> Vec<ConsumerEffect> {
        if self.broken == Some(Break::ReportedBeforeDelivered) {
            let effects = self.ended(call, Outcome::Done, turn);
            self.send(call, deliveries, turn);
            return effects;
        }
        if self.plan.role != Role::Reactor {
            let at_once = self.broken == Some(Break::StreamTwiceAtOnce);
            let size = if at_once { 1 } else { deliveries.len() };
            deliveries.chunks(size.max(1)).for_each(|sent| self.send(call, sent, turn));
            return Vec::new();
        }
        let Some(delivery) = deliveries.first() else { return Vec::new() };
        let mark = mark_of(&delivery.event);
        let outcome = if !self.plan.reacts_to(mark) {
            Outcome::Done
        } else if self.plan.fails(mark, turn) {
            Outcome::failed("fails")
        } else {
            let (to, stream) = self.target.clone();
            let mut command = Append::to(stream, vec![marked(&format!("r{}.{mark}", self.number))]);
            if self.broken != Some(Break::CommandWithoutKey) {
                command = command.keyed(delivery.command_key(0).unwrap());
            }
            self.calls.insert(turn.call(to, Request::Append(command)), call);
            return Vec::new();
        };
        self.ended(call, outcome, turn)
    }

    /// Sends deliveries to the receiver in one call.
    fn send(&mut self, call: Number, deliveries: &[Delivery], turn: &mut Turn<'_>) {
        let id_of_attempt = self.broken == Some(Break::IdOfAttempt);
        let sent = deliveries.iter().map(|Delivery { id, event, .. }| {
            let id = if id_of_attempt { format!("{id}-{}", turn.number()) } else { id.clone() };
            (id, mark_of(event).to_owned())
        });
        let request = Request::Deliver(sent.collect());
        self.calls.insert(turn.call(Address::Receiver(self.number), request), call);
    }

    fn answered(
        &mut self,
        call: CallId,
        reply: Option<Reply>,
        turn: &mut Turn<'_>,
    ) -> Result<(), StorageError> {
        let Some(number) = self.calls.remove(&call) else { return Ok(()) };
        let silent = reply.is_none() && self.broken == Some(Break::SilenceTakenForDone);
        let done = silent || matches!(reply, Some(Reply::Done | Reply::Appended(Ok(_))));
        let outcome = if done { Outcome::Done } else { Outcome::failed("no answer, or a refusal") };
        let mut effects = match reply {
            Some(Reply::Feed(page)) => {
                self.input(ConsumerInput::Read { call: number, page: Some(page) }, turn)
            }
            // An attempt has ended, or a page could not be read. The driver knows which.
            _ => {
                let mut effects = self.input(ConsumerInput::Read { call: number, page: None }, turn);
                effects.extend(self.ended(number, outcome, turn));
                effects
            }
        };
        if done && self.broken == Some(Break::WindowReportedByOne) {
            for number in std::mem::take(&mut self.calls).into_values() {
                effects.extend(self.ended(number, Outcome::Done, turn));
            }
        }
        self.carry_out(effects, turn)
    }

    fn called(&mut self, call: CallId, request: Request, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let number = Number::new(call);
        let ((), effects) = match request {
            Request::Wake { partition } if self.broken == Some(Break::WokenBeforeDuty) => {
                self.ticks.insert(turn.tick_in(20_000), Step::Woken(partition));
                turn.answer(call, Reply::Done);
                return Ok(());
            }
            Request::Wake { partition } => {
                self.woken(partition, turn)?;
                turn.answer(call, Reply::Done);
                return Ok(());
            }
            Request::Reach { partition, position, millis } => {
                self.waiting += 1;
                turn.drive(|core| self.driver.reach(core, number, (partition, position), millis))
            }
            Request::Redefine => {
                self.changing = Some(call);
                turn.drive(|core| self.driver.change(core, number))
            }
            Request::Discard => {
                self.waiting += 1;
                let one = self.letter_to_discard(turn)?;
                turn.drive(|core| self.driver.discard(core, number, one))
            }
            Request::Operate(operation) => {
                let (operated, effects) = turn.drive(|core| self.driver.operate(core, operation));
                if let Err(RebuildError::Storage(error)) = operated {
                    return Err(error);
                }
                turn.answer(call, Reply::Done);
                ((), effects)
            }
            other => panic!("{other:?} is not for a consumer"),
        };
        self.carry_out(effects, turn)
    }

    /// Notes the letters that the operator discards: the first one, or all of them (`None`).
    fn letter_to_discard(&mut self, turn: &mut Turn<'_>) -> Result<Option<LetterId>, StorageError> {
        let limit = turn.random.pick(&[1, 1000]);
        let letters = self.driver.machine().dead_letters(0, limit)?.letters;
        let marks = letters.iter().map(|letter| mark_of(&letter.event).to_owned());
        self.plan.discarded.borrow_mut().extend(marks);
        Ok(letters.first().map(|letter| letter.id).filter(|_| limit == 1))
    }
}

impl Shell for ConsumerShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let input = match input {
            Input::Called { call, request } => return self.called(call, request, turn),
            Input::Answered { call, reply } => return self.answered(call, reply, turn),
            Input::Rang => {
                if self.broken == Some(Break::RingingOverAtOnce) {
                    turn.alarm_is_over();
                }
                ConsumerInput::Rang
            }
            Input::Ticked(tick) => match self.ticks.remove(&tick) {
                Some(Step::Input(input)) => input,
                Some(Step::Woken(partition)) => return self.woken(partition, turn),
                None => return Ok(()),
            },
        };
        let effects = self.input(input, turn);
        self.carry_out(effects, turn)
    }

    fn unanswered(&self) -> usize {
        self.waiting + usize::from(self.changing.is_some())
    }
}

/// The mark of the event, which no other event has.
fn mark_of(event: &FeedEvent) -> &str {
    event.json.trim_matches('"')
}

/// Adds a mark to the end of a document that is a list of marks.
fn add(documents: &Documents<Storage>, key: &str, mark: &str) -> Result<(), DocumentError> {
    let list = documents.get(key)?;
    let mut marks: Vec<&str> =
        list.as_ref().map_or_else(Vec::new, |list| serde_json::from_str(list.as_str()).unwrap());
    marks.push(mark);
    documents.put(key, &JsonText::from_value(&marks).unwrap())
}
