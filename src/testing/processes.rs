//! Processes under test: given a history, when an event of another stream or an answer comes, then a decision.

use serde::Serialize;

use super::deciding::{Given, ID, When, given_with, text, valid, value_of};
use super::projecting::followed;
use crate::handler::{Answer, Command, Input, Process, ProcessBehaviour, read_upcast};
use crate::store::{JsonText, NewEvent, Version, json_string};

/// The stream of every answer in a test.
const ANSWERING: &str = "other-1";

/// Begins a test of a process with the events of an instance, as [`given`](super::given) does for a decider.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{
///     Answer, CommandContext, Decider, Decision, Event, Failed, Process, Refusal,
/// };
/// use sillok::store::StreamId;
/// use sillok::testing::{accepted, given_process, refused};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum Command {
///     Request { from: String, cents: u64 },
/// }
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum Payment {
///     Requested { from: String },
///     Paid,
///     Failed,
/// }
/// # impl Event for Payment {}
/// # #[derive(Serialize, Deserialize)]
/// # enum Never {}
/// #[derive(Serialize)]
/// #[serde(tag = "type", content = "data")]
/// enum AccountCommand {
///     Withdraw { cents: u64 },
/// }
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct State {
///     ended: bool,
/// }
///
/// struct Payments;
///
/// impl Decider for Payments {
/// #     type State = State;
/// #     type Command = Command;
/// #     type Event = Payment;
/// #     type Rejection = Never;
///     const CATEGORY: &str = "payment";
/// #     fn initial_state() -> State { State::default() }
///
///     fn decide(
///         command: Command,
///         _: &State,
///         _: &CommandContext<'_>,
///     ) -> Result<Decision<Payment>, Refusal<Never>> {
///         let Command::Request { from, cents } = command;
///         let requested = Decision::from(Payment::Requested { from: from.clone() });
///         Ok(requested.send("debit", &from, &AccountCommand::Withdraw { cents })?)
///     }
///
///     fn evolve(_: State, event: Payment) -> State {
///         State { ended: matches!(event, Payment::Paid | Payment::Failed) }
///     }
/// }
///
/// impl Process for Payments {
///     type Source = sillok::handler::NoSource;
///
///     fn answered(
///         _: &str,
///         answer: &Answer,
///         _: &StreamId,
///         _: &State,
///         _: &CommandContext<'_>,
///     ) -> Result<Decision<Payment>, Failed> {
///         Ok(if answer.is_accepted() { Payment::Paid } else { Payment::Failed }.into())
///     }
///
///     fn is_ended(state: &State) -> bool {
///         state.ended
///     }
/// }
///
/// let from = || "account-1".to_owned();
/// given_process::<Payments>(&[])
///     .when(Command::Request { from: from(), cents: 30 })
///     .then([Payment::Requested { from: from() }])
///     .then_sent("debit", "account-1", &AccountCommand::Withdraw { cents: 30 });
///
/// let history = [Payment::Requested { from: from() }];
/// given_process::<Payments>(&history).when_answered("debit", accepted()).then([Payment::Paid]).then_ended();
/// let missing = serde_json::json!({ "code": "insufficient_funds" });
/// given_process::<Payments>(&history).when_answered("debit", refused(&missing)).then([Payment::Failed]);
/// given_process::<Payments>(&[Payment::Paid]).when_answered("debit", accepted()).then_nothing();
/// ```
#[must_use]
pub fn given_process<P: Process>(history: &[P::Event]) -> Given<P> {
    given_with(history, |stream| Box::new(ProcessBehaviour::<P>::new(stream)))
}

/// The answer that a sent command was accepted. The receiver is at version 1.
#[must_use]
pub fn accepted() -> Answer {
    Answer::Accepted { version: Version::new(1).unwrap_or_default() }
}

/// The answer that the rules of the receiver have refused a sent command. The rejection is of its type, or JSON with a `code`.
#[must_use]
pub fn refused<R: Serialize>(rejection: &R) -> Answer {
    let rejection = JsonText::from_value(&value_of(rejection));
    Answer::Rejected { rejection: rejection.unwrap_or_else(|_| JsonText::null()) }
}

impl<P: Process> Given<P> {
    /// Decides by the answer to a command that the process has sent under this name, to the stream `other-1`.
    ///
    /// # Panics
    /// An event of the history or the name is not valid.
    #[must_use]
    #[track_caller]
    pub fn when_answered(self, name: &str, answer: Answer) -> When<P> {
        let answer = match answer {
            Answer::Accepted { version } => format!("\"accepted\":true,\"version\":{version}"),
            Answer::Rejected { rejection } => {
                format!("\"accepted\":false,\"rejection\":{}", rejection.as_str())
            }
        };
        let data = format!("{{\"name\":{},\"stream\":\"{ANSWERING}\",{answer}}}", json_string(name));
        valid(input(name, &data).and_then(|command| self.decide(ID, command.as_input(Input::Answer))))
    }

    /// Decides by an event of another stream: by the instance that [`Process::instance`] finds. If the process does not follow
    /// the event, or there is no instance, nothing happens.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use sillok::handler::{
    /// #     CommandContext, Decider, Decision, Event, Failed, FeedEvent, Instance, Process, Refusal,
    /// # };
    /// # #[derive(Serialize, Deserialize)]
    /// # enum Never {}
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum Billing { Billed { cents: u64 } }
    /// # impl Event for Billing {}
    /// #[derive(Serialize, Deserialize)]
    /// #[serde(tag = "type", content = "data")]
    /// enum Order {
    ///     Placed { cents: u64 },
    /// }
    /// # impl Event for Order {}
    /// # struct Bill;
    /// # impl Decider for Bill {
    /// #     type State = ();
    /// #     type Command = Never;
    /// #     type Event = Billing;
    /// #     type Rejection = Never;
    /// #     const CATEGORY: &str = "bill";
    /// #     fn initial_state() {}
    /// #     fn decide(command: Never, _: &(), _: &CommandContext<'_>) -> Result<Decision<Billing>, Refusal<Never>> {
    /// #         match command {}
    /// #     }
    /// #     fn evolve((): (), _: Billing) {}
    /// # }
    ///
    /// impl Process for Bill {
    ///     type Source = Order;
    ///     const SOURCE_TYPES: &'static [&'static str] = &["Placed"];
    ///     const SOURCE_CATEGORY: Option<&'static str> = Some("order");
    ///
    ///     fn instance(_: &Order, source: &FeedEvent) -> Option<Instance> {
    ///         Instance::starts(source.stream.as_str().strip_prefix("order-")?)
    ///     }
    ///
    ///     fn on(event: Order, _: &(), _: &CommandContext<'_>) -> Result<Decision<Billing>, Failed> {
    ///         let Order::Placed { cents } = event;
    ///         Ok(Billing::Billed { cents }.into())
    ///     }
    /// }
    ///
    /// use sillok::testing::given_process;
    ///
    /// let placed = Order::Placed { cents: 30 }.to_new()?;
    /// given_process::<Bill>(&[]).when_event("order-7", placed).then([Billing::Billed { cents: 30 }]);
    /// # Ok::<(), sillok::handler::Fault>(())
    /// ```
    ///
    /// # Panics
    /// An event of the history, the stream, or the id of the instance is not valid. The process cannot read the event.
    #[must_use]
    #[track_caller]
    pub fn when_event(self, stream: &str, event: NewEvent) -> When<P> {
        valid(self.decide_event(stream, event))
    }

    fn decide_event(self, stream: &str, event: NewEvent) -> Result<When<P>, String> {
        let events = [(stream, event)];
        let feed = followed(&events, P::SOURCE_CATEGORY, P::SOURCE_TYPES);
        let feed = feed.map_err(|failed| failed.message().to_owned())?;
        // Without types, a process follows no events.
        let Some(source) = feed.first().filter(|_| !P::SOURCE_TYPES.is_empty()) else {
            return self.decide_nothing();
        };
        let event = read_upcast(source, P::SOURCE_UPCASTS).map_err(|failed| failed.message().to_owned())?;
        let Some(instance) = P::instance(&event, source) else { return self.decide_nothing() };
        let command = input(source.event_type.as_str(), &source.json)?;
        self.decide(&instance.id, command.as_input(Input::Event { starts: instance.starts }))
    }
}

fn input(name: &str, data: &str) -> Result<Command, String> {
    Command::new(name, JsonText::parse(data).map_err(text)?).map_err(text)
}
