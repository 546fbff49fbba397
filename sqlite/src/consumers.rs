//! The consumers of a store: projections, reactors and processes that take events. The machine of the core says what is next.

use std::fmt::{Debug, Formatter};

use sillok::ErrorCode;
use sillok::gateway::Alarm;
use sillok::handler::{
    Command, Consumer, ConsumerName, Delivery, Documents, Failed, Fault, FeedEvent, FeedPage, Instance, Kind,
    Next, Outcome, Policy, Process, Projection, Read, Settings, Window, apply, read_upcast,
};
use sillok::store::{
    Category, Checkpoint, EventType, FeedRange, JsonText, MalformedJson, Position, RecordedTime,
    StorageError, StreamId,
};

use crate::caught::outcome_of;
use crate::driver::FileSql;
use crate::engine::{Engine, random};
use crate::error::SqliteError;
use crate::progress::Progress;
use crate::reactor::Reactor;

/// The machine of a consumer in this crate.
pub(crate) type Machine = Consumer<FileSql, NoAlarm>;

/// The alarm of a program, which never rings. Each step returns the time of the next attempt.
#[derive(Debug)]
pub(crate) struct NoAlarm;

impl Alarm for NoAlarm {
    fn set(&self, _: RecordedTime) -> Result<(), StorageError> {
        Ok(())
    }
}

/// The definition of a consumer.
#[derive(Debug)]
pub(crate) struct Definition {
    kind: Kind,
    category: Option<&'static str>,
    types: &'static [&'static str],
    after: Option<&'static str>,
    version: u32,
    policy: Policy,
    handler: Handler,
}

/// What happens with an event.
#[derive(Clone, Copy)]
enum Handler {
    Projection(fn(&FeedEvent, &Documents<FileSql>) -> Outcome),
    /// The caller's thread has the reactor.
    Reactor,
    Process {
        category: &'static str,
        instance: fn(&FeedEvent) -> Result<Option<Instance>, Failed>,
    },
}

impl Debug for Handler {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Handler")
    }
}

impl Definition {
    pub(crate) fn projection<P: Projection>() -> Self {
        Self {
            kind: Kind::Projection,
            category: P::CATEGORY,
            types: P::TYPES,
            after: None,
            version: P::VERSION,
            policy: P::POLICY,
            handler: Handler::Projection(|event, documents| outcome_of(|| apply::<P, _>(event, documents))),
        }
    }

    pub(crate) fn reactor<R: Reactor>() -> Self {
        Self {
            kind: Kind::Reactor,
            category: R::CATEGORY,
            types: R::TYPES,
            after: R::AFTER,
            version: 1,
            policy: R::POLICY,
            handler: Handler::Reactor,
        }
    }

    pub(crate) fn process<P: Process>() -> Self {
        let instance: fn(&FeedEvent) -> Result<Option<Instance>, Failed> =
            |event| Ok(P::instance(&read_upcast(event, P::SOURCE_UPCASTS)?, event));
        Self {
            kind: Kind::Process,
            category: P::SOURCE_CATEGORY,
            types: P::SOURCE_TYPES,
            after: None,
            version: 1,
            policy: P::POLICY,
            handler: Handler::Process { category: P::CATEGORY, instance },
        }
    }

    fn range(&self) -> Result<FeedRange, SqliteError> {
        let types = self.types.iter().map(|name| EventType::new(name));
        let range = FeedRange::after(Position::START).of_types(types.collect::<Result<_, _>>()?);
        Ok(match self.category {
            Some(category) => range.of_category(Category::new(category)?),
            None => range,
        })
    }
}

/// A registered consumer.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: ConsumerName,
    pub(crate) machine: Machine,
    range: FeedRange,
    handler: Handler,
}

/// The registered consumers of a store.
#[derive(Debug, Default)]
pub(crate) struct Consumers(Vec<Registered>);

impl Consumers {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn named(&mut self, name: &str) -> Result<&mut Registered, SqliteError> {
        let found = self.0.iter_mut().find(|consumer| consumer.name == name);
        found.ok_or_else(|| SqliteError::NoConsumer { name: name.to_owned() })
    }
}

impl Engine {
    /// Opens a consumer under a name. A new reactor begins at the place that its definition names.
    pub(crate) fn register(
        &mut self,
        name: &str,
        definition: &Definition,
    ) -> Result<ConsumerName, SqliteError> {
        if self.consumers.named(name).is_ok() {
            return Err(SqliteError::Registered { name: name.to_owned() });
        }
        let name = ConsumerName::new(name)?;
        let range = definition.range()?;
        let after = definition.after.map(|text| Checkpoint::parse(text, 1)).transpose()?;
        let Definition { kind, policy, handler, version, .. } = *definition;
        let window = Window::default();
        let settings = Settings { name: name.clone(), kind, partitions: 1, policy, window, after, version };
        let machine = Consumer::open(self.sql.clone(), NoAlarm, settings)?;
        self.consumers.0.push(Registered { name: name.clone(), machine, range, handler });
        Ok(name)
    }

