//! Reactors under test: events go in, appends and commands come out.
//!
//! It is not in the core: a [`Reactor`] names the Worker's [`Env`](worker::Env), which the core does not know.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use sillok::gateway::{CommandError, Commands, StateLoad, Step};
use sillok::handler::{Command, Decider, Delivery, Failed, TypedBehaviour, read_upcast};
use sillok::store::{
    Append, EventId, EventStore, IdempotencyKey, KeyOrigin, MemoryLog, NewEvent, RecordedTime, StreamId,
};
use sillok::testing::followed;
use sillok_bridge::{
    AppendedJson, ExecutedJson, Failure, PageJson, StateJson, parse_command, parse_events,
    parse_expected_version, parse_range, read_page,
};
use wasm_bindgen::{JsCast, JsValue};

use crate::aggregate::{AppendRequest, ExecuteRequest, ReadRequest, StateRequest, cause_of, command_of};
use crate::consumer::{Reactor, ReactorContext};
use crate::store::Streams;

/// What a reactor has sent, in order. [`reacted`] returns it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reacted {
    /// The appended events, each with its stream.
    pub appended: Vec<(StreamId, NewEvent)>,
    /// The executed commands, each with its stream. They are without the id and the cause that the reactor's context adds.
    pub executed: Vec<(StreamId, Command)>,
}

/// Appends events to streams in memory, and lets a reactor handle those that it follows. Each event has the stream to which it is
/// appended. Returns what the reactor has sent. Its commands are decided, by the events of their streams.
///
/// Each event is handled twice, as after a crash. The second time the reactor must send the same. So the test fails for a reactor
/// that reads a state, changes it, and decides by it.
///
/// The test runs natively. There, the bindings of [`ReactorContext::env`] cannot be used, and nothing outside can be waited for.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal, reject};
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum AccountCommand { Withdraw { cents: u64 } }
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum AccountEvent { Deposited { cents: u64 }, Withdrawn { cents: u64 } }
/// # impl Event for AccountEvent {}
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "code", content = "data", rename_all = "snake_case")]
/// # enum AccountRejection { InsufficientFunds { missing: u64 } }
/// # struct Account;
/// # impl Decider for Account {
/// #     type State = u64;
/// #     type Command = AccountCommand;
/// #     type Event = AccountEvent;
/// #     type Rejection = AccountRejection;
/// #     const CATEGORY: &str = "account";
/// #     fn initial_state() -> u64 { 0 }
/// #     fn decide(command: AccountCommand, cents: &u64, _: &CommandContext<'_>) -> Result<Decision<AccountEvent>, Refusal<AccountRejection>> {
/// #         let AccountCommand::Withdraw { cents: wanted } = command;
/// #         match wanted.saturating_sub(*cents) {
/// #             0 => Ok(AccountEvent::Withdrawn { cents: wanted }.into()),
/// #             missing => reject(AccountRejection::InsufficientFunds { missing }),
/// #         }
/// #     }
/// #     fn evolve(state: u64, event: AccountEvent) -> u64 {
/// #         match event {
/// #             AccountEvent::Deposited { cents } => state + cents,
/// #             AccountEvent::Withdrawn { cents } => state - cents,
/// #         }
/// #     }
/// # }
/// use sillok::handler::{Command, Failed, FeedEvent};
/// use sillok::store::{ExpectedVersion, StreamId};
/// use sillok_worker::testing::reacted;
/// use sillok_worker::{ExecuteError, Reactor, ReactorContext};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum OrderEvent {
///     Placed { cents: u64 },
///     Refused { missing: u64 },
/// }
///
/// impl Event for OrderEvent {}
///
/// struct Payments;
///
/// impl Reactor for Payments {
///     type Event = OrderEvent;
///     const CATEGORY: Option<&str> = Some("order");
///     const TYPES: &[&str] = &["Placed"];
///
///     async fn react(event: OrderEvent, source: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
///         let OrderEvent::Placed { cents } = event else { return Ok(()) };
///         let paid = context.execute::<Account>("account-42", &AccountCommand::Withdraw { cents }).await;
///         if let Err(ExecuteError::Rejected(AccountRejection::InsufficientFunds { missing })) = paid {
///             let refused = OrderEvent::Refused { missing };
///             context.append(source.stream.as_str(), &refused, ExpectedVersion::Any).await?;
///         }
///         Ok(())
///     }
/// }
///
/// let deposited = AccountEvent::Deposited { cents: 100 }.to_new()?;
/// let placed = OrderEvent::Placed { cents: 60 }.to_new()?;
/// let events = [("account-42", deposited), ("order-7", placed.clone()), ("order-8", placed)];
/// let reacted = reacted::<Payments>(&events)?;
/// let withdraw = (StreamId::new("account-42")?, Command::of(&AccountCommand::Withdraw { cents: 60 })?);
/// assert_eq!(reacted.executed, [withdraw.clone(), withdraw]);
/// let refused = OrderEvent::Refused { missing: 20 }.to_new()?;
/// assert_eq!(reacted.appended, [(StreamId::new("order-8")?, refused)]);
/// # Ok::<(), Failed>(())
/// ```
///
/// # Errors
/// The first failure of the reactor, or the event whose second handling sent something else.
pub fn reacted<R: Reactor>(events: &[(&str, NewEvent)]) -> Result<Reacted, Failed> {
    let streams = Rc::new(InMemory::default());
    for (stream, event) in events {
        let append = Append::to(StreamId::new(stream)?, vec![event.clone()]);
        streams.store.borrow_mut().append(append, RecordedTime::default(), &mut EventId::default)?;
    }
    let mut all = Reacted::default();
    for event in followed(events, R::CATEGORY, R::TYPES)? {
        let place = format!("version {} of {}", event.version, event.stream);
        let [first, second] = [1, 2].map(|attempt| {
            let id = format!("{:032x}", event.position.get());
            let delivery = Delivery { id, event: event.clone(), attempt };
            attempted::<R>(&streams, &delivery)?;
            Ok::<_, Failed>(streams.sent.take())
        });
        let (first, second) = (first?, second?);
        if first != second {
            return Err(format!("the second handling of {place} sent something else: {second:?}").into());
        }
        all.appended.extend(first.appended);
        all.executed.extend(first.executed);
    }
    Ok(all)
}

