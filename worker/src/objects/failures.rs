//! Reports failed attempts to the composition in TypeScript, which logs them and calls `onFailure`.

use js_sys::{Function, Reflect, Symbol};
use sillok::store::Tenant;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Env, console_error};

/// The description of the symbol under which the environment of an object has the function, the same as in TypeScript.
const SYMBOL: &str = "sillok.failed";

/// Reports a failed attempt, given as JSON. `consumer` is the name of the consumer, if it is the attempt of one.
pub(crate) fn report(env: &Env, failure: &str, tenant: Option<&Tenant>, consumer: Option<&str>) {
    let failed = Reflect::get(env, &Symbol::for_(SYMBOL)).unwrap_or_default();
    let text = |text: Option<&str>| text.map(JsValue::from_str).unwrap_or_default();
    let (tenant, consumer) = (text(tenant.map(Tenant::as_str)), text(consumer));
    let reported = failed
        .dyn_ref::<Function>()
        .and_then(|failed| failed.call3(&JsValue::UNDEFINED, &failure.into(), &tenant, &consumer).ok());
    if reported.is_none() {
        console_error!("an attempt has failed: {failure}");
    }
}
