//! Commands and states of aggregates, whose code is JavaScript.

use std::cell::RefCell;

use sillok::ErrorCode;
use sillok::gateway::{Commands as CommandsMachine, StateAt, StateLoad as StateLoadMachine, Step};
use sillok::handler::Command;
use sillok::store::{EventStore, IdempotencyKey, JsonText, MalformedJson, RecordedTime, StreamId, Version};
use sillok_bridge::{
    ExecutedJson, Failure, JsBehaviour, Message, ScriptedBehaviour, expected_version_from_js, fresh_id,
    idempotency_key_from_js, number_from_js, parse_command, stream_id_from_js,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::log::Log;
use crate::store::{Store, in_use};
use crate::thrown::thrown;

/// The commands of one stream, with the code of its aggregate and its state.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Commands {
    stream: StreamId,
    machine: RefCell<CommandsMachine>,
}

#[wasm_bindgen]
impl Commands {
    /// The commands of this stream, by this code.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(constructor)]
    pub fn new(stream: &JsValue, behaviour: JsBehaviour) -> Result<Commands, JsValue> {
        let stream = stream_id_from_js(stream).map_err(thrown)?;
        let machine = CommandsMachine::new(Box::new(ScriptedBehaviour::new(behaviour)));
        Ok(Self { stream, machine: RefCell::new(machine) })
    }

    /// Executes a command, given as JSON. Returns its outcome, or undefined if there is more of the state to load. `expected` is a
    /// number, one of the words of `ExpectedVersion`, or undefined for `any`. `id` is a text or undefined. `prepared` is the data
    /// with what was looked up for the command, as JSON.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn execute(
        &self,
        store: &Store,
        command: &str,
        expected: &JsValue,
        id: &JsValue,
        prepared: Option<String>,
    ) -> Result<JsValue, JsValue> {
        self.try_execute(store, command, expected, id, prepared).map_err(thrown)
    }

    /// Loads the next page of the present state. Returns the version of the state, or undefined if there is more to load.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn load(&self, store: &Store) -> Result<JsValue, JsValue> {
        self.work(store, |machine, store| machine.load(store, &self.stream)).map(stepped).map_err(thrown)
    }
}

impl Commands {
    fn try_execute(
        &self,
        store: &Store,
        command: &str,
        expected: &JsValue,
        id: &JsValue,
        prepared: Option<String>,
    ) -> Result<JsValue, Failure> {
        let mut command = command_of(command, prepared)?.expecting(expected_version_from_js(expected)?);
        command.id = command_id(id)?;
        self.run(store, &command)
    }

    /// Executes a command.
    pub(crate) fn run(&self, store: &Store, command: &Command) -> Result<JsValue, Failure> {
        let now = store.now();
        let mut fresh_id = || fresh_id(now);
        let stepped = self.work(store, |machine, store| {
            machine.execute(store, &self.stream, command, now, &mut fresh_id)
        })?;
        match stepped {
            Step::Done(executed) => Ok(ExecutedJson::new(&executed)?.to_js()),
            Step::More => Ok(JsValue::UNDEFINED),
        }
    }

    pub(crate) fn stream(&self) -> &StreamId {
        &self.stream
    }

    pub(crate) fn work<T, E>(
        &self,
        store: &Store,
        work: impl FnOnce(&mut CommandsMachine, &mut EventStore<Log>) -> Result<T, E>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let mut machine = self.machine.try_borrow_mut().map_err(|_| in_use())?;
        store.writing(|store| work(&mut machine, store))
    }
}

/// The state of a stream at an earlier version or time, while it is loaded.
#[wasm_bindgen]
#[derive(Debug)]
pub struct StateLoad {
    stream: StreamId,
    machine: RefCell<StateLoadMachine>,
}

#[wasm_bindgen]
impl StateLoad {
    /// The state of this stream by this code, at a version, or at a time in milliseconds if there is no version.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        stream: &JsValue,
        behaviour: JsBehaviour,
        version: &JsValue,
        time: &JsValue,
    ) -> Result<StateLoad, JsValue> {
        Self::try_new(stream, behaviour, version, time).map_err(thrown)
    }

    /// Loads the next page. Returns the version of the state, or undefined if there is more to load.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn load(&self, store: &Store) -> Result<JsValue, JsValue> {
        let mut machine = self.machine.try_borrow_mut().map_err(|_| thrown(in_use()))?;
        let loaded = store.reading(|store| machine.load(store, &self.stream));
        loaded.map(stepped).map_err(thrown)
    }
}

impl StateLoad {
    fn try_new(
        stream: &JsValue,
        behaviour: JsBehaviour,
        version: &JsValue,
        time: &JsValue,
    ) -> Result<Self, Failure> {
        let stream = stream_id_from_js(stream)?;
        let at = if version.is_undefined() {
            StateAt::Time(RecordedTime::from_millis(number_from_js(time, "time")?))
        } else {
            StateAt::Version(Version::new(number_from_js(version, "version")?).unwrap_or(Version::MAX))
        };
        let machine = StateLoadMachine::new(Box::new(ScriptedBehaviour::new(behaviour)), at);
        Ok(Self { stream, machine: RefCell::new(machine) })
    }
}

fn stepped(step: Step<Version>) -> JsValue {
    match step {
        Step::Done(version) => version.get().to_js(),
        Step::More => JsValue::UNDEFINED,
    }
}

/// Reads a command from JSON. `prepared` is its data with what was looked up, as JSON.
pub(crate) fn command_of(command: &str, prepared: Option<String>) -> Result<Command, Failure> {
    let command = parse_command(command)?;
    let Some(prepared) = prepared else { return Ok(command) };
    let malformed = |error: MalformedJson| Failure::new(ErrorCode::MalformedJson, error.to_string());
    Ok(command.prepared(JsonText::parse(&prepared).map_err(malformed)?))
}

fn command_id(id: &JsValue) -> Result<Option<IdempotencyKey>, Failure> {
    idempotency_key_from_js(id).map_err(|failure| failure.in_field("commandId"))
}
