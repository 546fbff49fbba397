//! Commands of the Worker's own code, and their outcomes.

use std::error::Error;
use std::fmt::{Debug, Display, Formatter};
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::Serialize;
use sillok::ErrorCode;
use sillok::handler::{Command, Decider, Executed};
use sillok::store::{ExpectedVersion, IdempotencyKey, InvalidIdempotencyKey, JsonText, StreamId};
use sillok_bridge::{ExecutedJson, Failure, expected_version_json};

use super::recorded::{recorded, time_of};
use super::streams::Streams;
use super::version_of;
use crate::aggregate::{ExecuteRequest, Origin};

/// A command that is sent when it is awaited. [`Store::execute`](super::Store::execute) makes it. It returns an [`Executed`], or
/// an [`ExecuteError`].
#[must_use = "the command is sent when it is awaited"]
pub struct Execution<D> {
    streams: Streams,
    command: Result<(StreamId, Command), Failure>,
    decider: PhantomData<fn() -> D>,
}

/// The reason why a command was not accepted.
///
/// A reactor may end with this error by `?`. A rejection then gives the event up at once, because the outcome of the command is
/// remembered. After a failure such as `unavailable`, the event is attempted again.
pub enum ExecuteError<R> {
    /// The rules refuse the command.
    Rejected(R),
    /// The command has no outcome. The failure has the code of the HTTP interface.
    Failed(Failure),
}

impl<R: Serialize> Display for ExecuteError<R> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(rejection) => {
                let rejection = serde_json::to_string(rejection).unwrap_or_default();
                write!(formatter, "the rules refuse the command: {rejection}")
            }
            Self::Failed(failure) => Display::fmt(failure, formatter),
        }
    }
}

impl<R: Serialize> Debug for ExecuteError<R> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(_) => Display::fmt(self, formatter),
            Self::Failed(failure) => Debug::fmt(failure, formatter),
        }
    }
}

impl<R: Serialize> Error for ExecuteError<R> {}

impl<R> From<Failure> for ExecuteError<R> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<D> Debug for Execution<D> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Execution").field("command", &self.command).finish_non_exhaustive()
    }
}

impl<D: Decider> Execution<D> {
    pub(super) fn new(streams: Streams, command: Result<(StreamId, Command), Failure>) -> Self {
        Self { streams, command, decider: PhantomData }
    }

    /// Sets the id of the command. The first outcome under an id is remembered, and a repeat of the command gets the same one.
    pub fn with_id(self, id: &str) -> Self {
        let refused = |error: InvalidIdempotencyKey| Failure::from(error).in_field("id");
        self.with(|command| Ok(command.with_id(IdempotencyKey::new(id).map_err(refused)?)))
    }

    /// Sets the condition on the stream. The default is any version.
    pub fn expecting(self, expected: ExpectedVersion) -> Self {
        self.with(|command| Ok(command.expecting(expected)))
    }

    /// Sets the metadata: a JSON object of at most 16 KiB. `correlationId` and `traceparent` go on in the metadata of the events.
    pub fn with_metadata(self, metadata: JsonText) -> Self {
        self.with(|command| Ok(command.with_metadata(metadata)?))
    }

    /// Decides without writing anything.
    pub fn dry_run(self) -> Self {
        self.with(|mut command| {
            command.dry_run = true;
            Ok(command)
        })
    }

    fn with(self, set: impl FnOnce(Command) -> Result<Command, Failure>) -> Self {
        let command = self.command.and_then(|(stream, command)| Ok((stream, set(command)?)));
        Self { command, ..self }
    }
}

impl<D: Decider> IntoFuture for Execution<D> {
    type Output = Result<Executed<D::Event>, ExecuteError<D::Rejection>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { streams, command, .. } = self;
        Box::pin(async move {
            let (stream, command) = command?;
            let request = ExecuteRequest {
                stream: stream.clone(),
                command: command.to_json(),
                expected_version: expected_version_json(command.expected),
                id: command.id.as_ref().map(|id| id.as_str().to_owned()),
                origin: Origin::Client,
                cause: None,
                event_starts: None,
                dry_run: command.dry_run,
                admin: true,
                traceparent: None,
                prepared: None,
            };
            typed::<D>(&streams.execute_by::<D>(request).await?, &stream)
        })
    }
}

/// The outcome of a command in the types of its aggregate.
pub(crate) fn typed<D: Decider>(
    executed: &ExecutedJson,
    stream: &StreamId,
) -> Result<Executed<D::Event>, ExecuteError<D::Rejection>> {
    if let Some(rejection) = &executed.rejection {
        let misfit = |error: serde_json::Error| {
            let detail = format!("the rejection {rejection} cannot be read: {error}");
            Failure::new(ErrorCode::DeciderFailed, detail)
        };
        return Err(ExecuteError::Rejected(serde_json::from_str(rejection).map_err(misfit)?));
    }
    Ok(Executed {
        first_version: version_of(executed.first_version),
        version: version_of(executed.version),
        time: time_of(&executed.time),
        events: recorded(&executed.events, stream)?,
        replayed: executed.replayed,
    })
}
