//! The decision about an input of a process that its code does not decide, for tests of processes.

use sillok::ErrorCode;
use sillok::gateway::{CommandError, Commands, Step};
use sillok::handler::{
    Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault, Input,
};
use sillok::store::{
    Append, EventId, EventStore, EventView, JsonText, MemoryLog, NewEvent, RecordedTime, StorageError,
    StreamId,
};
use sillok_bridge::Failure;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::log::Log;
use crate::thrown::thrown;

/// The type of the only event, and of the input.
const NAME: &str = "Any";

/// The decision of the machine of commands about an input before the start or after the end of a process, as JSON: `[]` if
/// nothing happens, or a rejection. Returns undefined if the code of the process decides. `input` is `command`, `start` for an
/// event that may start an instance, `event` for another one, or `answer`. `begun` says whether the instance has an event.
///
/// # Errors
/// A [`Failure`].
#[wasm_bindgen(js_name = lateInput)]
pub fn late_input(input: &str, begun: bool, ended: bool) -> Result<Option<String>, JsValue> {
    decided(input, begun, ended).map_err(thrown)
}

fn decided(input: &str, begun: bool, ended: bool) -> Result<Option<String>, Failure> {
    let input = match input {
        "command" => Input::Command,
        "answer" => Input::Answer,
        event => Input::Event { starts: event == "start" },
    };
    let invalid = |error: &dyn std::fmt::Display| Failure::new(ErrorCode::Internal, error.to_string());
    let stream = StreamId::new(NAME).map_err(|error| invalid(&error))?;
    let mut store = EventStore::new(Log::Memory(MemoryLog::new()));
    if begun {
        let event = NewEvent::new(NAME, JsonText::null()).map_err(|error| invalid(&error))?;
        let append = Append::to(stream.clone(), vec![event]);
        store.append(append, RecordedTime::default(), &mut EventId::default)?;
    }
    let command = Command::new(NAME, JsonText::null()).map_err(|error| invalid(&error))?.as_input(input);
    let mut machine = Commands::new(Box::new(Undecided { ended }));
    match machine.execute(&mut store, &stream, &command, RecordedTime::default(), &mut EventId::default) {
        Ok(Step::Done(executed)) => {
            let rejection = executed.rejection().map(|rejection| rejection.as_str().to_owned());
            Ok(Some(rejection.unwrap_or_else(|| "[]".to_owned())))
        }
        Ok(Step::More) => Err(StorageError::failed("there is more than one page").into()),
        // The machine has asked the code.
        Err(CommandError::Code(fault)) if fault.code == ErrorCode::DeciderFailed => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The code of a process that decides nothing: it fails.
struct Undecided {
    ended: bool,
}

impl Behaviour for Undecided {
    fn code(&self) -> String {
        String::new()
    }

    fn settings(&self) -> BehaviourSettings {
        BehaviourSettings { may_end: true, ..BehaviourSettings::default() }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn restore(&mut self, _: &JsonText) -> Result<bool, Fault> {
        Ok(false)
    }

    fn fold(&mut self, _: &EventView<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn decide(&mut self, _: &Command, _: &DecideContext) -> Result<BehaviourDecision, Fault> {
        Err(Fault::new(ErrorCode::DeciderFailed, ""))
    }

    fn is_ended(&mut self) -> Result<bool, Fault> {
        Ok(self.ended)
    }

    fn advance(&mut self) {}

    fn clear(&mut self) {}

    fn state(&mut self) -> Result<JsonText, Fault> {
        Ok(JsonText::null())
    }
}
