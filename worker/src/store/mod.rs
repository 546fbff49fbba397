//! The store for the Worker's own code in Rust: streams and aggregates, without HTTP.

mod append;
mod execution;
mod recorded;
mod streams;

use serde::Serialize;
use sillok::ErrorCode;
use sillok::gateway::StateAt;
use sillok::handler::{Command, Decider, Event, EventPage, Loaded};
use sillok::store::{ExpectedVersion, ReadRange, StreamId, Tenant, Version};
use sillok_bridge::{Failure, RangeValue, StateJson, parse_json, parse_range};
use worker::Env;

use crate::aggregate::{ReadRequest, StateRequest};
pub use append::Append;
pub(crate) use execution::typed;
pub use execution::{ExecuteError, Execution};
use recorded::recorded;
pub(crate) use streams::{StoreFuture, Streams};

/// The store of this Worker, for its own code: without HTTP and without a token. It may do everything that an administrator may.
/// Check what your own callers may do before you use it for them.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal, reject};
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum AccountCommand { Deposit { cents: u64 }, Withdraw { cents: u64 } }
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
/// #         match command {
/// #             AccountCommand::Deposit { cents } => Ok(AccountEvent::Deposited { cents }.into()),
/// #             AccountCommand::Withdraw { cents: wanted } if wanted > *cents =>
/// #                 reject(AccountRejection::InsufficientFunds { missing: wanted - cents }),
/// #             AccountCommand::Withdraw { cents } => Ok(AccountEvent::Withdrawn { cents }.into()),
/// #         }
/// #     }
/// #     fn evolve(state: u64, event: AccountEvent) -> u64 {
/// #         match event {
/// #             AccountEvent::Deposited { cents } => state + cents,
/// #             AccountEvent::Withdrawn { cents } => state - cents,
/// #         }
/// #     }
/// # }
/// use sillok_worker::ExecuteError;
/// use worker::{Env, Response};
///
/// async fn withdraw(env: &Env, account: &str, cents: u64, request: &str) -> worker::Result<Response> {
///     let store = sillok_worker::store(env);
///     let command = AccountCommand::Withdraw { cents };
///     match store.execute::<Account>(account, &command).with_id(request).await {
///         Ok(executed) => Response::ok(format!("done at version {}", executed.version)),
///         Err(ExecuteError::Rejected(AccountRejection::InsufficientFunds { missing })) => {
///             Response::error(format!("{missing} cents are missing"), 422)
///         }
///         Err(ExecuteError::Failed(failure)) => Response::error(failure.detail.clone(), 500),
///     }
/// }
/// ```
#[must_use]
pub fn store(env: &Env) -> Store {
    Store::of(Streams::Deployed { env: env.clone(), tenant: None })
}

/// The streams of one tenant. [`store`] makes it.
#[derive(Debug, Clone)]
pub struct Store {
    streams: Streams,
}

impl Store {
    /// The store of these streams.
    pub(crate) const fn of(streams: Streams) -> Self {
        Self { streams }
    }

    /// The store of a tenant. Without it, the store is that of the default tenant.
    #[must_use]
    pub fn tenant(self, tenant: &Tenant) -> Self {
        Self { streams: self.streams.of_tenant(tenant) }
    }

    /// Reads one page of a stream. Each event is converted to its newest schema version. Read on with the `next` of the page.
    ///
    /// ```
    /// use sillok::handler::Event;
    /// use sillok::store::ReadRange;
    /// use sillok_worker::{Failure, Recorded, Store};
    ///
    /// async fn whole<E: Event>(store: &Store, stream: &str) -> Result<Vec<Recorded<E>>, Failure> {
    ///     let (mut events, mut next) = (Vec::new(), Some(ReadRange::all()));
    ///     while let Some(range) = next {
    ///         let page = store.read::<E>(stream, range).await?;
    ///         events.extend(page.events);
    ///         next = page.next;
    ///     }
    ///     Ok(events)
    /// }
    /// ```
    ///
    /// # Errors
    /// A [`Failure`] with the code of the HTTP interface; `unknown_event` if the enum has no variant for an event; `event_too_new`;
    /// `decider_failed` if an event does not have the shape of its variant.
    pub async fn read<E: Event>(&self, stream: &str, range: ReadRange) -> Result<EventPage<E>, Failure> {
        let stream = StreamId::new(stream)?;
        let request = ReadRequest { stream: stream.clone(), range: RangeValue::from(range) };
        let page = self.streams.read(request).await?;
        Ok(EventPage {
            version: version_of(page.version),
            first_version: version_of(page.first_version),
            events: recorded(&page.events, &stream)?,
            next: page.next.as_ref().map(parse_range).transpose()?,
        })
    }

