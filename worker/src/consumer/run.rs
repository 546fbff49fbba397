//! A run of the machine: from being woken until there is nothing to do.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::lock::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::gateway::{Alarm, Due};
use sillok::handler::{Delivery, FeedEvent, FeedPage, Kind, Next, Outcome, Read};
use sillok::store::{Checkpoint, EventId, EventType, Position, StreamId, Version};
use sillok_bridge::{Failure, FeedPageJson, FeedValue, now};
use worker::{Delay, console_error};

use super::definition::Definition;
use super::{Defined, Inner, delivery, unreachable};
use crate::journal::{FeedRequest, Remote};
use crate::objects::{ObjectAlarm, armed, jitter, partitions};

/// How many events a consumer asks for at once.
const PAGE_EVENTS: u64 = 200;
/// A run that has not come on for so long is taken for lost, in milliseconds. What is delivered has its own time besides.
const LOST_MILLIS: u64 = 30_000;
/// When a consumer that cannot be opened is looked at again, in milliseconds.
const UNOPENED_MILLIS: u64 = 10_000;
/// How long a new definition waits for deliveries under way, so that they are not repeated.
const PATIENCE: Duration = Duration::from_secs(1);

/// The run that is under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Counts the runs. One that was taken for lost has nothing more to do, should it come back: another is at its work.
    count: Cell<u64>,
    /// When the last one is taken for lost, unless it has ended.
    lost_at: Cell<Option<Due>>,
    /// Held by the last run while it delivers. Each run has its own, so that none waits for one that was taken for lost.
    delivering: RefCell<Rc<Mutex<()>>>,
}

impl Inner {
    /// Takes note that the alarm has rung, and runs.
    ///
    /// # Errors
    /// What was interrupted and could not be put off: the alarm has to ring again.
    pub(super) async fn rang(&self) -> Result<(), Failure> {
        let rang = self.with(|defined| {
            defined.started = true;
            defined.machine.rang(now())
        });
        match rang {
            Ok(()) => self.run().await,
            Err(failure) => self.put_off(&failure),
        }
    }

    /// Runs until there is nothing to do, unless a run is under way. What fails is tried again when the alarm rings.
    ///
    /// # Errors
    /// What was interrupted, where the alarm cannot be set for it.
    pub(super) async fn run(&self) -> Result<(), Failure> {
        let Run { count, lost_at, .. } = &self.run;
        if lost_at.get().is_some_and(|lost_at| !lost_at.is_reached(now())) {
            return Ok(());
        }
        let own = count.get() + 1;
        count.set(own);
        self.attempts.runs(true);
        let (ran, _) = self.meter.spent_on(self.run_on(own)).await;
        if count.get() != own {
            return Ok(());
        }
        lost_at.set(None);
        self.attempts.runs(false);
        ran.or_else(|failure| self.put_off(&failure))
    }

    async fn run_on(&self, own: u64) -> Result<(), Failure> {
        self.comes_on(own, 0);
        let delivering = Rc::new(Mutex::new(()));
        self.run.delivering.replace(Rc::clone(&delivering));
        if !self.look(|defined| defined.started)? {
            let alarm = armed(&self.state).await;
            self.with(|defined| {
                defined.started = true;
                defined.machine.started(alarm, now())
            })?;
        }
        while self.comes_on(own, 0) {
            // From what is to be delivered until it is known what came of it, nobody changes the definition.
            let at_work = delivering.lock().await;
            let next = self.with(|defined| defined.machine.next(now()))?;
            self.tell_reached()?;
            match next {
                Next::Read(read) => {
                    drop(at_work);
                    let page = self.page(read).await;
                    if self.comes_on(own, 0) {
                        let page = page?;
                        self.with(|defined| defined.machine.took(page, now()))?;
                    }
                }
                Next::Project => self.project()?,
                Next::Deliver(deliveries) => {
                    let definition = self.look(|defined| Rc::clone(&defined.definition))?;
                    self.comes_on(own, definition.timeout());
                    self.deliver(&definition, &deliveries).await?;
                }
                Next::Tidied => Delay::from(Duration::ZERO).await,
                Next::Wait { .. } | Next::Idle | Next::Paused | Next::Stopped => break,
            }
        }
        Ok(())
    }

    /// Does something between two deliveries, but waits for those under way no longer than a second.
    pub(super) async fn between_deliveries<T>(&self, work: impl FnOnce() -> T) -> T {
        let delivering = Rc::clone(&self.run.delivering.borrow());
        let (lock, late) = (pin!(delivering.lock()), pin!(Delay::from(PATIENCE)));
        let _waited = select(lock, late).await;
        work()
    }

    /// Takes note that a run has come on, and will need so many milliseconds for what is next; `false` where it was taken
    /// for lost.
    fn comes_on(&self, own: u64, millis: u64) -> bool {
        let Run { count, lost_at, .. } = &self.run;
        if count.get() != own {
            return false;
        }
        let longest = millis + LOST_MILLIS;
        lost_at.set(Some(Due::new(now().later(longest), longest)));
        true
    }

    /// Has the alarm ring again for what was interrupted: it may have been spent on it.
    fn put_off(&self, failure: &Failure) -> Result<(), Failure> {
        if failure.code == ErrorCode::ConsumerNotFound || failure.code == ErrorCode::ConsumerKindFixed {
            return Ok(());
        }
        console_error!("a consumer was interrupted: {failure}");
        let armed = self.with(|defined| defined.machine.missed(now())).or_else(|_| {
            let alarm = ObjectAlarm::new(&self.state.storage(), Rc::clone(&self.meter));
            alarm.set(now().later(UNOPENED_MILLIS)).map_err(Failure::from)
        });
        self.meter.take();
        armed.inspect_err(|failure| console_error!("the alarm could not be set: {failure}"))
    }

