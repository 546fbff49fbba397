//! How objects are spoken to: a method takes one plain object and gives another, `{ok, receipt}` or, for a refusal,
//! `{failure, receipt}`. A method throws only where the runtime or the code is broken, or where the request cannot be read.
//!
//! The two sides of a call may run two versions of the code. A message that one side cannot read, and a method that the object
//! does not have, are [`RemoteError::Unavailable`]: the call can succeed once both sides run one version (docs/adr/0024).

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use js_sys::{Array, Function, Promise, Reflect, TypeError};
use sillok::ErrorCode;
use sillok_bridge::{Failure, Message, field, object, part};
use thiserror::Error;
use wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use worker::{Env, console_error};

use super::name::{Identity, ObjectName};
use super::nudges::Nudges;
use super::receipt::{Meter, Receipt};

/// One call that awaits nothing: its request from JavaScript, its reply and what it has cost to JavaScript.
pub(crate) fn turn<Q: Message, A: Message>(
    meter: &Meter,
    request: JsValue,
    act: impl FnOnce(Q) -> Result<A, Failure>,
) -> Result<JsValue, JsValue> {
    let outcome = act(read(&request)?);
    Ok(reply(outcome_field(&outcome), meter.take()))
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
        Ok(reply(outcome_field(&outcome), receipt))
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
fn outcome_field<A: Message>(outcome: &Result<A, Failure>) -> (&'static str, JsValue) {
    match outcome {
        Ok(answer) => ("ok", answer.to_js()),
        Err(failure) => ("failure", failure.to_js()),
    }
}

fn reply(outcome: (&'static str, JsValue), receipt: Receipt) -> JsValue {
    object(&[outcome, ("receipt", receipt.to_js())])
}

fn read<T: Message>(value: &JsValue) -> Result<T, JsValue> {
    T::from_js(value).ok_or_else(unreadable)
}

/// What is thrown where a message cannot be read. The flag is the runtime's own for a call that may be repeated, and callers
/// of every version know it.
fn unreadable() -> JsValue {
    let error = TypeError::new(UNREADABLE);
    // An object that was just made takes any field.
    let _ = Reflect::set(&error, &"retryable".into(), &JsValue::TRUE);
    error.into()
}

/// The text of that. Objects of earlier versions throw it without the flag.
const UNREADABLE: &str = "the message has another shape";
/// What the runtime says where the class of an object does not have a method.
const UNKNOWN_METHOD: &str = "does not implement the method";

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
    /// The object could not be reached, or not to the end, or it runs another version of the code, which does not know the
    /// method or the shape of the message. Another attempt may succeed.
    #[error("the object could not be reached")]
    Unavailable,
    /// The call failed for good.
    #[error("the call failed")]
    Broken,
}

impl Remote {
    /// The object of this name. There is no other way to an object, and no way to a name but by what was checked.
    pub(crate) fn find<K: Identity>(env: &Env, name: &ObjectName<K>) -> worker::Result<Self> {
        Ok(Self(env.durable_object(K::BINDING)?.get_by_name(&name.to_string())?.into_rpc()))
    }

    /// Calls a method of the object.
    pub(crate) async fn call<Q: Message, A: Message>(
        &self,
        method: &'static str,
        request: &Q,
    ) -> Answered<A> {
        let (answer, receipt) = self.exchange(method, request.to_js()).await?;
        let answer = read(&answer).map_err(|error| RemoteError::thrown(method, &error))?;
        Ok((answer, receipt))
    }

    /// A call whose request and answer are still JavaScript's. It is boxed, because it would otherwise be a part of
    /// every future that makes a call.
    fn exchange(&self, method: &'static str, request: JsValue) -> Pending<'_, Answered<JsValue>> {
        Box::pin(async move {
            let reply = self.send(method, Array::of1(&request)).await?;
            let receipt = field(&reply, "receipt").unwrap_or_default();
            match field(&reply, "failure") {
                Some(Some(failure)) => Err(RemoteError::Refused(failure, Box::new(receipt))),
                Some(None) => Ok((part(&reply, "ok").unwrap_or_default(), receipt)),
                // The reply is no object, or its failure cannot be read: it must not be taken for a success.
                None => Err(RemoteError::thrown(method, &unreadable())),
            }
        })
    }

    /// Opens a WebSocket to the object, by which it tells that there is more.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        let init = object(&[("headers", object(&[("Upgrade", "websocket".into())]))]);
        // The object looks at nothing of the URL, but a request must have one.
        let response = self.send("fetch", Array::of2(&"https://object/".into(), &init)).await?;
        Nudges::of(&response).map_err(|error| RemoteError::thrown("fetch", &error))
    }

    fn send(&self, method: &'static str, arguments: Array) -> Pending<'_, Result<JsValue, RemoteError>> {
        Box::pin(async move {
            let sent = async {
                let method: Function = part(&self.0, method)?.unchecked_into();
                let promise = Reflect::apply(&method, &self.0, &arguments)?;
                JsFuture::from(Promise::resolve(&promise)).await
            };
            sent.await.map_err(|error| RemoteError::thrown(method, &error))
        })
    }
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

impl RemoteError {
    /// What a call of a method has thrown. The caller is told only the kind of it: the rest is for the operator's log.
    fn thrown(method: &str, error: &JsValue) -> Self {
        console_error!("the call of `{method}` failed: {error:?}");
        let has = |name| part(error, name).is_ok_and(|flag| flag.is_truthy());
        if has("overloaded") {
            Self::Overloaded
        } else if has("retryable") || is_of_another_version(error) {
            Self::Unavailable
        } else {
            Self::Broken
        }
    }

    /// A part of an answer that cannot be read, such as a checkpoint: the object may run another version of the code.
    pub(crate) fn unreadable(what: &str) -> Self {
        console_error!("{what} has another shape than this version reads");
        Self::Unavailable
    }

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

/// Whether the object has thrown this because it runs another version of the code.
fn is_of_another_version(error: &JsValue) -> bool {
    let message: Option<String> = field(error, "message");
    message.is_some_and(|message| [UNREADABLE, UNKNOWN_METHOD].iter().any(|text| message.contains(text)))
}
