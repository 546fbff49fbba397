//! Reactors: what they are in Rust, and what any of them may do.

use std::cell::Cell;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sillok::ErrorCode;
use sillok::handler::{Delivery, Failed, FeedEvent, Outcome, Policy, Refusals, read_event};
use sillok::store::{ExpectedVersion, StreamId, Tenant, Version};
use sillok_bridge::{AppendedJson, Failure, expected_version_json};
use worker::Env;

use crate::aggregate::{self, AppendRequest, CauseMessage, EventsFormat};

/// What is done upon events, such as appending to other streams or telling someone. Every event is handled at least once,
/// one after the other; after a crash the last ones may be handled again.
///
/// Where it fails, the event is attempted again later, as the [`Policy`] says. What it appends takes effect once
/// nevertheless, provided that it appends the same for the same event. Where it fails by the refusal of an append that no
/// repetition heals, such as that of an event that is too large, the event is given up at once.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{Failed, FeedEvent};
/// use sillok::store::ExpectedVersion;
/// use sillok_worker::{Reactor, ReactorContext};
///
/// #[derive(Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum OrderEvent {
///     Placed { total: u64 },
/// }
///
/// #[derive(Serialize)]
/// #[serde(tag = "type", content = "data")]
/// enum InvoiceEvent {
///     Issued { total: u64 },
/// }
///
/// struct Billing;
///
/// impl Reactor for Billing {
///     type Event = OrderEvent;
///     const CATEGORY: Option<&str> = Some("order");
///     const TYPES: &[&str] = &["Placed"];
///
///     async fn react(
///         OrderEvent::Placed { total }: OrderEvent,
///         source: &FeedEvent,
///         context: &ReactorContext,
///     ) -> Result<(), Failed> {
///         let invoice = format!("invoice-{}", source.stream);
///         context.append(&invoice, &InvoiceEvent::Issued { total }, ExpectedVersion::NoStream).await?;
///         Ok(())
///     }
/// }
/// ```
pub trait Reactor {
    /// What events are read as, in the way of a [`Projection`](sillok::handler::Projection::Event)'s.
    type Event: DeserializeOwned;

    /// The only category of streams to follow, such as `order` for `order-7`. By default all.
    const CATEGORY: Option<&'static str> = None;

    /// The only types of events to follow. By default all.
    const TYPES: &'static [&'static str] = &[];

    /// The checkpoint after which a new one begins, such as an event of the feed has. By default it begins with the first
    /// event there is.
    const AFTER: Option<&'static str> = None;

    /// What is done about failures.
    const POLICY: Policy = Policy::DEFAULT;

    /// Does what is to be done upon the event. `source` tells where the event is from, and has all of it as JSON.
    ///
    /// # Errors
    /// Whatever is wrong, in words.
    fn react(
        event: Self::Event,
        source: &FeedEvent,
        context: &ReactorContext,
    ) -> impl Future<Output = Result<(), Failed>>;
}

/// What comes of an event in time. It is boxed, so that the run of a consumer is compiled once, whatever handles events.
pub(super) type Reaction = Pin<Box<dyn Future<Output = Outcome>>>;

/// Lets a reactor do what it does upon the event of `context`.
pub(crate) fn react<R: Reactor>(context: ReactorContext) -> Reaction {
    Box::pin(async move {
        let source = &context.delivery.event;
        let reacted = match read_event(source) {
            Ok(event) => R::react(event, source, &context).await,
            Err(failed) => Err(failed),
        };
        context.refusals.outcome(reacted)
    })
}

/// What a reactor is given beside the event.
#[derive(Debug)]
pub struct ReactorContext {
    env: Env,
    tenant: Option<Tenant>,
    delivery: Delivery,
    /// How many commands were sent from Rust.
    sent: Cell<u32>,
    refusals: Refusals,
}

/// What is to be appended: a stream, the version that is expected, and events as JSON.
pub(super) type Command = (StreamId, ExpectedVersion, String);

impl ReactorContext {
    pub(super) fn new(env: &Env, tenant: Option<Tenant>, delivery: &Delivery) -> Self {
        let (sent, refusals) = (Cell::new(0), Refusals::default());
        Self { env: env.clone(), tenant, delivery: delivery.clone(), sent, refusals }
    }

    /// The same for every attempt of this reactor at this event, and for no other: by it, others can drop repeats.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.delivery.id
    }

    /// Which attempt at the event this is, counted from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.delivery.attempt
    }

    /// The Worker's bindings, variables and secrets.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Appends an event, or a slice of them, and gives the stream's new version. `events` are what becomes
    /// `{"type", "data", "metadata", "id"}` as JSON, the last three optional: an enum with
    /// `#[serde(tag = "type", content = "data")]` does.
    ///
    /// It takes effect once, however often the event is handled: the first, second … append of a reactor is repeated under
    /// the key of the first, second … What is appended names the event in `causationId` and carries on its `correlationId`.
    ///
    /// # Errors
    /// A [`Failure`] with the code that HTTP answers: `wrong_expected_version`, for one.
    pub fn append<E: Serialize + ?Sized>(
        &self,
        stream: &str,
        events: &E,
        expected: ExpectedVersion,
    ) -> impl Future<Output = Result<Version, Failure>> + use<E> {
        let events = serde_json::to_string(events)
            .map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()).in_field("events"));
        let command = events.and_then(|events| Ok((StreamId::new(stream)?, expected, events)));
        // One that cannot be sent is counted too, as in JavaScript: those after it keep their keys.
        let n = self.sent.replace(self.sent.get().saturating_add(1));
        let appended = self.send(n, command);
        let refusals = self.refusals.clone();
        async move {
            let appended = appended.await.inspect_err(|failure| {
                if let Some(code) = failure.code.known() {
                    refusals.note(code, failure);
                }
            })?;
            Ok(Version::new(appended.version).unwrap_or_default())
        }
    }

    /// Sends the command number `n`. Each has a key and a cause, the same ones, in the same order, whenever the event is
    /// delivered again.
    pub(super) fn send(
        &self,
        n: u32,
        command: Result<Command, Failure>,
    ) -> Pin<Box<dyn Future<Output = Result<AppendedJson, Failure>>>> {
        let request = command.and_then(|(stream, expected, events)| {
            let cause = self.delivery.cause();
            let aggregate = aggregate::Remote::find(&self.env, self.tenant.as_ref(), &stream);
            let request = AppendRequest {
                stream,
                expected_version: expected_version_json(expected),
                events,
                format: EventsFormat::Json,
                key: Some(self.delivery.command_key(n)?.as_str().to_owned()),
                cause: Some(CauseMessage {
                    event: cause.event_id().as_str().to_owned(),
                    correlation: cause.correlation_id().to_owned(),
                }),
            };
            let unavailable = |error: worker::Error| Failure::new(ErrorCode::Unavailable, error.to_string());
            Ok((request, aggregate.map_err(unavailable)?))
        });
        Box::pin(async move {
            let (request, aggregate) = request?;
            let appended = aggregate.append(&request).await;
            appended.map(|(appended, _)| appended).map_err(|error| error.into_failure("stream"))
        })
    }
}
