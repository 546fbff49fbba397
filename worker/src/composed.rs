//! The part of the composition in `worker/composition.ts` that a request needs.
//!
//! It is a member of the environment under a symbol. No variable, binding or header of a deployment has a symbol as its name. So
//! only the code of the Worker itself can pass it.

use js_sys::{Function, Reflect, Symbol};
use sillok::ErrorCode;
use sillok_bridge::{Failure, Message, field, part};
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

/// The description of the symbol, the same as in TypeScript.
const SYMBOL: &str = "sillok.composed";

/// The composition's part of the environment. It is undefined in a Worker without it.
#[derive(Debug)]
pub(crate) struct Composed(JsValue);

impl Composed {
    /// Reads it from the environment.
    pub(crate) fn of(env: &Env) -> Self {
        Self(Reflect::get(env, &Symbol::for_(SYMBOL)).unwrap_or_default())
    }

    /// The aggregates as JSON.
    pub(crate) fn aggregates(&self) -> Option<String> {
        if self.0.is_undefined() { None } else { field(&self.0, "aggregates") }
    }

    /// Shows the events of a page in the newest schema versions of the aggregates in JavaScript.
    pub(crate) fn newest_events(&self, page: String) -> Result<String, Failure> {
        let newest = if self.0.is_undefined() { None } else { part(&self.0, "newestEvents").ok() };
        let Some(newest) = newest.and_then(|newest| newest.dyn_into::<Function>().ok()) else {
            return Ok(page);
        };
        // It returns a failure and does not throw.
        let shown = newest.call1(&self.0, &page.into()).unwrap_or_default();
        shown.as_string().ok_or_else(|| {
            let unknown = || Failure::new(ErrorCode::DeciderFailed, "the events could not be converted");
            Failure::from_js(&shown).unwrap_or_else(unknown)
        })
    }

    /// The tenant for which the Worker's own code calls. The outer value is `None` for the request of another caller.
    pub(crate) fn own_tenant(&self) -> Option<Option<String>> {
        let own = if self.0.is_undefined() { None } else { part(&self.0, "own").ok() }?;
        if own.is_object() { field(&own, "tenant") } else { None }
    }
}