    /// Appends an event, or a slice of events, and returns the new version of the stream. Each event must become `{"type",
    /// "data", "metadata", "id", "schemaVersion"}` as JSON. Only the type is required. An enum with `#[serde(tag = "type",
    /// content = "data")]` has this form. The append is sent when it is awaited.
    ///
    /// If the category of the stream has an aggregate, the events must be of its types. Nothing decides them: prefer
    /// [`execute`](Self::execute).
    ///
    /// ```
    /// # use sillok_worker::{Failure, Store};
    /// use serde_json::json;
    /// use sillok::store::{ExpectedVersion, Version};
    ///
    /// async fn note(store: &Store, request: &str) -> Result<Version, Failure> {
    ///     let noted = json!({ "type": "Noted", "data": { "text": "hello" } });
    ///     store.append("notes", &noted, ExpectedVersion::Any).with_key(request).await
    /// }
    /// ```
    pub fn append<E: Serialize + ?Sized>(
        &self,
        stream: &str,
        events: &E,
        expected: ExpectedVersion,
    ) -> Append {
        Append::new(self.streams.clone(), stream, json(events), expected)
    }

    /// Executes a command: the object of the stream decides it, and stores the events. The command is sent when the execution is
    /// awaited. For an example, see [`store`].
    pub fn execute<D: Decider>(&self, stream: &str, command: &D::Command) -> Execution<D> {
        Execution::new(self.streams.clone(), command_to::<D>(stream, command))
    }

    /// Loads the state of an aggregate.
    ///
    /// # Errors
    /// A [`Failure`] with the code of the HTTP interface, such as `state_unavailable`.
    pub async fn state<D: Decider>(&self, stream: &str) -> Result<Loaded<D::State>, Failure> {
        self.load::<D>(stream, None).await
    }

    /// Loads the state of an aggregate at a version or a time.
    ///
    /// # Errors
    /// A [`Failure`] with the code of the HTTP interface, such as `state_unavailable`.
    pub async fn state_at<D: Decider>(&self, stream: &str, at: StateAt) -> Result<Loaded<D::State>, Failure> {
        self.load::<D>(stream, Some(at)).await
    }

    async fn load<D: Decider>(&self, stream: &str, at: Option<StateAt>) -> Result<Loaded<D::State>, Failure> {
        let stream = stream_of::<D>(stream)?;
        let (version, time) = match at {
            Some(StateAt::Version(version)) => (Some(version.get()), None),
            Some(StateAt::Time(time)) => (None, Some(time.as_millis())),
            None => (None, None),
        };
        let StateJson { version, state, .. } =
            self.streams.state_by::<D>(StateRequest { stream, version, time }).await?;
        Ok(Loaded::read(&parse_json(&state)?, version_of(version))?)
    }
}

/// The command and its stream, which must be of the category of the aggregate.
pub(crate) fn command_to<D: Decider>(
    stream: &str,
    command: &D::Command,
) -> Result<(StreamId, Command), Failure> {
    Ok((stream_of::<D>(stream)?, Command::of(command)?))
}

fn stream_of<D: Decider>(stream: &str) -> Result<StreamId, Failure> {
    let category = D::CATEGORY;
    if stream.split('-').next() != Some(category) {
        let detail = format!(
            "the stream {stream} is not of the category {category}; its name must begin with `{category}-`"
        );
        return Err(Failure::new(ErrorCode::InvalidStreamId, detail).in_field("stream"));
    }
    Ok(StreamId::new(stream)?)
}

/// Events as JSON.
pub(crate) fn json<E: Serialize + ?Sized>(events: &E) -> Result<String, Failure> {
    serde_json::to_string(events)
        .map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()).in_field("events"))
}

fn version_of(version: u64) -> Version {
    Version::new(version).unwrap_or_default()
}
