//! Reactors in Rust, and the commands of all reactors.

use std::cell::Cell;
use std::future::ready;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sillok::gateway::StateAt;
use sillok::handler::{
    Decider, Delivery, Event, EventPage, Executed, Failed, FeedEvent, Loaded, Outcome, Policy, Refusals,
    Upcasts, read_upcast,
};
use sillok::store::{ExpectedVersion, ReadRange, StreamId, Version};
use sillok_bridge::{AppendedJson, ExecutedJson, Failure, expected_version_json};
use worker::Env;

use crate::aggregate::{AppendRequest, CauseMessage, EventsFormat, ExecuteRequest, Origin};
use crate::store::{ExecuteError, Store, StoreFuture, Streams, command_to, json, typed};

/// A reactor: it acts on events, for example by appending to other streams. It handles every event at least once, one after the
/// other. After a crash it may handle the last events again.
///
/// If it fails, the event is attempted again, as the [`Policy`] says. Its appends and commands take effect once, provided that it
/// sends the same ones for the same event. If one is refused and a retry cannot help, such as for an event that is too large, the
/// event is given up at once.
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

    /// The conversions of older events: `AccountEvent::UPCASTS` if [`Event`](Self::Event) is the
    /// [`Event`](sillok::handler::Event) of an aggregate. With conversions, an event of a newer schema version fails. Without
    /// them, events are read as they are stored.
    const UPCASTS: Upcasts = &[];

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
        let reacted = match read_upcast(source, R::UPCASTS) {
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
    streams: Streams,
    delivery: Delivery,
    /// The number of appends and commands that Rust code has sent.
    sent: Cell<u32>,
    refusals: Refusals,
}

/// An append: a stream, the expected version, and the events as JSON.
pub(super) type Append = (StreamId, ExpectedVersion, String);

/// A command to a stream, as JSON.
pub(super) type Command = (StreamId, String);

impl ReactorContext {
    pub(crate) fn new(env: Env, streams: Streams, delivery: &Delivery) -> Self {
        let (sent, refusals) = (Cell::new(0), Refusals::default());
        Self { env, streams, delivery: delivery.clone(), sent, refusals }
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
    /// The first append or command of a reactor has the same key at every attempt, and so has the second, and so on. A stream
    /// remembers the key. So if the event is handled again, an append to the same stream returns the first result, also if its
    /// events are others. An append to another stream is written. The appended events name the handled event in `causationId`
    /// and have its `correlationId` and its `traceparent`.
    ///
    /// # Errors
    /// A [`Failure`] with the code of the HTTP interface, such as `wrong_expected_version`.
    pub fn append<E: Serialize + ?Sized>(
        &self,
        stream: &str,
        events: &E,
        expected: ExpectedVersion,
    ) -> impl Future<Output = Result<Version, Failure>> + use<E> {
        let append = json(events).and_then(|events| Ok((StreamId::new(stream)?, expected, events)));
        let appended = self.send_append(self.next(), append);
        let refusals = self.refusals.clone();
        async move {
            let appended = appended.await.inspect_err(|failure| note(&refusals, failure))?;
            Ok(Version::new(appended.version).unwrap_or_default())
        }
    }

    /// Executes a command: the object of the stream decides it.
    ///
    /// Each command takes effect once, even if the event is handled several times: its id is the same at every attempt, and the
    /// stream remembers its first outcome. Another command to the same stream under the id fails with `idempotency_key_reused`.
    /// The decided events name the id in `causationId`, and have the `correlationId` and the
    /// `traceparent` of the handled event.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal};
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum AccountCommand { Deposit { cents: u64 } }
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum AccountEvent { Deposited { cents: u64 } }
    /// # impl Event for AccountEvent {}
    /// # #[derive(Serialize, Deserialize)]
    /// # enum Never {}
    /// # struct Account;
    /// # impl Decider for Account {
    /// #     type State = u64;
    /// #     type Command = AccountCommand;
    /// #     type Event = AccountEvent;
    /// #     type Rejection = Never;
    /// #     const CATEGORY: &str = "account";
    /// #     fn initial_state() -> u64 { 0 }
    /// #     fn decide(command: AccountCommand, _: &u64, _: &CommandContext<'_>) -> Result<Decision<AccountEvent>, Refusal<Never>> {
    /// #         let AccountCommand::Deposit { cents } = command;
    /// #         Ok(AccountEvent::Deposited { cents }.into())
    /// #     }
    /// #     fn evolve(state: u64, event: AccountEvent) -> u64 {
    /// #         let AccountEvent::Deposited { cents } = event;
    /// #         state + cents
    /// #     }
    /// # }
    /// use sillok::handler::{Failed, FeedEvent};
    /// use sillok_worker::{Reactor, ReactorContext};
    ///
    /// #[derive(Deserialize)]
    /// #[serde(tag = "type", content = "data")]
    /// enum OrderEvent {
    ///     Cancelled { account: String, cents: u64 },
    /// }
    ///
    /// struct Refunds;
    ///
    /// impl Reactor for Refunds {
    ///     type Event = OrderEvent;
    ///     const CATEGORY: Option<&str> = Some("order");
    ///     const TYPES: &[&str] = &["Cancelled"];
    ///
    ///     async fn react(event: OrderEvent, _: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
    ///         let OrderEvent::Cancelled { account, cents } = event;
    ///         context.execute::<Account>(&account, &AccountCommand::Deposit { cents }).await?;
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub fn execute<D: Decider>(
        &self,
        stream: &str,
        command: &D::Command,
    ) -> impl Future<Output = Result<Executed<D::Event>, ExecuteError<D::Rejection>>> + use<D> {
        let n = self.next();
        let sent = command_to::<D>(stream, command).and_then(|(stream, command)| {
            let request = self.command_request(self.key(n)?, (stream.clone(), command.to_json()));
            Ok((self.streams.execute_by::<D>(request), stream))
        });
        let refusals = self.refusals.clone();
        async move {
            let executed = async {
                let (executed, stream) = sent?;
                typed::<D>(&executed.await?, &stream)
            };
            executed.await.inspect_err(|error| match error {
                // The rejection is remembered, so a repeat of the command gets it again.
                ExecuteError::Rejected(_) => refusals.note_rejection(error),
                ExecuteError::Failed(failure) => note(&refusals, failure),
            })
        }
    }

    /// Reads one page of a stream of the reactor's tenant, as [`Store::read`] does.
    ///
    /// A read has no number, and another attempt may read other events. Do not choose the appends and the commands of the reactor
    /// by what it reads.
    ///
    /// # Errors
    /// As of [`Store::read`].
    pub async fn read<E: Event>(&self, stream: &str, range: ReadRange) -> Result<EventPage<E>, Failure> {
        self.noting(self.store().read(stream, range).await)
    }

    /// Loads the state of an aggregate of the reactor's tenant, as [`Store::state`] does. For its use, the same holds as for a
    /// [`read`](Self::read).
    ///
    /// # Errors
    /// As of [`Store::state`].
    pub async fn state<D: Decider>(&self, stream: &str) -> Result<Loaded<D::State>, Failure> {
        self.noting(self.store().state::<D>(stream).await)
    }

    /// Loads the state of an aggregate at a version or a time, as [`Store::state_at`] does.
    ///
    /// # Errors
    /// As of [`Store::state_at`].
    pub async fn state_at<D: Decider>(&self, stream: &str, at: StateAt) -> Result<Loaded<D::State>, Failure> {
        self.noting(self.store().state_at::<D>(stream, at).await)
    }

    fn store(&self) -> Store {
        Store::of(self.streams.clone())
    }

    /// The same result. It remembers a failure that no retry can help.
    fn noting<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        result.inspect_err(|failure| note(&self.refusals, failure))
    }

