//! The object of a consumer, around the core's [`Consumer`]: a projection, a webhook, a queue or a reactor.

use std::collections::BTreeMap;

use sillok::handler::{
    Consumer, Delivery, DocumentError, Documents, FeedEvent, Kind, Next, OpenError, Outcome, RebuildError,
    Settings, Window,
};
use sillok::store::{Append, JsonText, StorageError, StreamId};

use crate::breaks::Break;
use crate::clients::marked;
use crate::consumer_plans::{ConsumerPlan, Role};
use crate::journals::name_of;
use crate::network::{Address, CallId, Operation, Reply, Request};
use crate::objects::{Input, Shell, Turn};
use crate::storage::{ObjectAlarm, Storage};
use crate::world::Plan;

/// What a webhook or a queue delivers to. It keeps what it took: ids and marks.
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
    /// Where a reactor's commands go.
    target: (Address, StreamId),
    consumer: Consumer<Storage, ObjectAlarm>,
    /// The page for which the machine waits.
    page: Option<CallId>,
    /// The deliveries for which it waits: each call with the ids that it is of.
    under_way: BTreeMap<CallId, Vec<String>>,
    ringing: bool,
    /// Who woke it, where that is only remembered.
    woken_later: Vec<usize>,
    broken: Option<Break>,
}

