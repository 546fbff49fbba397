//! Commands and states: the requests that the code of the aggregate answers.

use std::rc::Rc;

use js_sys::Function;
use sillok::ErrorCode;
use sillok::gateway::{AggregateEffect, CommandError};
use sillok::handler::Command;
use sillok::store::{Cause, IdempotencyKey, KeyOrigin};
use sillok_bridge::{
    ExecutedJson, Failure, SECRET_FAULT, StateJson, event_input, fresh_id, now, parse_command,
    parse_expected_version, parse_json,
};
use wasm_bindgen::JsValue;
use worker::console_error;

use super::carrying_out::Answer;
use super::requests::{cause_of, refuse_causation};
use super::{ExecuteRequest, Inner, Origin, StateRequest};
use crate::objects::{Driven, Receipt, forgotten, partitions, pause, spawn};

impl Inner {
    /// Takes the code of the aggregate in JavaScript.
    pub(super) fn behaved_by(&self, make: Function, is_open: bool) -> Result<(), JsValue> {
        let behaviour = self.code.behaved_by(make, is_open)?;
        if let Some(named) = &self.named {
            named.driver.borrow_mut().behave(behaviour);
        }
        Ok(())
    }

    /// Whether the command of a request has a remembered outcome.
    pub(super) fn remembers(&self, request: &ExecuteRequest) -> Result<bool, Failure> {
        let Some(id) = id_of(request)? else { return Ok(false) };
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
        let (answer, receipt) = call.answer_to(given, || self.driving.meter.take(), forgotten).await;
        let executed = answer.and_then(|answer| match answer {
            Answer::Executed(Ok(executed)) => Ok(ExecutedJson::new(&executed)?),
            Answer::Executed(Err(error)) => Err(self.undecided(error)),
            _ => Err(forgotten()),
        });
        (executed, receipt)
    }

    pub(super) async fn state(
        self: Rc<Self>,
        request: StateRequest,
    ) -> (Result<StateJson, Failure>, Receipt) {
        let call = self.calls.open();
        let (at, stream) = (request.at(), request.stream);
        let another = if at.is_some() { self.code.another(&stream) } else { Ok(None) };
        let given = another.and_then(|another| {
            self.drive(|driver, turn| match (another, at) {
                (Some(code), Some(at)) => driver.load_at(turn, call.id(), code, at),
                _ => driver.load(turn, call.id()),
            })
        });
        let (answer, receipt) = call.answer_to(given, || self.driving.meter.take(), forgotten).await;
        let state = answer.and_then(|answer| match answer {
            Answer::Loaded(Ok((version, state))) => Ok(StateJson::new(&stream, version, &state)),
            Answer::Loaded(Err(error)) => Err(self.undecided(error)),
            _ => Err(forgotten()),
        });
        (state, receipt)
    }

    /// The failure for callers. A message of a decider in Rust may be secret, so it goes to the log alone.
    fn undecided(&self, error: CommandError) -> Failure {
        if self.code.is_in_rust() && error.code() == ErrorCode::DeciderFailed {
            console_error!("a decider has failed: {error}");
            return Failure::new(ErrorCode::DeciderFailed, SECRET_FAULT);
        }
        error.into()
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
            // No request pays for timers and answers.
            inner.driving.meter.take();
        });
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

/// The command of a request, with its id and its cause.
pub(crate) fn command_of(request: ExecuteRequest) -> Result<Command, Failure> {
    let id = id_of(&request)?;
    let command = match request.event_starts {
        Some(starts) => event_input(&request.command, starts)?,
        None => parse_command(&request.command)?,
    };
    let mut command = command.expecting(parse_expected_version(&request.expected_version)?);
    match &request.cause {
        // A reactor is code of this deployment.
        Some(cause) => command = command.caused_by(&cause_of(cause)?)?,
        None if request.admin => {}
        None => refuse_causation(command.metadata(), || "metadata.causationId".to_owned())?,
    }
    if let Some(trace) = &request.traceparent {
        command = traced(command, trace);
    }
    if let Some(prepared) = &request.prepared {
        command = command.prepared(parse_json(prepared)?);
    }
    command.id = id;
    command.dry_run = request.dry_run;
    Ok(command)
}

/// The id of the command, if it has one. An id of a reactor is never that of another caller.
fn id_of(request: &ExecuteRequest) -> Result<Option<IdempotencyKey>, Failure> {
    let ExecuteRequest { id, origin, cause, .. } = request;
    let origin = match origin {
        Origin::Process => KeyOrigin::Process,
        Origin::Client if cause.is_some() => KeyOrigin::Reactor,
        Origin::Client => KeyOrigin::Client,
    };
    Ok(id.as_deref().map(|id| IdempotencyKey::of(origin, id)).transpose()?)
}

/// The command within a trace, unless its metadata name one or have no room for it.
fn traced(command: Command, trace: &str) -> Command {
    command.clone().caused_by(&Cause::default().traced(trace)).unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use sillok::store::JsonText;

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