    /// Applies the page in hand. Nothing is awaited meanwhile.
    fn project(&self) -> Result<(), Failure> {
        let handler = self.handler();
        self.with(|Defined { machine, .. }| {
            machine.project(now(), random(), &mut |event, documents| match &handler {
                Some(handler) => self.attempts.within(event, || handler.project(event, documents)),
                None => Outcome::failed("this deployment has no code for this projection"),
            })
        })
    }

    async fn deliver(&self, definition: &Definition, deliveries: &[Delivery]) -> Result<(), Failure> {
        if definition.kind != Kind::Queue {
            return self.deliver_each(definition, deliveries).await;
        }
        let Some(first) = deliveries.first() else { return Ok(()) };
        let sending = delivery::to_queue(&self.env, definition, deliveries);
        let sent = within(definition.timeout(), self.attempts.throughout(&first.event, sending)).await;
        // What has failed is told of the first alone, and what was not sent is offered again.
        let (told, outcome) = match sent.and_then(|sent| sent) {
            Ok(sent) => (sent, Outcome::Done),
            Err(failed) => (1, failed),
        };
        deliveries.iter().take(told).try_for_each(|delivery| self.tell(delivery, outcome.clone()))
    }

    /// Delivers all at once, and tells of each what came of it as soon as it is known.
    async fn deliver_each(&self, definition: &Definition, deliveries: &[Delivery]) -> Result<(), Failure> {
        let one = |delivery| Box::pin(self.deliver_one(definition, delivery));
        let mut under_way: Vec<_> = deliveries.iter().map(one).collect();
        let mut all = Ok(());
        poll_fn(|context| {
            under_way.retain_mut(|delivery| {
                let Poll::Ready(told) = delivery.as_mut().poll(context) else { return true };
                if told.is_err() {
                    all = told;
                }
                false
            });
            if under_way.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        all
    }

    async fn deliver_one(&self, definition: &Definition, delivery: &Delivery) -> Result<(), Failure> {
        let tenant = self.name()?.tenant().cloned();
        let attempt = async {
            match (definition.kind, self.handler()) {
                (Kind::Webhook, _) => delivery::to_webhook(&self.env, definition, delivery).await,
                (_, Some(handler)) => handler.deliver(&self.env, tenant, delivery).await,
                (_, None) => Outcome::failed("this deployment has no code for this reactor"),
            }
        };
        let attempt = self.attempts.throughout(&delivery.event, attempt);
        self.tell(delivery, within(definition.timeout(), attempt).await.unwrap_or_else(|late| late))
    }

    fn tell(&self, delivery: &Delivery, outcome: Outcome) -> Result<(), Failure> {
        self.with(|Defined { machine, .. }| machine.delivered(&delivery.id, outcome, now(), random()))
    }

    fn handler(&self) -> Option<super::Handler> {
        self.code.borrow().as_ref().map(|(_, handler)| handler.clone())
    }

    /// Reads a page of the feed from the journal.
    async fn page(&self, read: Read) -> Result<FeedPage, Failure> {
        let filter = self.look(|defined| defined.definition.filter())?;
        let partitions = partitions(&self.env)?;
        let after = Checkpoint::start(partitions).at(read.partition, read.after).to_string();
        let name = self.name()?;
        let request = FeedRequest {
            feed: FeedValue { after: Some(after.into()), limit: Some(PAGE_EVENTS.into()), ..filter },
            consumer: Some(name.keeps.clone()),
        };
        let journal = Remote::of_partition(&self.env, name.tenant(), read.partition)
            .map_err(|error| Failure::new(ErrorCode::Unavailable, error.to_string()))?;
        let (reply, _) = journal.feed(&request).await.map_err(unreachable)?;
        page_of(read, &reply.page, partitions)
            .ok_or_else(|| Failure::new(ErrorCode::Internal, "the feed's page has another shape"))
    }
}

/// What comes of an attempt, unless it takes longer than it may.
async fn within<T>(millis: u64, attempt: impl Future<Output = T>) -> Result<T, Outcome> {
    match select(pin!(attempt), pin!(Delay::from(Duration::from_millis(millis)))).await {
        Either::Left((outcome, _)) => Ok(outcome),
        Either::Right(_) => Err(Outcome::failed(format!("the attempt has not ended within {millis} ms"))),
    }
}

fn page_of(read: Read, page: &FeedPageJson, partitions: usize) -> Option<FeedPage> {
    let events: Vec<&RawValue> = serde_json::from_str(&page.events).ok()?;
    let after = Checkpoint::parse(&page.checkpoint, partitions).ok()?.position(read.partition);
    let events = events.into_iter().map(event_of).collect::<Option<Vec<_>>>()?;
    Some(FeedPage { read, events, after, more: page.more })
}

fn event_of(event: &RawValue) -> Option<FeedEvent> {
    #[derive(Deserialize)]
    struct Head {
        position: u64,
        stream: String,
        version: u64,
        id: String,
        #[serde(rename = "type")]
        event_type: String,
    }
    let Head { position, stream, version, id, event_type } = serde_json::from_str(event.get()).ok()?;
    Some(FeedEvent {
        position: Position::new(position)?,
        stream: StreamId::new(&stream).ok()?,
        version: Version::new(version)?,
        id: EventId::new(&id).ok()?,
        event_type: EventType::new(&event_type).ok()?,
        json: event.get().to_owned(),
    })
}

/// A random number.
pub(super) fn random() -> u32 {
    u32::try_from(jitter() & u64::from(u32::MAX)).unwrap_or_default()
}
