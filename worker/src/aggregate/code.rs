//! The code of an object's aggregate, in JavaScript or in Rust.

use std::borrow::Cow;
use std::cell::RefCell;
use std::slice;

use js_sys::Function;
use sillok::ErrorCode;
use sillok::handler::{
    Behaviour, Decider, Event, Fault, Process, ProcessBehaviour, TypedBehaviour, newest_events,
};
use sillok::store::{NewEvent, StreamId};
use sillok_bridge::{Failure, JsBehaviour, ScriptedBehaviour};
use wasm_bindgen::{JsCast, JsValue};
use worker::console_error;

/// An aggregate whose code is a [`Decider`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct InRust {
    pub(crate) category: &'static str,
    /// Whether everyone who may append can append events directly.
    pub(crate) is_open: bool,
    pub(crate) state_version: u32,
    /// The types of the commands. Empty if serde does not name them.
    pub(crate) command_types: fn() -> &'static [&'static str],
    /// The types of the events. Empty if serde does not name them.
    pub(crate) event_types: fn() -> &'static [&'static str],
    /// The newest schema version of an event type.
    pub(crate) schema_version: fn(&str) -> u32,
    /// Shows the events of a page in their newest schema versions.
    pub(crate) newest_events: fn(&str) -> Result<String, Fault>,
    /// Makes the code for a stream, without a state.
    pub(crate) behave: fn(StreamId) -> Box<dyn Behaviour>,
    check: fn(&[NewEvent]) -> Result<(), Fault>,
    /// Whether the code is a process.
    pub(crate) is_process: bool,
}

impl InRust {
    pub(crate) fn of<D: Decider>() -> Self {
        Self {
            category: D::CATEGORY,
            is_open: D::OPEN_APPENDS,
            state_version: D::STATE_VERSION,
            command_types: TypedBehaviour::<D>::command_types,
            event_types: D::Event::types,
            schema_version: D::Event::schema_version,
            newest_events: |page| newest_events::<D::Event>(D::CATEGORY, page),
            behave: |stream| Box::new(TypedBehaviour::<D>::new(stream)),
            check: TypedBehaviour::<D>::check,
            is_process: false,
        }
    }

    pub(crate) fn of_process<P: Process>() -> Self {
        let behave: fn(StreamId) -> Box<dyn Behaviour> =
            |stream| Box::new(ProcessBehaviour::<P>::new(stream));
        Self { behave, is_process: true, ..Self::of::<P>() }
    }
}

/// The code of the object's aggregate, if the category of its stream has one.
#[derive(Debug, Default)]
pub(super) struct Code(RefCell<Option<Given>>);

#[derive(Debug)]
enum Given {
    JavaScript {
        /// Makes the code with a state of its own.
        make: Function,
        script: JsBehaviour,
        is_open: bool,
    },
    Rust(InRust),
}

impl Code {
    /// The code in Rust, or none: JavaScript may pass its own.
    pub(super) fn new(code: Option<InRust>) -> Self {
        Self(RefCell::new(code.map(Given::Rust)))
    }

    /// Takes the code in JavaScript, and returns it with a state.
    pub(super) fn behaved_by(&self, make: Function, is_open: bool) -> Result<Box<dyn Behaviour>, JsValue> {
        let script: JsBehaviour = make.call0(&JsValue::UNDEFINED)?.unchecked_into();
        let behaviour = Box::new(ScriptedBehaviour::new(script.clone()));
        self.0.replace(Some(Given::JavaScript { make, script, is_open }));
        Ok(behaviour)
    }

    /// Whether this category has an aggregate.
    pub(super) fn is_given(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Whether the code is Rust.
    pub(super) fn is_in_rust(&self) -> bool {
        matches!(*self.0.borrow(), Some(Given::Rust(_)))
    }

    /// Whether direct appends need the scope `admin`.
    pub(super) fn is_closed(&self) -> bool {
        match *self.0.borrow() {
            Some(Given::JavaScript { is_open, .. } | Given::Rust(InRust { is_open, .. })) => !is_open,
            None => false,
        }
    }

    /// The newest schema versions of events that are appended directly, or nothing if there is no aggregate. The schemas in
    /// JavaScript have checked `text()`, the events as a JSON array. Rust checks each event in its version.
    pub(super) fn newest<'a>(
        &self,
        events: &[NewEvent],
        text: impl FnOnce() -> Cow<'a, str>,
    ) -> Result<Option<Vec<u32>>, Failure> {
        Ok(match self.0.borrow().as_ref() {
            Some(Given::JavaScript { script, .. }) => Some(ScriptedBehaviour::check(script, &text())?),
            Some(Given::Rust(code)) => {
                let versions = events.iter().map(|event| (code.schema_version)(event.event_type().as_str()));
                Some(versions.collect())
            }
            None => None,
        })
    }

    /// Checks an event of the newest schema version, if the code is Rust.
    pub(super) fn check(&self, event: &NewEvent) -> Result<(), Fault> {
        match self.0.borrow().as_ref() {
            Some(Given::Rust(code)) => (code.check)(slice::from_ref(event)),
            _ => Ok(()),
        }
    }

    /// The code with a state of its own.
    pub(super) fn another(&self, stream: &StreamId) -> Result<Option<Box<dyn Behaviour>>, Failure> {
        match self.0.borrow().as_ref() {
            Some(Given::JavaScript { make, .. }) => {
                let made = make.call0(&JsValue::UNDEFINED).map_err(|error| {
                    console_error!("the code of the aggregate could not be made: {error:?}");
                    Failure::new(ErrorCode::Internal, "the code of the aggregate could not be made")
                })?;
                Ok(Some(Box::new(ScriptedBehaviour::new(made.unchecked_into()))))
            }
            Some(Given::Rust(code)) => Ok(Some((code.behave)(stream.clone()))),
            None => Ok(None),
        }
    }
}
