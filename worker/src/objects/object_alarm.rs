//! The core's alarm over the alarm of a Durable Object.

use std::rc::Rc;

use js_sys::Promise;
use sillok::gateway::Alarm;
use sillok::store::{RecordedTime, StorageError};
use sillok_bridge::Failure;
use wasm_bindgen::prelude::*;
use worker::{Response, State, Storage};

use super::receipt::{Meter, Receipt};

/// The alarm of one Durable Object.
#[derive(Debug)]
pub(crate) struct ObjectAlarm {
    storage: AlarmStorage,
    meter: Rc<Meter>,
}

#[wasm_bindgen]
extern "C" {
    /// The part of an object's storage that sets the alarm without an await.
    #[derive(Debug)]
    type AlarmStorage;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &AlarmStorage, millis: f64) -> Result<Promise, JsValue>;
}

impl ObjectAlarm {
    /// The alarm of an object's storage. `meter` adds up the price of setting it.
    pub(crate) fn new(storage: &Storage, meter: Rc<Meter>) -> Self {
        let raw: JsValue = AsRef::<JsValue>::as_ref(storage.as_raw()).clone();
        Self { storage: raw.unchecked_into(), meter }
    }
}

impl Alarm for ObjectAlarm {
    /// The promise is not awaited. The alarm is set in this turn, and becomes durable with the rows of this turn.
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        let millis = at.as_millis() as f64;
        // If the promise fails, the runtime ends the object, and nothing that this turn has written becomes durable.
        let _: Promise = self.storage.set_alarm(millis).map_err(failure)?;
        self.meter.add_receipt(Receipt { rows_written: 1, ..Receipt::default() });
        Ok(())
    }
}

// `map_err` passes the error by value.
#[allow(clippy::needless_pass_by_value)]
fn failure(error: JsValue) -> StorageError {
    StorageError::failed(format!("{error:?}"))
}

/// The time for which the object's alarm is set.
pub(crate) async fn armed(state: &State) -> Option<RecordedTime> {
    let millis = state.storage().get_alarm().await.ok().flatten()?;
    u64::try_from(millis).ok().map(RecordedTime::from_millis)
}

/// The answer of an alarm's handler. If the work could be neither done nor put off, the runtime must ring the alarm again.
pub(crate) fn rang(done: Result<(), Failure>) -> worker::Result<Response> {
    match done {
        Ok(()) => Response::empty(),
        Err(failure) => Err(worker::Error::RustError(failure.to_string())),
    }
}
