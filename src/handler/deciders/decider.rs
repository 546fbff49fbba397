//! Deciders in Rust.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::command::FiredTimer;
use super::decision::{Decision, Refusal};
use super::event::Event;
use crate::store::{JsonText, RecordedTime, Version};

/// The code of an aggregate: it decides commands by the state, and folds events into the state.
///
/// All functions are pure. A decision depends only on the command, the state and the context, and the state depends only on
/// the events. They are synchronous, and need no `Send`. If something must be looked up first, put it into the command.
///
/// The command, the event and the rejection are enums. serde gives them their form in JSON:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal, reject};
///
/// /// As `{"type":"Withdraw","data":{"cents":30}}` is read.
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum AccountCommand {
///     Open { owner: String },
///     Deposit { cents: u64 },
///     Withdraw { cents: u64 },
/// }
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum AccountEvent {
///     Opened { owner: String },
///     Deposited { cents: u64 },
///     Withdrawn { cents: u64 },
/// }
///
/// impl Event for AccountEvent {}
///
/// /// As `{"code":"insufficient_funds","data":{"missing":400}}` is written.
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "code", content = "data", rename_all = "snake_case")]
/// enum AccountRejection {
///     NotOpen,
///     AlreadyOpen,
///     InsufficientFunds { missing: u64 },
/// }
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct State {
///     owner: Option<String>,
///     cents: u64,
/// }
///
/// struct Account;
///
/// impl Decider for Account {
///     type State = State;
///     type Command = AccountCommand;
///     type Event = AccountEvent;
///     type Rejection = AccountRejection;
///     const CATEGORY: &str = "account";
///
///     fn initial_state() -> State {
///         State::default()
///     }
///
///     fn decide(
///         command: AccountCommand,
///         state: &State,
///         _: &CommandContext<'_>,
///     ) -> Result<Decision<AccountEvent>, Refusal<AccountRejection>> {
///         let is_open = state.owner.is_some();
///         match command {
///             AccountCommand::Open { .. } if is_open => reject(AccountRejection::AlreadyOpen),
///             AccountCommand::Open { owner } => Ok(AccountEvent::Opened { owner }.into()),
///             _ if !is_open => reject(AccountRejection::NotOpen),
///             AccountCommand::Deposit { cents } => Ok(AccountEvent::Deposited { cents }.into()),
///             AccountCommand::Withdraw { cents: 0 } => Ok(Decision::nothing()),
///             AccountCommand::Withdraw { cents } => match cents.checked_sub(state.cents) {
///                 Some(missing) if missing > 0 => reject(AccountRejection::InsufficientFunds { missing }),
///                 _ => Ok(AccountEvent::Withdrawn { cents }.into()),
///             },
///         }
///     }
///
///     fn evolve(state: State, event: AccountEvent) -> State {
///         match event {
///             AccountEvent::Opened { owner } => State { owner: Some(owner), ..state },
///             AccountEvent::Deposited { cents } => State { cents: state.cents + cents, ..state },
///             AccountEvent::Withdrawn { cents } => State { cents: state.cents - cents, ..state },
///         }
///     }
/// }
/// # #[cfg(feature = "testing")] {
///
/// // And a test of it:
/// use sillok::testing::{given, laws};
///
/// let history = [AccountEvent::Opened { owner: "Ada".into() }, AccountEvent::Deposited { cents: 100 }];
/// given::<Account>(&history)
///     .when(AccountCommand::Withdraw { cents: 30 })
///     .then([AccountEvent::Withdrawn { cents: 30 }])
///     .then_state(&State { owner: Some("Ada".into()), cents: 70 });
/// given::<Account>(&history)
///     .when(AccountCommand::Withdraw { cents: 500 })
///     .then_rejected(&AccountRejection::InsufficientFunds { missing: 400 });
/// given::<Account>(&history).when(AccountCommand::Withdraw { cents: 0 }).then_nothing();
/// laws::<Account>(&[&history], &[AccountCommand::Withdraw { cents: 30 }]);
/// # }
/// ```
pub trait Decider: 'static {
    /// The state. It is stored as JSON in snapshots.
    type State: Clone + Serialize + DeserializeOwned;

    /// The commands: an enum with `#[serde(tag = "type", content = "data")]` that has a variant for each command.
    type Command: Serialize + DeserializeOwned;

    /// The events.
    type Event: Event;

    /// The reasons why the rules refuse a command: an enum with `#[serde(tag = "code", content = "data", rename_all =
    /// "snake_case")]`. Its JSON is `{"code","data"}`, or `{"code"}` for a variant without data. A decider that refuses
    /// nothing has an enum without variants.
    type Rejection: Serialize + DeserializeOwned;

    /// The category of the streams, such as `account` for `account-42`.
    const CATEGORY: &'static str;

    /// The version of the state's type and of [`evolve`](Self::evolve). Increase it when one of them changes: snapshots of
    /// other versions are not used. A new [upcast](Event::UPCASTS) has the same effect by itself.
    const STATE_VERSION: u32 = 1;

    /// A snapshot is stored after so many events. 0: never.
    const SNAPSHOT_EVERY: u64 = 500;

    /// A snapshot is stored after so many bytes of events. 0: the bytes do not count.
    const SNAPSHOT_BYTES: u64 = 0;

    /// The time for which the outcomes of commands are remembered, in milliseconds. 0: as long as the stream exists.
    const REMEMBER_MILLIS: u64 = 0;

    /// The rule for stored events of a type that [`Event`](Self::Event) does not have.
    const UNKNOWN_EVENTS: UnknownEvents = UnknownEvents::Fail;

    /// Whether everybody with the scope `append` may append events without a command. Otherwise only an administrator may.
    const OPEN_APPENDS: bool = false;

    /// The state of a stream without events.
    fn initial_state() -> Self::State;

    /// Decides a command. The result is a decision, a rejection or a fault: see [`Refusal`].
    ///
    /// # Errors
    /// [`Refusal`].
    fn decide(
        command: Self::Command,
        state: &Self::State,
        context: &CommandContext<'_>,
    ) -> Result<Decision<Self::Event>, Refusal<Self::Rejection>>;

    /// Folds an event into the state. It cannot refuse: the event has happened.
    fn evolve(state: Self::State, event: Self::Event) -> Self::State;
}

/// The rule for stored events of a type that the code does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownEvents {
    /// The state cannot be loaded.
    #[default]
    Fail,
    /// The event does not change the state.
    Skip,
}

/// What a decision may depend on beside the command and the state.
///
/// ```
/// use sillok::handler::CommandContext;
///
/// /// A day after the decision.
/// fn due(context: &CommandContext<'_>) -> u64 {
///     context.now.later(24 * 60 * 60 * 1000).as_millis()
/// }
/// # let metadata = sillok::store::JsonText::empty_object();
/// # let (now, version) = (Default::default(), Default::default());
/// # assert_eq!(due(&CommandContext { now, version, command_id: None, metadata: &metadata, timer: None }), 86_400_000);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CommandContext<'a> {
    /// The time of the decision. It becomes the recorded time of the events, and never goes back within a stream.
    pub now: RecordedTime,
    /// The version of the stream that the state is of.
    pub version: Version,
    /// The id of the command, if it has one.
    pub command_id: Option<&'a str>,
    /// The metadata of the command, a JSON object.
    pub metadata: &'a JsonText,
    /// The timer that sends the command. `None` for a command of a caller, and for the other inputs of a process.
    pub timer: Option<&'a FiredTimer>,
}
