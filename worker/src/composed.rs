//! The part of the composition in `worker/composition.ts` that a request needs.
//!
//! It is a member of the environment under a symbol. No variable, binding or header of a deployment has a symbol as its name. So
//! only the code of the Worker itself can pass it.

use js_sys::{Function, Reflect, Symbol};
use sillok_bridge::{field, part};
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

    /// Shows the events of a page in the newest schema versions of the aggregates in JavaScript. The error is a failure in
    /// JavaScript.
    pub(crate) fn newest_events(&self, page: String) -> Result<String, JsValue> {
        if self.0.is_undefined() {
            return Ok(page);
        }
        let newest: Function = part(&self.0, "newestEvents")?.unchecked_into();
        let shown = newest.call1(&JsValue::UNDEFINED, &page.into())?;
        shown.as_string().ok_or(shown)
    }

    /// The tenant for which the Worker's own code calls. The outer value is `None` for the request of another caller.
    pub(crate) fn own_tenant(&self) -> Option<Option<String>> {
        let own = if self.0.is_undefined() { None } else { part(&self.0, "own").ok() }?;
        if own.is_object() { field(&own, "tenant") } else { None }
    }
}