    /// Notes that there may be new events for every consumer.
    pub(crate) fn wake(&mut self) -> Result<(), StorageError> {
        let now = self.now();
        self.consumers.0.iter_mut().try_for_each(|consumer| consumer.machine.woken(0, now))
    }

    /// Does the next step of the consumer in this place.
    pub(crate) fn step(&mut self, place: usize) -> Result<Progress, SqliteError> {
        let now = self.now();
        let Some(Registered { machine, range, handler, .. }) = self.consumers.0.get_mut(place) else {
            return Ok(Progress::Idle);
        };
        let handler = *handler;
        match machine.next(now)? {
            Next::Read(read) => {
                let range = range.clone().continued(read.after);
                let page = self.page(read, &range)?;
                self.machine(place, |machine| machine.take_page(page, now))
            }
            Next::Project => {
                let Handler::Projection(apply) = handler else { return Ok(Progress::Idle) };
                let jitter = spread();
                machine.project(now, jitter, &mut |event, documents| apply(event, documents))?;
                Ok(Progress::Worked)
            }
            Next::Deliver(deliveries) => {
                // There is only one delivery at a time.
                let Some(delivery) = deliveries.into_iter().next() else { return Ok(Progress::Worked) };
                let Handler::Process { category, instance } = handler else {
                    return Ok(Progress::Deliver(delivery));
                };
                let outcome = self.pass_on(category, instance, &delivery);
                self.machine(place, |machine| machine.delivered(&delivery.id, outcome, now, spread()))
            }
            Next::Wait { until } => Ok(Progress::Until(until)),
            Next::Tidied => Ok(Progress::Worked),
            Next::Idle | Next::Paused | Next::Stopped => Ok(Progress::Idle),
        }
    }

    /// Passes the outcome of a reactor to its machine.
    pub(crate) fn delivered(&mut self, place: usize, id: &str, outcome: Outcome) -> Result<(), SqliteError> {
        let now = self.now();
        self.machine(place, |machine| machine.delivered(id, outcome, now, spread())).map(drop)
    }

    pub(crate) fn name_of(&self, place: usize) -> Option<ConsumerName> {
        self.consumers.0.get(place).map(|consumer| consumer.name.clone())
    }

    fn machine(
        &mut self,
        place: usize,
        work: impl FnOnce(&mut Machine) -> Result<(), StorageError>,
    ) -> Result<Progress, SqliteError> {
        if let Some(consumer) = self.consumers.0.get_mut(place) {
            work(&mut consumer.machine)?;
        }
        Ok(Progress::Worked)
    }

    fn page(&self, read: Read, range: &FeedRange) -> Result<FeedPage, StorageError> {
        let feed = self.feed(range)?;
        Ok(FeedPage { read, events: feed.events, after: feed.after, more: feed.more })
    }

    /// Passes an event to the instance of a process, if it is for one.
    fn pass_on(
        &mut self,
        category: &str,
        instance: fn(&FeedEvent) -> Result<Option<Instance>, Failed>,
        delivery: &Delivery,
    ) -> Outcome {
        outcome_of(|| {
            let instance = match instance(&delivery.event) {
                Ok(Some(instance)) => instance,
                Ok(None) => return Outcome::Done,
                Err(failed) => return Outcome::failed(failed.message()),
            };
            match self.deliver(category, &instance, delivery) {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::of_code(error.code(), error.to_string()),
            }
        })
    }

    fn deliver(
        &mut self,
        category: &str,
        instance: &Instance,
        delivery: &Delivery,
    ) -> Result<(), SqliteError> {
        let stream = StreamId::new(&format!("{category}-{}", instance.id))?;
        let event = &delivery.event;
        let corrupt = |error: MalformedJson| Fault::new(ErrorCode::StoredDataCorrupt, error.to_string());
        let json = JsonText::parse(&event.json).map_err(corrupt)?;
        let input = Command::of_event(event.event_type.as_str(), json, instance.starts)?;
        let input = input.caused_by(&delivery.cause())?.with_id(delivery.input_id()?);
        self.execute(&stream, &input).map(drop)
    }
}

/// A random number for the time of a repeated attempt.
fn spread() -> u32 {
    u32::try_from(random() >> u32::BITS).unwrap_or(u32::MAX)
}