    /// The number of the next append or command. One that cannot be sent is counted too, as in JavaScript. So the next ones have
    /// the same keys.
    fn next(&self) -> u32 {
        self.sent.replace(self.sent.get().saturating_add(1))
    }

    /// Sends the append number `n`. Its key and its cause are the same at every delivery of the event.
    pub(super) fn send_append(&self, n: u32, append: Result<Append, Failure>) -> StoreFuture<AppendedJson> {
        let request = append.and_then(|(stream, expected, events)| {
            Ok(AppendRequest {
                stream,
                expected_version: expected_version_json(expected),
                events,
                format: EventsFormat::Json,
                key: Some(self.key(n)?),
                cause: Some(self.cause()),
                admin: false,
            })
        });
        match request {
            Ok(request) => self.streams.append(request),
            Err(failure) => Box::pin(ready(Err(failure))),
        }
    }

    /// Sends the command number `n`. Its id and its cause are the same at every delivery of the event.
    pub(super) fn send_command(
        &self,
        n: u32,
        command: Result<Command, Failure>,
    ) -> StoreFuture<ExecutedJson> {
        match command.and_then(|command| Ok(self.command_request(self.key(n)?, command))) {
            Ok(request) => self.streams.execute(request),
            Err(failure) => Box::pin(ready(Err(failure))),
        }
    }

    /// A command with an id, caused by the event. No expected version is given.
    pub(super) fn command_request(&self, id: String, (stream, command): Command) -> ExecuteRequest {
        ExecuteRequest {
            stream,
            command,
            expected_version: expected_version_json(ExpectedVersion::Any),
            id: Some(id),
            origin: Origin::Client,
            cause: Some(self.cause()),
            event_starts: None,
            dry_run: false,
            admin: false,
            traceparent: None,
            prepared: None,
        }
    }

    pub(super) fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    pub(super) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    fn key(&self, n: u32) -> Result<String, Failure> {
        Ok(self.delivery.command_key(n)?.as_str().to_owned())
    }

    fn cause(&self) -> CauseMessage {
        let cause = self.delivery.cause();
        CauseMessage {
            event: cause.causation_id().unwrap_or_default().to_owned(),
            correlation: cause.correlation_id().unwrap_or_default().to_owned(),
            trace: cause.traceparent().map(str::to_owned),
        }
    }
}

/// Remembers a failure that no retry can help.
pub(super) fn note(refusals: &Refusals, failure: &Failure) {
    if let Some(code) = failure.code.known() {
        refusals.note(code, failure);
    }
}
