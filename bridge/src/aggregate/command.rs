//! Commands, read from JSON.

use sillok::ErrorCode;
use sillok::handler::Command;
use sillok::store::{JsonText, members, only_members, string_text};

use crate::failure::Failure;

/// The members of a command.
const MEMBERS: [&str; 3] = ["type", "data", "metadata"];

/// Reads a text as one JSON value.
///
/// # Errors
/// `malformed_json`, with the place of the mistake.
pub fn parse_json(text: &str) -> Result<JsonText, Failure> {
    JsonText::parse(text).map_err(|error| Failure::new(ErrorCode::MalformedJson, format!("the text {error}")))
}

/// Reads a command: `{"type","data","metadata"}`, where data and metadata may be left out.
///
/// # Errors
/// `malformed_json`, or `invalid_command` with the name of the wrong field.
pub fn parse_command(text: &str) -> Result<Command, Failure> {
    let json = parse_json(text)?;
    let invalid = |field: &str, detail: &str| {
        Failure::new(ErrorCode::InvalidCommand, format!("`{field}` {detail}")).in_field(field)
    };
    let [name, data, metadata] = only_members(json.as_str(), MEMBERS).map_err(|other| match other {
        Some(other) => {
            invalid(&other, "is not a field of a command; a command has `type`, `data` and `metadata`")
        }
        None => invalid("command", "must be a JSON object with `type`, `data` and `metadata`"),
    })?;
    let name = name.and_then(string_text);
    let name = name.ok_or_else(|| invalid("type", "must be the type of the command, a string"))?;
    let data = data.map_or_else(|| Ok(JsonText::null()), JsonText::parse);
    let data = data.map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()))?;
    let command = Command::new(&name, data).map_err(Failure::from)?;
    match metadata.map(JsonText::parse).transpose() {
        Ok(Some(metadata)) => Ok(command.with_metadata(metadata)?),
        Ok(None) => Ok(command),
        Err(error) => Err(Failure::new(ErrorCode::MalformedJson, error.to_string())),
    }
}

/// Reads an event as in a feed, as the input of a process. `starts` says whether it may start an instance.
///
/// # Errors
/// `malformed_json`, `invalid_event` or `invalid_command`.
pub fn event_input(event: &str, starts: bool) -> Result<Command, Failure> {
    let event = parse_json(event)?;
    let name = members(event.as_str(), ["type"]).and_then(|[name]| Some(string_text(name?)?.into_owned()));
    let name = name.ok_or_else(|| Failure::new(ErrorCode::InvalidEvent, "the event has no type"))?;
    Ok(Command::of_event(&name, event, starts)?)
}