fn attempted<R: Reactor>(streams: &Rc<InMemory>, delivery: &Delivery) -> Result<(), Failed> {
    // The value stands for bindings that do not exist. Nothing in this module uses it.
    let env = JsValue::UNDEFINED.unchecked_into();
    let context = ReactorContext::new(env, Streams::InMemory(streams.clone()), delivery);
    let event: R::Event = read_upcast(&delivery.event, R::UPCASTS)?;
    let handled = R::react(event, &delivery.event, &context).now_or_never();
    handled.unwrap_or_else(|| Err("the reactor waits for something that a native test does not have".into()))
}

/// Streams in memory, which note what a reactor sends.
#[derive(Debug, Default)]
pub(crate) struct InMemory {
    store: RefCell<EventStore<MemoryLog>>,
    sent: RefCell<Reacted>,
}

impl InMemory {
    pub(crate) fn append(&self, request: AppendRequest) -> Result<AppendedJson, Failure> {
        let events = parse_events(&request.events)?;
        let sent = events.iter().map(|event| (request.stream.clone(), event.clone()));
        self.sent.borrow_mut().appended.extend(sent);
        let key =
            request.key.as_deref().map(|key| IdempotencyKey::of(KeyOrigin::Reactor, key)).transpose()?;
        let append = Append {
            stream: request.stream,
            expected: parse_expected_version(&request.expected_version)?,
            events,
            key,
            cause: request.cause.as_ref().map(cause_of).transpose()?,
        };
        let appended =
            self.store.borrow_mut().append(append, RecordedTime::default(), &mut EventId::default)?;
        Ok(AppendedJson::from(&appended))
    }

    pub(crate) fn execute<D: Decider>(&self, request: ExecuteRequest) -> Result<ExecutedJson, Failure> {
        let stream = request.stream.clone();
        let sent = (stream.clone(), parse_command(&request.command)?);
        self.sent.borrow_mut().executed.push(sent);
        let command = command_of(request)?;
        let mut commands = Commands::new(Box::new(TypedBehaviour::<D>::new(stream.clone())));
        let (now, store) = (RecordedTime::default(), &mut *self.store.borrow_mut());
        let executed = done(|| commands.execute(store, &stream, &command, now, &mut EventId::default))?;
        Ok(ExecutedJson::new(&executed)?)
    }

    pub(crate) fn read(&self, ReadRequest { stream, range }: &ReadRequest) -> Result<PageJson, Failure> {
        Ok(read_page(&self.store.borrow(), stream, &parse_range(range)?)?)
    }

