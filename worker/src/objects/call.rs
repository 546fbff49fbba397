//! How objects are spoken to: a method takes one plain object and gives another, `{ok, receipt}` or, for a refusal,
//! `{failure, receipt}`. Only a broken caller or a broken runtime makes a method throw.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use js_sys::{Array, Function, Promise, Reflect, TypeError};
use sillok::ErrorCode;
use sillok_bridge::{Failure, Message, field, object, part};
use thiserror::Error;
use wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use worker::{Env, console_error};

use super::name::{Kept, ObjectName};
use super::nudges::Nudges;
use super::receipt::{Meter, Receipt};

/// One call that awaits nothing: its request from JavaScript, its reply and what it has cost to JavaScript.
pub(crate) fn turn<Q: Message, A: Message>(
    meter: &Meter,
    request: JsValue,
    act: impl FnOnce(Q) -> Result<A, Failure>,
) -> Result<JsValue, JsValue> {
    let outcome = act(read(&request)?);
    Ok(reply(told(&outcome), meter.take()))
}

/// One call that takes more than a turn. What it has cost it tells itself, because others have their turns meanwhile.
pub(crate) fn promised<Q: Message, A: Message, F>(
    request: JsValue,
    act: impl FnOnce(Q) -> F + 'static,
) -> Promise
where
    F: Future<Output = (Result<A, Failure>, Receipt)>,
{
    promise(async move {
        let (outcome, receipt) = act(read(&request)?).await;
        Ok(reply(told(&outcome), receipt))
    })
}

/// What JavaScript waits for. It is boxed, so that the code around a promise is compiled once, whatever is promised.
pub(crate) fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    let work: Pin<Box<dyn Future<Output = _>>> = Box::pin(work);
    future_to_promise(AssertUnwindSafe(work))
}

/// Runs what nobody waits for, boxed like a [`promise`].
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    spawn_local(work);
}

/// An outcome as the field of a reply.
fn told<A: Message>(outcome: &Result<A, Failure>) -> (&'static str, JsValue) {
    match outcome {
        Ok(answer) => ("ok", answer.to_js()),
        Err(failure) => ("failure", failure.to_js()),
    }
}

fn reply(outcome: (&'static str, JsValue), receipt: Receipt) -> JsValue {
    object(&[outcome, ("receipt", receipt.to_js())])
}

fn read<T: Message>(value: &JsValue) -> Result<T, JsValue> {
    T::from_js(value).ok_or_else(|| TypeError::new("the message has another shape").into())
}

/// An object somewhere else: its stub, with the methods of the entry class.
#[derive(Debug)]
pub(crate) struct Remote(JsValue);

/// What a call came back with, and what it has cost.
pub(crate) type Answered<T> = Result<(T, Receipt), RemoteError>;

/// Why a call came back without an answer.
#[derive(Debug, Error)]
pub(crate) enum RemoteError {
    /// The object refused, at this cost, which is boxed because an error is a part of what every call comes back with.
    #[error("{0}")]
    Refused(Failure, Box<Receipt>),
    /// The object has more to do than it can; it did not begin with this call.
    #[error("the object is overloaded")]
    Overloaded,
    /// The object could not be reached, or not to the end; another attempt may reach it.
    #[error("the object could not be reached")]
    Unavailable,
    /// The call failed for good.
    #[error("the call failed")]
    Broken,
}

impl Remote {
    /// The object of this name. There is no other way to an object, and no way to a name but by what was checked.
    pub(crate) fn find<K: Kept>(env: &Env, name: &ObjectName<K>) -> worker::Result<Self> {
        Ok(Self(env.durable_object(K::BINDING)?.get_by_name(&name.to_string())?.into_rpc()))
    }

    /// Calls a method of the object.
    pub(crate) async fn call<Q: Message, A: Message>(
        &self,
        method: &'static str,
        request: &Q,
    ) -> Answered<A> {
        let (answer, receipt) = self.exchange(method, request.to_js()).await?;
        Ok((read(&answer)?, receipt))
    }

    /// A call whose request and answer are still JavaScript's. It is boxed, because it would otherwise be a part of
    /// every future that makes a call.
    fn exchange(&self, method: &'static str, request: JsValue) -> Pending<'_, Answered<JsValue>> {
        Box::pin(async move {
            let reply = self.send(method, Array::of1(&request)).await?;
            let receipt = field(&reply, "receipt").unwrap_or_default();
            // Asked for as what may be missing: to look for the parts of what is not there would throw.
            match field(&reply, "failure").flatten() {
                Some(failure) => Err(RemoteError::Refused(failure, Box::new(receipt))),
                None => Ok((part(&reply, "ok")?, receipt)),
            }
        })
    }

    /// Opens a WebSocket to the object, by which it tells that there is more.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        let init = object(&[("headers", object(&[("Upgrade", "websocket".into())]))]);
        // The object looks at nothing of the URL, but a request must have one.
        let response = self.send("fetch", Array::of2(&"https://object/".into(), &init)).await?;
        Ok(Nudges::of(&response)?)
    }

    fn send(&self, method: &'static str, arguments: Array) -> Pending<'_, Result<JsValue, JsValue>> {
        Box::pin(async move {
            let method: Function = part(&self.0, method)?.unchecked_into();
            let promise = Reflect::apply(&method, &self.0, &arguments)?;
            JsFuture::from(Promise::resolve(&promise)).await
        })
    }
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

impl RemoteError {
    /// What came of a call, for who has called on behalf of somebody else: what `whom` refused, or that it did not answer.
    pub(crate) fn into_failure(self, whom: &str) -> Failure {
        match self {
            Self::Refused(failure, _) => failure,
            _ => Failure::new(ErrorCode::Unavailable, format!("the {whom} did not answer; try again")),
        }
    }

    /// The same error, met after this was spent already.
    pub(crate) fn costing(self, spent: Receipt) -> Self {
        match self {
            Self::Refused(failure, receipt) => Self::Refused(failure, Box::new(spent + *receipt)),
            other => other,
        }
    }
}

impl From<JsValue> for RemoteError {
    fn from(error: JsValue) -> Self {
        // The caller is told only the kind of it: the rest is for the operator's log.
        console_error!("a call to an object failed: {error:?}");
        let has = |name| part(&error, name).is_ok_and(|flag| flag.is_truthy());
        if has("overloaded") {
            Self::Overloaded
        } else if has("retryable") {
            Self::Unavailable
        } else {
            Self::Broken
        }
    }
}
