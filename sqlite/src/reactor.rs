//! Reactors: handlers of events that act on the world outside of the store.

use std::cell::Cell;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use sillok::handler::{
    Command, Decider, Delivery, Event, Executed, Failed, FeedEvent, Outcome, Policy, Refusals, Upcasts,
    read_upcast,
};
use sillok::store::{Append, Appended, ExpectedVersion, StreamId};

use crate::caught::outcome_of;
use crate::error::{ExecuteError, SqliteError};
use crate::sqlite::{Sqlite, new_events, stream_of};

/// A reactor: it acts on events, for example by a letter or by appending to other streams. It handles every event at least once,
/// one after the other. After a crash it may handle the last event again.
///
/// If it fails or panics, the event is attempted again, as the [`Policy`] says. Its appends and commands take effect once, provided
/// that it sends the same ones for the same event. If one is refused and a retry cannot help, the event is given up at once.
///
/// It runs in the thread that calls [`catch_up`](Sqlite::catch_up), or in that of [`run`](Sqlite::run). It may wait, and may use
/// the store. The policy's `timeout` has no effect on it.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{Event, Failed, FeedEvent};
/// use sillok::store::{ExpectedVersion, ReadRange};
/// use sillok_sqlite::{Reactor, ReactorContext, Sqlite};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum OrderEvent {
///     Placed { total: u64 },
/// }
/// impl Event for OrderEvent {}
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum InvoiceEvent {
///     Issued { total: u64 },
/// }
/// impl Event for InvoiceEvent {}
///
/// struct Billing;
///
/// impl Reactor for Billing {
///     type Event = OrderEvent;
///     const CATEGORY: Option<&str> = Some("order");
///     const TYPES: &[&str] = &["Placed"];
///
///     fn react(&self, event: OrderEvent, source: &FeedEvent, context: &ReactorContext<'_>) -> Result<(), Failed> {
///         let OrderEvent::Placed { total } = event;
///         let invoice = format!("invoice-{}", source.stream);
///         context.append(&invoice, &[InvoiceEvent::Issued { total }], ExpectedVersion::NoStream)?;
///         Ok(())
///     }
/// }
///
/// let shop = Sqlite::in_memory()?;
/// shop.reactor("billing", Billing)?;
/// shop.append("order-7", &[OrderEvent::Placed { total: 30 }], ExpectedVersion::NoStream)?;
/// shop.catch_up()?;
/// let invoice = shop.read::<InvoiceEvent>("invoice-order-7", &ReadRange::all())?;
/// assert_eq!(invoice.events[0].event, InvoiceEvent::Issued { total: 30 });
/// # Ok::<(), sillok_sqlite::SqliteError>(())
/// ```
pub trait Reactor: Send + Sync + 'static {
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
        &self,
        event: Self::Event,
        source: &FeedEvent,
        context: &ReactorContext<'_>,
    ) -> Result<(), Failed>;
}

/// A reactor, called with any event.
pub(crate) type React = Arc<dyn Fn(&ReactorContext<'_>) -> Outcome + Send + Sync>;

pub(crate) fn reacting<R: Reactor>(reactor: R) -> React {
    Arc::new(move |context| {
        outcome_of(|| {
            let source = &context.delivery.event;
            let reacted =
                read_upcast(source, R::UPCASTS).and_then(|event| reactor.react(event, source, context));
            context.refusals.outcome(reacted)
        })
    })
}

/// The context of one attempt of a [`Reactor`] at an event.
#[derive(Debug)]
pub struct ReactorContext<'a> {
    store: &'a Sqlite,
    delivery: &'a Delivery,
    /// The number of appends and commands that the reactor has sent.
    sent: Cell<u32>,
    refusals: Refusals,
}

impl<'a> ReactorContext<'a> {
    pub(crate) fn new(store: &'a Sqlite, delivery: &'a Delivery) -> Self {
        Self { store, delivery, sent: Cell::new(0), refusals: Refusals::default() }
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

    /// The store, for reads. What is written by it directly takes effect at every attempt.
    #[must_use]
    pub fn store(&self) -> &Sqlite {
        self.store
    }

    /// Appends events to a stream, all or none.
    ///
    /// The first append or command of a reactor has the same key at every attempt, and so has the second, and so on. A stream
    /// remembers the key. So if the event is handled again, an append to the same stream returns the first result, also if its
    /// events are others. The appended events name the handled event in `causationId` and have its `correlationId`.
    ///
    /// # Errors
    /// As of [`Sqlite::append`].
    pub fn append<E: Event>(
        &self,
        stream: &str,
        events: &[E],
        expected: ExpectedVersion,
    ) -> Result<Appended, SqliteError> {
        let n = self.next();
        let appended = || {
            let append = Append::to(StreamId::new(stream)?, new_events(events)?).expecting(expected);
            let key = self.delivery.command_key(n)?;
            self.store.send_append(append.keyed(key).caused_by(self.delivery.cause()))
        };
        appended().inspect_err(|error| self.refusals.note(error.code(), error))
    }

    /// Executes a command, which the registered aggregate decides.
    ///
    /// Each command takes effect once, even if the event is handled several times: its id is the same at every attempt, and the
    /// stream remembers its first outcome.
    ///
    /// # Errors
    /// As of [`Sqlite::execute`].
    pub fn execute<D: Decider>(
        &self,
        stream: &str,
        command: &D::Command,
    ) -> Result<Executed<D::Event>, ExecuteError<D::Rejection>> {
        let n = self.next();
        let executed = || {
            let stream = stream_of::<D>(stream)?;
            let command = Command::of(command)?.caused_by(&self.delivery.cause())?;
            self.store.send_command::<D>(&stream, command.with_id(self.delivery.command_key(n)?))
        };
        executed().inspect_err(|error| match error {
            // The rejection is remembered, so a repeat of the command gets it again.
            ExecuteError::Rejected(_) => self.refusals.note_rejection(error),
            ExecuteError::Failed(failed) => self.refusals.note(failed.code(), failed),
        })
    }

    /// The number of the next append or command. One that cannot be sent is counted too, so that the next ones have the same keys.
    fn next(&self) -> u32 {
        self.sent.replace(self.sent.get().saturating_add(1))
    }
}
