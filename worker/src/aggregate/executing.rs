//! Commands and states: the requests that the code of the aggregate answers.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;
use sillok::gateway::{AggregateEffect, StateAt};
use sillok::handler::Command;
use sillok::store::{IdempotencyKey, JsonText, KeyOrigin, RecordedTime, Version, json_string, members};
use sillok::{ErrorCode, handler::Behaviour};
use sillok_bridge::{
    ExecutedJson, Failure, JsBehaviour, ScriptedBehaviour, StateJson, fresh_id, now, parse_command,
    parse_expected_version,
};
use wasm_bindgen::prelude::*;
use worker::console_error;

use super::carrying_out::Answer;
use super::requests::refuse_causation;
use super::{ExecuteRequest, Inner, StateRequest};
use crate::objects::{Call, Driven, Receipt, forgotten, partitions, pause, spawn};

/// The member of metadata that continues a trace.
const TRACE: &str = "traceparent";

/// The code of the object's aggregate. JavaScript passes it.
#[derive(Debug, Default)]
pub(super) struct Code(RefCell<Option<Given>>);

#[derive(Debug)]
struct Given {
    /// Makes the code with a state of its own.
    make: Function,
    script: JsBehaviour,
    /// Whether everyone who may append can append events directly.
    is_open: bool,
}

impl Code {
    /// Whether this category has an aggregate.
    pub(super) fn is_given(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Whether direct appends need the scope `admin`.
    pub(super) fn is_closed(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|given| !given.is_open)
    }

    /// Checks the events of a direct append by their schemas. Returns their schema versions, or nothing if there is no
    /// aggregate.
    pub(super) fn check(&self, events: &str) -> Result<Option<Vec<u32>>, Failure> {
        let given = self.0.borrow();
        given
            .as_ref()
            .map(|given| ScriptedBehaviour::check(&given.script, events))
            .transpose()
            .map_err(Failure::from)
    }

    /// The code with a state of its own.
    fn another(&self) -> Result<Option<Box<dyn Behaviour>>, Failure> {
        let given = self.0.borrow();
        let Some(given) = given.as_ref() else { return Ok(None) };
        let made = given.make.call0(&JsValue::UNDEFINED).map_err(|error| {
            console_error!("the code of the aggregate could not be made: {error:?}");
            Failure::new(ErrorCode::Internal, "the code of the aggregate could not be made")
        })?;
        Ok(Some(Box::new(ScriptedBehaviour::new(made.unchecked_into()))))
    }
}

impl Inner {
    /// Takes the code of the aggregate.
    pub(super) fn behaved_by(&self, make: Function, is_open: bool) -> Result<(), JsValue> {
        let script: JsBehaviour = make.call0(&JsValue::UNDEFINED)?.unchecked_into();
        if let Some(named) = &self.named {
            named.driver.borrow_mut().behave(Box::new(ScriptedBehaviour::new(script.clone())));
        }
        self.code.0.replace(Some(Given { make, script, is_open }));
        Ok(())
    }

    /// Whether a command with this id has a remembered outcome.
    pub(super) fn remembers(&self, id: &str) -> Result<bool, Failure> {
        let id = IdempotencyKey::of(KeyOrigin::Client, id)?;
        Ok(self.named()?.driver.borrow().remembers(&id, now())?)
    }

    pub(super) async fn execute(
        self: Rc<Self>,
        request: ExecuteRequest,
    ) -> (Result<ExecutedJson, Failure>, Receipt) {
        let call = self.calls.open();
        let mut fresh_id = || fresh_id(now());
        let given = partitions(&self.env).and_then(|_| command_of(request)).and_then(|command| {
            // This turn is the gate that makes the decision atomic: nothing is awaited while the store is borrowed.
            self.drive(|driver, turn| driver.execute(turn, call.id(), command, &mut fresh_id))
        });
        let (answer, receipt) = self.answer_of(given, call).await;
        let executed = answer.and_then(|answer| match answer {
            Answer::Executed(Ok(executed)) => Ok(ExecutedJson::new(&executed)?),
            Answer::Executed(Err(error)) => Err(error.into()),
            _ => Err(forgotten()),
        });
        (executed, receipt)
    }

