//! A run of the machine: from being woken until there is nothing to do.

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use serde::Deserialize;
use serde_json::value::RawValue;
use sillok::handler::{Delivery, FeedEvent, FeedPage, Kind, Next, Read};
use sillok::store::{Checkpoint, EventId, EventType, Position, RecordedTime, StreamId, Version};
use sillok_bridge::{Failure, FeedPageJson, FeedValue, now};
use worker::console_error;

use super::definition::Definition;
use super::{Defined, Inner, delivery};
use crate::journal::{FeedRequest, Remote};
use crate::objects::{armed, jitter, partitions};

/// How many events a consumer asks for at once.
const PAGE_EVENTS: u64 = 200;
/// A run that has not come on for so long is taken for lost, in milliseconds.
const LOST_MILLIS: u64 = 60_000;

impl Inner {
    /// Takes note that the alarm has rung, and runs.
    pub(super) async fn rang(&self) {
        let rang = self.with(|defined| {
            defined.started = true;
            defined.machine.rang(now())
        });
        match rang {
            Ok(()) => self.run().await,
            Err(failure) => console_error!("a consumer could not be run: {failure}"),
        }
    }

    /// Runs until there is nothing to do. What fails is tried again when the alarm rings, which is set by then.
    pub(super) async fn run(&self) {
        let lost = |since: RecordedTime| now().as_millis() >= since.as_millis() + LOST_MILLIS;
        if self.running.get().is_some_and(|since| !lost(since)) {
            return;
        }
        let ran = self.run_on().await;
        self.running.set(None);
        self.meter.take();
        if let Err(failure) = ran {
            console_error!("a consumer was interrupted: {failure}");
        }
    }

    async fn run_on(&self) -> Result<(), Failure> {
        self.running.set(Some(now()));
        if !self.look(|defined| defined.started)? {
            let alarm = armed(&self.state).await;
            self.with(|defined| {
                defined.started = true;
                defined.machine.started(alarm, now())
            })?;
        }
        loop {
            self.running.set(Some(now()));
            match self.with(|defined| defined.machine.next(now()))? {
                Next::Read(read) => match self.page(read).await {
                    Ok(page) => self.with(|defined| defined.machine.took(page, now()))?,
                    Err(failure) => {
                        self.with(|defined| defined.machine.missed(now()))?;
                        return Err(failure);
                    }
                },
                Next::Project => self.project()?,
                Next::Deliver(deliveries) => self.deliver(&deliveries).await?,
                Next::Tidied => worker::Delay::from(std::time::Duration::ZERO).await,
                Next::Wait { .. } | Next::Idle | Next::Paused | Next::Stopped => return Ok(()),
            }
        }
    }

    /// Applies the page in hand. Nothing is awaited meanwhile.
    fn project(&self) -> Result<(), Failure> {
        let handler = self.handler();
        self.with(|Defined { machine, .. }| {
            machine.project(now(), random(), &mut |event, documents| match &handler {
                Some(handler) => handler.project(event, documents),
                None => Err("this deployment has no code for this projection".to_owned()),
            })
        })
    }

    async fn deliver(&self, deliveries: &[Delivery]) -> Result<(), Failure> {
        let definition = self.look(|defined| Rc::clone(&defined.definition))?;
        if definition.kind != Kind::Queue {
            return self.deliver_each(&definition, deliveries).await;
        }
        let sent = delivery::to_queue(&self.env, &definition, deliveries).await;
        // What has failed is told of the first alone, and what was not sent is offered again.
        let told = sent.as_ref().map_or(1, |sent| *sent);
        let outcome = sent.map(|_| ());
        deliveries.iter().take(told).try_for_each(|delivery| self.tell(delivery, &outcome))
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
        let outcome = match (definition.kind, self.handler()) {
            (Kind::Webhook, _) => delivery::to_webhook(definition, delivery).await,
            (_, Some(handler)) => handler.deliver(&self.env, self.name(), delivery).await,
            (_, None) => Err("this deployment has no code for this reactor".to_owned()),
        };
        self.tell(delivery, &outcome)
    }

    fn tell(&self, delivery: &Delivery, outcome: &Result<(), String>) -> Result<(), Failure> {
        let outcome = outcome.as_ref().copied().map_err(String::as_str);
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
        let name = self.name();
        let request = FeedRequest {
            feed: FeedValue { after: Some(after.into()), limit: Some(PAGE_EVENTS.into()), ..filter },
            consumer: Some(name.keeps.clone()),
        };
        let unreachable = |_| Failure::new("unavailable", "the journal could not be read");
        let journal = Remote::of_partition(&self.env, name.tenant(), read.partition)
            .map_err(|error| Failure::new("unavailable", error.to_string()))?;
        let (reply, _) = journal.feed(&request).await.map_err(unreachable)?;
        page_of(read, &reply.page, partitions)
            .ok_or_else(|| Failure::new("internal", "the feed's page has another shape"))
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
fn random() -> u32 {
    u32::try_from(jitter() & u64::from(u32::MAX)).unwrap_or_default()
}