    pub(crate) fn state<D: Decider>(&self, request: &StateRequest) -> Result<StateJson, Failure> {
        let (stream, store) = (&request.stream, &mut *self.store.borrow_mut());
        let behaviour = Box::new(TypedBehaviour::<D>::new(stream.clone()));
        let (version, state) = if let Some(at) = request.at() {
            let mut load = StateLoad::new(behaviour, at);
            (done(|| load.load(store, stream))?, load.state()?)
        } else {
            let mut commands = Commands::new(behaviour);
            (done(|| commands.load(store, stream))?, commands.state()?)
        };
        Ok(StateJson::new(stream, version, &state))
    }
}

/// Works until the work is done.
fn done<T>(mut step: impl FnMut() -> Result<Step<T>, CommandError>) -> Result<T, Failure> {
    loop {
        if let Step::Done(done) = step()? {
            return Ok(done);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;
    use sillok::gateway::StateAt;
    use sillok::handler::{CommandContext, Decision, Event, FeedEvent, Refusal};
    use sillok::store::{ExpectedVersion, JsonText, ReadRange, Version};

    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Counted {
        Added { n: u64 },
        Taken { n: u64 },
    }

    impl Event for Counted {}

    #[derive(Serialize, Deserialize)]
    enum Never {}

    /// A sum. Its commands are its events.
    struct Sum;

    impl Decider for Sum {
        type State = u64;
        type Command = Counted;
        type Event = Counted;
        type Rejection = Never;
        const CATEGORY: &str = "sum";

        fn initial_state() -> u64 {
            0
        }

        fn decide(
            command: Counted,
            _: &u64,
            _: &CommandContext<'_>,
        ) -> Result<Decision<Counted>, Refusal<Never>> {
            Ok(command.into())
        }

        fn evolve(state: u64, event: Counted) -> u64 {
            match event {
                Counted::Added { n } => state + n,
                Counted::Taken { n } => state - n,
            }
        }
    }

    #[derive(Deserialize)]
    #[serde(tag = "type")]
    enum Question {
        Asked,
    }

    /// Answers by the events and the states of a sum.
    struct Answers;

    impl Reactor for Answers {
        type Event = Question;
        const CATEGORY: Option<&str> = Some("question");

        async fn react(_: Question, _: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
            let page = context.read::<Counted>("sum-1", ReadRange::all()).await?;
            let now = context.state::<Sum>("sum-1").await?;
            let first = context.state_at::<Sum>("sum-1", StateAt::Version(Version::FIRST)).await?;
            let data = json!([page.events.len(), now.state, now.version.get(), first.state]);
            let answered = json!({ "type": "Answered", "data": data });
            context.append("answers", &answered, ExpectedVersion::Any).await?;
            Ok(())
        }
    }

    /// Takes from a sum, or says that it is too small.
    struct Unsafe;

    impl Reactor for Unsafe {
        type Event = Question;
        const CATEGORY: Option<&str> = Some("question");

        async fn react(_: Question, _: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
            if context.state::<Sum>("sum-1").await?.state >= 5 {
                context.execute::<Sum>("sum-1", &Counted::Taken { n: 5 }).await?;
            } else {
                context.append("refused", &json!({ "type": "Refused" }), ExpectedVersion::Any).await?;
            }
            Ok(())
        }
    }

    fn history() -> Result<Vec<(&'static str, NewEvent)>, Failed> {
        let added = |n| Counted::Added { n }.to_new();
        let asked = NewEvent::new("Asked", JsonText::null())?;
        Ok(vec![("sum-1", added(2)?), ("sum-1", added(3)?), ("question-1", asked)])
    }

    #[test]
    fn a_reactor_reads_streams_and_states() -> Result<(), Failed> {
        let reacted = reacted::<Answers>(&history()?)?;
        let data: Vec<&str> = reacted.appended.iter().map(|(_, event)| event.data().as_str()).collect();
        assert_eq!(data, ["[2,5,2,2]"]);
        Ok(())
    }

    #[test]
    fn a_reactor_that_decides_by_a_state_which_it_changes_sends_something_else() -> Result<(), Failed> {
        let Err(failed) = reacted::<Unsafe>(&history()?) else { panic!("the test must fail") };
        assert!(failed.message().contains("sent something else"), "{}", failed.message());
        Ok(())
    }
}
