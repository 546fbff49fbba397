//! The decision of code in JavaScript, read from JSON.

use std::borrow::Cow;

use sillok::ErrorCode;
use sillok::handler::{Accepted, BehaviourDecision, Command, Fault, SentCommand, TimerChange};
use sillok::store::{NewEvent, PendingKey, RecordedTime, StreamId, items, members, string_text};

use super::command::parse_command;
use super::js_behaviour::json_text;
use crate::events::parse_events;

/// The beginning of a decision with more than events.
const WITH_MORE: &str = "{\"events\":";

/// Reads a decision: an array of events, an object with `events` first, or a rejection.
pub(super) fn parse_decision(text: &str) -> Result<BehaviourDecision, Fault> {
    if !text.starts_with('{') {
        return Ok(BehaviourDecision::Accepted(Accepted::events(events(text)?)));
    }
    if !text.starts_with(WITH_MORE) {
        return Ok(BehaviourDecision::Rejected(json_text(text)?));
    }
    let [written, timers, sent, ended] =
        members(text, ["events", "timers", "sent", "ended"]).ok_or_else(unreadable)?;
    let mut accepted = Accepted::events(events(written.unwrap_or_default())?);
    accepted.ended = ended == Some("true");
    for (n, item) in array(timers)?.into_iter().enumerate() {
        accepted.timers.push(timer(item, &format!("timers[{n}]"))?);
    }
    for (n, item) in array(sent)?.into_iter().enumerate() {
        accepted.sent.push(sent_command(item, &format!("sent[{n}]"))?);
    }
    Ok(BehaviourDecision::Accepted(accepted))
}

/// The items of an array, if it is there.
fn array(json: Option<&str>) -> Result<Vec<&str>, Fault> {
    items(json.unwrap_or("[]")).map_err(|_| unreadable())
}

fn events(text: &str) -> Result<Vec<NewEvent>, Fault> {
    parse_events(text)
        .map_err(|error| Fault { field: error.field(), ..Fault::new(error.code(), error.to_string()) })
}

/// A timer that is set. Without a command, the timer is cancelled.
fn timer(json: &str, place: &str) -> Result<TimerChange, Fault> {
    let [key, at, command] = members(json, ["key", "at", "command"]).ok_or_else(unreadable)?;
    let key = PendingKey::timer(&text(key)?).map_err(|error| wrong(format!("the key of a timer {error}")))?;
    let Some(command) = command else { return Ok(TimerChange::Cancel(key)) };
    let at = at.and_then(|at| at.parse().ok()).ok_or_else(unreadable)?;
    Ok(TimerChange::Set { key, at: RecordedTime::from_millis(at), command: command_of(command, place)? })
}

fn sent_command(json: &str, place: &str) -> Result<SentCommand, Fault> {
    let [name, stream, command] = members(json, ["name", "stream", "command"]).ok_or_else(unreadable)?;
    let name = text(name)?;
    PendingKey::timer(&name).map_err(|error| wrong(format!("the name of a sent command {error}")))?;
    let stream = StreamId::new(&text(stream)?).map_err(|error| wrong(error.to_string()))?;
    Ok(SentCommand { name: name.into(), stream, command: command_of(command.unwrap_or_default(), place)? })
}

fn text(json: Option<&str>) -> Result<Cow<'_, str>, Fault> {
    json.and_then(string_text).ok_or_else(unreadable)
}

/// The command of a timer or of a sent command. `place` names it in errors.
fn command_of(json: &str, place: &str) -> Result<Command, Fault> {
    parse_command(json).map_err(|failure| {
        let field = format!("{place}.command.{}", failure.field.as_deref().unwrap_or("type"));
        Fault { field: Some(field.clone()), ..wrong(format!("`{field}` is wrong: {}", failure.detail)) }
    })
}

fn unreadable() -> Fault {
    wrong("the decision cannot be read".to_owned())
}

fn wrong(detail: String) -> Fault {
    Fault::new(ErrorCode::DeciderFailed, detail)
}