impl ConsumerShell {
    pub fn new(
        number: usize,
        plan: &Plan,
        storage: Storage,
        alarm: ObjectAlarm,
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
        };
        let target = plan.for_clients + number;
        Ok(Self {
            number,
            target: (Address::Aggregate(target), plan.streams[target].clone()),
            consumer: match Consumer::open(storage, alarm, settings) {
                Err(OpenError::Storage(error)) => return Err(error),
                opened => opened.unwrap(),
            },
            plan: consumer,
            page: None,
            under_way: BTreeMap::new(),
            ringing: false,
            woken_later: Vec::new(),
            broken: plan.broken,
        })
    }

    /// Does what the machine wants until it waits for something.
    fn run(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        while !self.waits() {
            match self.consumer.next(turn.now)? {
                Next::Read(read) => {
                    let category = self.plan.category.clone();
                    let request = Request::ReadFeed { consumer: self.number, category, read };
                    self.page = Some(turn.call(Address::Journal(read.partition), request));
                }
                Next::Project => self.project(turn)?,
                Next::Deliver(deliveries) => self.deliver(&deliveries, turn)?,
                Next::Tidied => {
                    turn.tick_in(1);
                    return Ok(());
                }
                Next::Wait { .. } | Next::Idle | Next::Paused | Next::Stopped => {
                    self.rest(turn);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn waits(&self) -> bool {
        self.page.is_some() || !self.under_way.is_empty()
    }

    /// Nothing more is done now: what the alarm rang for is over.
    fn rest(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.ringing) {
            turn.alarm_is_over();
        }
    }

    fn project(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let (plan, now, jitter) = (self.plan.clone(), turn.now, turn.number());
        self.consumer.project(now, jitter, &mut |event, documents| {
            let mark = mark_of(event);
            add(documents, event.stream.as_str(), mark).map_err(|error| error.to_string())?;
            add(documents, "all", mark).map_err(|error| error.to_string())?;
            if plan.fails(mark, turn) { Err(format!("{mark} fails")) } else { Ok(()) }
        })
    }

    fn deliver(&mut self, deliveries: &[Delivery], turn: &mut Turn<'_>) -> Result<(), StorageError> {
        if self.broken == Some(Break::ToldBeforeDelivered) {
            for Delivery { id, .. } in deliveries {
                self.consumer.delivered(id, Outcome::Done, turn.now, turn.number())?;
            }
        }
        match self.plan.role {
            Role::Webhook => deliveries.chunks(1).for_each(|one| self.send(one, turn)),
            Role::Queue => self.send(deliveries, turn),
            _ => deliveries.iter().try_for_each(|delivery| self.react(delivery, turn))?,
        }
        Ok(())
    }

    /// Sends deliveries to the receiver by one call.
    fn send(&mut self, deliveries: &[Delivery], turn: &mut Turn<'_>) {
        let id_of_attempt = self.broken == Some(Break::IdOfAttempt);
        let sent = deliveries.iter().map(|Delivery { id, event, .. }| {
            let id = if id_of_attempt { format!("{id}-{}", turn.number()) } else { id.clone() };
            (id, mark_of(event).to_owned())
        });
        let request = Request::Deliver(sent.collect());
        let call = turn.call(Address::Receiver(self.number), request);
        let ids = deliveries.iter().map(|delivery| delivery.id.clone());
        self.under_way.insert(call, ids.collect());
    }

    fn react(&mut self, delivery: &Delivery, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let mark = mark_of(&delivery.event);
        let (id, jitter) = (delivery.id.clone(), turn.number());
        if !self.plan.reacts_to(mark) {
            self.consumer.delivered(&id, Outcome::Done, turn.now, jitter)?;
        } else if self.plan.fails(mark, turn) {
            self.consumer.delivered(&id, Outcome::failed("fails"), turn.now, jitter)?;
        } else {
            let key = delivery.command_key(0).unwrap();
            let (to, stream) = self.target.clone();
            let mut command = Append::to(stream, vec![marked(&format!("r{}.{mark}", self.number))]);
            if self.broken != Some(Break::CommandWithoutKey) {
                command = command.keyed(key);
            }
            self.under_way.insert(turn.call(to, Request::Append(command)), vec![id]);
        }
        Ok(())
    }

    fn answered(
        &mut self,
        deliveries: Option<Vec<String>>,
        reply: Option<Reply>,
        turn: &mut Turn<'_>,
    ) -> Result<(), StorageError> {
        match (deliveries, reply) {
            (None, Some(Reply::Feed(page))) => self.consumer.took(page, turn.now)?,
            (None, _) => {
                self.consumer.missed(turn.now)?;
                self.rest(turn);
                return Ok(());
            }
            (Some(ids), reply) => {
                let done = matches!(reply, Some(Reply::Done | Reply::Appended(Ok(_))));
                self.tell(&ids, done, turn)?;
            }
        }
        self.run(turn)
    }

    /// Tells the machine what came of one call: a batch that failed has failed as its first event.
    fn tell(&mut self, ids: &[String], done: bool, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let outcome = if done { Outcome::Done } else { Outcome::failed("no answer, or a refusal") };
        for id in ids.iter().take(if done { ids.len() } else { 1 }) {
            self.consumer.delivered(id, outcome.clone(), turn.now, turn.number())?;
        }
        if done && self.broken == Some(Break::WindowToldByOne) {
            for id in std::mem::take(&mut self.under_way).into_values().flatten() {
                self.consumer.delivered(&id, Outcome::Done, turn.now, turn.number())?;
            }
        }
        Ok(())
    }

    fn called(&mut self, request: &Request, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        match request {
            Request::Wake { partition } if self.broken == Some(Break::WokenBeforeDuty) => {
                self.woken_later.push(*partition);
                turn.tick_in(20_000);
                Ok(())
            }
            Request::Wake { partition } => self.consumer.woken(*partition, turn.now),
            Request::Operate(Operation::Pause) => self.consumer.pause(),
            Request::Operate(Operation::Resume) => self.consumer.resume(turn.now),
            Request::Operate(Operation::Retry) => self.consumer.retry(turn.now),
            Request::Operate(Operation::Discard) => {
                let limit = turn.random.pick(&[1, 1000]);
                let letters = self.consumer.dead_letters(0, limit)?.letters;
                let marks = letters.iter().map(|letter| mark_of(&letter.event).to_owned());
                self.plan.discarded.borrow_mut().extend(marks);
                let first = letters.first().map(|letter| letter.id);
                let ids =
                    first.filter(|_| limit == 1).map_or(1..=u64::MAX, |first| first.get()..=first.get());
                self.consumer.discard(ids).map(|_| ())
            }
            Request::Operate(Operation::Rebuild) => match self.consumer.rebuild(turn.now) {
                Err(RebuildError::Storage(error)) => Err(error),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl Shell for ConsumerShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        match input {
            Input::Called { call, request } => {
                self.called(&request, turn)?;
                turn.answer(call, Reply::Done);
            }
            Input::Answered { call, reply } => {
                let deliveries = self.under_way.remove(&call);
                if deliveries.is_none() && self.page.take_if(|page| *page == call).is_none() {
                    return Ok(());
                }
                return self.answered(deliveries, reply, turn);
            }
            Input::Started { alarm } => {
                if !self.consumer.started(alarm, turn.now)? {
                    return Ok(());
                }
            }
            Input::Rang => {
                self.consumer.rang(turn.now)?;
                // What is under way goes on. It is no longer this alarm's: where it is to be found again, another is set.
                if self.waits() {
                    turn.alarm_is_over();
                    return Ok(());
                }
                self.ringing = true;
            }
            Input::Ticked => {
                for partition in std::mem::take(&mut self.woken_later) {
                    self.consumer.woken(partition, turn.now)?;
                }
            }
        }
        self.run(turn)
    }
}

/// What tells the event from all others.
fn mark_of(event: &FeedEvent) -> &str {
    event.json.trim_matches('"')
}

/// Adds a mark to the end of a document that is a list of them.
fn add(documents: &Documents<Storage>, key: &str, mark: &str) -> Result<(), DocumentError> {
    let list = documents.get(key)?;
    let mut marks: Vec<&str> =
        list.as_ref().map_or_else(Vec::new, |list| serde_json::from_str(list.as_str()).unwrap());
    marks.push(mark);
    documents.put(key, &JsonText::from_value(&marks).unwrap())
}
