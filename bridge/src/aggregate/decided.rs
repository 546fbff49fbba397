//! The decision of code in JavaScript, read from JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::handler::{Accepted, BehaviourDecision, Command, Fault, SentCommand, TimerChange};
use sillok::store::{NewEvent, PendingKey, RecordedTime, StreamId};

use super::command::parse_command;
use super::js_behaviour::json_text;
use crate::events::parse_events;

/// The beginning of a decision with more than events.
const WITH_MORE: &str = "{\"events\":";

/// A decision with timers or sent commands, or one that ends a process.
#[derive(Deserialize)]
struct DecidedJson<'a> {
    #[serde(borrow)]
    events: &'a RawValue,
    #[serde(borrow, default)]
    timers: Vec<TimerJson<'a>>,
    #[serde(borrow, default)]
    sent: Vec<SentJson<'a>>,
    #[serde(default)]
    ended: bool,
}

/// A timer that is set. Without a command, the timer is cancelled.
#[derive(Deserialize)]
struct TimerJson<'a> {
    key: String,
    #[serde(default)]
    at: u64,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct SentJson<'a> {
    name: String,
    stream: String,
    #[serde(borrow)]
    command: &'a RawValue,
}

/// Reads a decision: an array of events, an object with `events` first, or a rejection.
pub(super) fn parse_decision(text: &str) -> Result<BehaviourDecision, Fault> {
    if !text.starts_with('{') {
        return Ok(BehaviourDecision::Accepted(Accepted::events(events(text)?)));
    }
    if !text.starts_with(WITH_MORE) {
        return Ok(BehaviourDecision::Rejected(json_text(text)?));
    }
    let DecidedJson { events: written, timers, sent, ended } =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    Ok(BehaviourDecision::Accepted(Accepted {
        events: events(written.get())?,
        timers: timers.into_iter().map(timer).collect::<Result<_, _>>()?,
        sent: sent.into_iter().map(sent_command).collect::<Result<_, _>>()?,
        ended,
    }))
}

fn events(text: &str) -> Result<Vec<NewEvent>, Fault> {
    parse_events(text)
        .map_err(|error| Fault { field: error.field(), ..Fault::new(error.code(), error.to_string()) })
}

fn timer(TimerJson { key, at, command }: TimerJson<'_>) -> Result<TimerChange, Fault> {
    let key = PendingKey::timer(&key).map_err(|error| wrong(format!("the key of a timer {error}")))?;
    Ok(match command {
        Some(command) => {
            TimerChange::Set { key, at: RecordedTime::from_millis(at), command: command_of(command)? }
        }
        None => TimerChange::Cancel(key),
    })
}

fn sent_command(SentJson { name, stream, command }: SentJson<'_>) -> Result<SentCommand, Fault> {
    PendingKey::timer(&name).map_err(|error| wrong(format!("the name of a sent command {error}")))?;
    let stream = StreamId::new(&stream).map_err(|error| wrong(error.to_string()))?;
    Ok(SentCommand { name: name.into(), stream, command: command_of(command)? })
}

fn command_of(command: &RawValue) -> Result<Command, Fault> {
    parse_command(command.get()).map_err(|failure| wrong(failure.detail.clone()))
}

fn wrong(detail: String) -> Fault {
    Fault::new(ErrorCode::DeciderFailed, detail)
}
