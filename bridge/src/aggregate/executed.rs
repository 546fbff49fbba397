//! The outcome of a command, and a loaded state.

use sillok::gateway::Executed;
use sillok::store::{JsonText, StorageError, StreamId, Version, json_string};

use crate::clock::rfc3339;
use crate::events::write_events;

/// The outcome of a command: `{stream, firstVersion, version, time, events, replayed, rejection}`.
#[derive(Debug)]
pub struct ExecutedJson {
    stream: String,
    /// The version of the first event. It is `version` + 1 if there are no events.
    pub first_version: u64,
    /// The version of the stream after the decision.
    pub version: u64,
    /// The time of the decision, as RFC 3339 writes it.
    pub time: String,
    /// The events, a JSON array as text.
    pub events: String,
    /// Whether the outcome is the remembered one of an earlier command under the same id.
    pub replayed: bool,
    /// The rejection as JSON text, if the rules refused the command.
    pub rejection: Option<String>,
}

crate::message!(ExecutedJson {
    stream: "stream",
    first_version: "firstVersion",
    version: "version",
    time: "time",
    events: "events",
    replayed: "replayed",
    rejection: "rejection",
});

impl ExecutedJson {
    /// The outcome in the form for callers.
    ///
    /// # Errors
    /// [`StorageError`] if the stored events cannot be read.
    pub fn new(executed: &Executed) -> Result<Self, StorageError> {
        let (events, ()) = write_events(&executed.stream, |visit| executed.visit_events(visit))?;
        Ok(Self {
            stream: executed.stream.as_str().to_owned(),
            first_version: executed.first_version().get(),
            version: executed.version.get(),
            time: rfc3339(executed.time),
            events,
            replayed: executed.replayed,
            rejection: executed.rejection().map(|rejection| rejection.as_str().to_owned()),
        })
    }

    /// The outcome as JSON, without a rejection.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { stream, first_version, version, time, events, replayed, .. } = self;
        let stream = json_string(stream);
        format!(
            "{{\"stream\":{stream},\"firstVersion\":{first_version},\"version\":{version},\"time\":\"{time}\",\
             \"events\":{events},\"replayed\":{replayed}}}"
        )
    }
}

/// A state and the version that it is of: `{stream, version, state}`.
#[derive(Debug)]
pub struct StateJson {
    stream: String,
    /// The version of the state.
    pub version: u64,
    /// The state as JSON text.
    pub state: String,
}

crate::message!(StateJson { stream: "stream", version: "version", state: "state" });

impl StateJson {
    /// The state in the form for callers.
    #[must_use]
    pub fn new(stream: &StreamId, version: Version, state: &JsonText) -> Self {
        let (stream, version) = (stream.as_str().to_owned(), version.get());
        Self { stream, version, state: state.as_str().to_owned() }
    }

    /// The state as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { stream, version, state } = self;
        format!("{{\"stream\":{},\"version\":{version},\"state\":{state}}}", json_string(stream))
    }
}