    pub(super) async fn state(
        self: Rc<Self>,
        StateRequest { stream, version, time }: StateRequest,
    ) -> (Result<StateJson, Failure>, Receipt) {
        let call = self.calls.open();
        let at = version.map(|version| StateAt::Version(Version::new(version).unwrap_or(Version::MAX)));
        let at = at.or_else(|| time.map(|time| StateAt::Time(RecordedTime::from_millis(time))));
        let another = if at.is_some() { self.code.another() } else { Ok(None) };
        let given = another.and_then(|another| {
            self.drive(|driver, turn| match (another, at) {
                (Some(code), Some(at)) => driver.load_at(turn, call.id(), code, at),
                _ => driver.load(turn, call.id()),
            })
        });
        let (answer, receipt) = self.answer_of(given, call).await;
        let state = answer.and_then(|answer| match answer {
            Answer::Loaded(Ok((version, state))) => Ok(StateJson::new(&stream, version, &state)),
            Answer::Loaded(Err(error)) => Err(error.into()),
            _ => Err(forgotten()),
        });
        (state, receipt)
    }

    /// Works for the first command that waits, after other requests had their turn.
    pub(super) fn decide_later(self: &Rc<Self>) {
        let inner = Rc::clone(self);
        spawn(async move {
            pause(0).await;
            let mut fresh_id = || fresh_id(now());
            if let Err(failure) = inner.drive(|driver, turn| driver.decide(turn, &mut fresh_id)) {
                console_error!("an object could not continue: {failure}");
            }
        });
    }

    /// Waits for the driver's answer to a call.
    pub(super) async fn answer_of(
        &self,
        given: Result<(), Failure>,
        call: Call<'_, Answer>,
    ) -> (Result<Answer, Failure>, Receipt) {
        if let Err(failure) = given {
            return (Err(failure), self.meter.take());
        }
        match call.answer().await {
            Some((answer, receipt)) => (Ok(answer), receipt),
            None => (Err(forgotten()), Receipt::default()),
        }
    }
}

/// Carries out the effects that answer commands. Returns any other effect.
pub(super) fn carry_out(inner: &Rc<Inner>, effect: AggregateEffect) -> Option<AggregateEffect> {
    match effect {
        AggregateEffect::Decide => inner.decide_later(),
        AggregateEffect::Executed { call, outcome } => inner.calls.answer(call, Answer::Executed(outcome)),
        AggregateEffect::Loaded { call, outcome } => inner.calls.answer(call, Answer::Loaded(outcome)),
        effect => return Some(effect),
    }
    None
}

fn command_of(request: ExecuteRequest) -> Result<Command, Failure> {
    let mut command =
        parse_command(&request.command)?.expecting(parse_expected_version(&request.expected_version)?);
    if !request.admin {
        refuse_causation(command.metadata(), || "metadata.causationId".to_owned())?;
    }
    if let Some(trace) = &request.traceparent {
        command = traced(command, trace);
    }
    if let Some(prepared) = &request.prepared {
        let malformed = |error| Failure::new(ErrorCode::MalformedJson, format!("the text {error}"));
        command = command.prepared(JsonText::parse(prepared).map_err(malformed)?);
    }
    command.id = request.id.as_deref().map(|id| IdempotencyKey::of(KeyOrigin::Client, id)).transpose()?;
    command.dry_run = request.dry_run;
    Ok(command)
}

/// The command within a trace, unless its metadata name one or have no room for it.
fn traced(command: Command, trace: &str) -> Command {
    let metadata = command.metadata().as_str();
    if members(metadata, [TRACE]).is_none_or(|[given]| given.is_some()) {
        return command;
    }
    let open = metadata.strip_suffix('}').unwrap_or(metadata).trim_end();
    let separator = if open == "{" { "" } else { "," };
    let metadata = [open, separator, "\"", TRACE, "\":", &json_string(trace), "}"].concat();
    let metadata = JsonText::parse(&metadata).ok();
    metadata.and_then(|metadata| command.clone().with_metadata(metadata).ok()).unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(metadata: &str) -> Command {
        let command = Command::new("Open", JsonText::null()).unwrap();
        command.with_metadata(JsonText::parse(metadata).unwrap()).unwrap()
    }

    #[test]
    fn a_trace_becomes_a_member_of_the_metadata() {
        for (given, metadata) in [
            ("{}", r#"{"traceparent":"t"}"#),
            (r#"{"a":1 }"#, r#"{"a":1,"traceparent":"t"}"#),
            (r#"{"traceparent":"own"}"#, r#"{"traceparent":"own"}"#),
            (r#"{"trace\u0070arent":null}"#, r#"{"trace\u0070arent":null}"#),
        ] {
            assert_eq!(traced(command(given), "t").metadata().as_str(), metadata);
        }
        let full = format!("{{\"a\":\"{}\"}}", "a".repeat(16 * 1024 - 8));
        assert_eq!(traced(command(&full), "t").metadata().as_str(), full);
    }
}
