//! Reactors in Rust, and the commands of all reactors.

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

/// A reactor: it acts on events, for example by appending to other streams. It handles every event at least once, one after the
/// other. After a crash it may handle the last events again.
///
/// If it fails, the event is attempted again, as the [`Policy`] says. Its appends take effect once, provided that it makes the
/// same appends for the same event. If an append is refused and a retry cannot help, such as for an event that is too large,
/// the event is given up at once.
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
    /// The type of the events, which are read as for a [`Projection`](sillok::handler::Projection::Event).
    type Event: DeserializeOwned;

    /// The only category to follow, such as `order` for the stream `order-7`. The default is all categories.
    const CATEGORY: Option<&'static str> = None;

    /// The only event types to follow. The default is all types.
    const TYPES: &'static [&'static str] = &[];

    /// The checkpoint after which a new reactor begins. Every event of the feed has one. The default is the first event.
    const AFTER: Option<&'static str> = None;

    /// The rules for failures.
    const POLICY: Policy = Policy::DEFAULT;

    /// Acts on the event. `source` has the event's place and the whole event as JSON.
    ///
    /// # Errors
    /// The text of the error.
    fn react(
        event: Self::Event,
        source: &FeedEvent,
        context: &ReactorContext,
    ) -> impl Future<Output = Result<(), Failed>>;
}

/// The future outcome of an event. It is boxed, so the run of a consumer is compiled only once for all handlers.
pub(super) type Reaction = Pin<Box<dyn Future<Output = Outcome>>>;

/// Calls a reactor for the event of `context`.
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

/// The context of one attempt at an event.
#[derive(Debug)]
pub struct ReactorContext {
    env: Env,
    tenant: Option<Tenant>,
    delivery: Delivery,
    /// The number of commands that Rust code has sent.
    sent: Cell<u32>,
    refusals: Refusals,
}

/// An append: a stream, the expected version, and the events as JSON.
pub(super) type Command = (StreamId, ExpectedVersion, String);

impl ReactorContext {
    pub(super) fn new(env: &Env, tenant: Option<Tenant>, delivery: &Delivery) -> Self {
        let (sent, refusals) = (Cell::new(0), Refusals::default());
        Self { env: env.clone(), tenant, delivery: delivery.clone(), sent, refusals }
    }

    /// The delivery's id. All attempts of this reactor at this event have the same id, and no other attempt has it. Receivers
    /// can use it to drop repeats.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.delivery.id
    }

    /// The number of this attempt, counted from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.delivery.attempt
    }

    /// The Worker's bindings, variables and secrets.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Appends an event, or a slice of events, and returns the new version of the stream. Each event must become `{"type",
    /// "data", "metadata", "id"}` as JSON. The last three are optional. An enum with `#[serde(tag = "type", content = "data")]`
    /// has this form.
    ///
    /// Each append takes effect once, even if the event is handled several times. The first append of a reactor has the same
    /// key at every attempt, and so has the second, and so on. The appended events name the handled event in `causationId` and
    /// have its `correlationId`.
    ///
    /// # Errors
    /// A [`Failure`] with the code of the HTTP interface, such as `wrong_expected_version`.
    pub fn append<E: Serialize + ?Sized>(
        &self,
        stream: &str,
        events: &E,
        expected: ExpectedVersion,
    ) -> impl Future<Output = Result<Version, Failure>> + use<E> {
        let events = serde_json::to_string(events)
            .map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()).in_field("events"));
        let command = events.and_then(|events| Ok((StreamId::new(stream)?, expected, events)));
        // A command that cannot be sent is counted too, as in JavaScript. So the next commands have the same keys.
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

    /// Sends the command number `n`. Its key and its cause are the same at every delivery of the event.
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
                    event: cause.causation_id().unwrap_or_default().to_owned(),
                    correlation: cause.correlation_id().unwrap_or_default().to_owned(),
                    trace: cause.traceparent().map(str::to_owned),
                }),
                admin: false,
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
