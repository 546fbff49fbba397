//! Calls between objects. A method takes one plain object and returns another: `{ok, receipt}`, or `{failure, receipt}` for a
//! refusal. A method throws only if the runtime or the code has failed, or if it cannot read the request.
//!
//! The two sides of a call may run two versions of the code. [`RemoteError::Unavailable`] means that one side cannot read a
//! message, or that the object does not have a method. The call can succeed once both sides run one version (docs/adr/0024).

use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::LocalBoxFuture;
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

/// Answers a call that awaits nothing. Converts its request from JavaScript, and its reply and price to JavaScript.
pub(crate) fn turn<Q: Message, A: Message>(
    meter: &Meter,
    request: JsValue,
    act: impl FnOnce(Q) -> Result<A, Failure>,
) -> Result<JsValue, JsValue> {
    let outcome = act(read(&request)?);
    Ok(reply(outcome_field(&outcome), meter.take()))
}

/// Answers a call that takes more than one turn. `act` returns its own price, because other calls have turns meanwhile.
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

/// Makes a promise for JavaScript. The future is boxed, so the code around a promise is compiled only once.
pub(crate) fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    let work: Pin<Box<dyn Future<Output = _>>> = Box::pin(work);
    future_to_promise(AssertUnwindSafe(work))
}

/// Runs a future that nobody awaits. It is boxed, as in [`promise`].
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    spawn_local(work);
}

/// The outcome as a field of the reply.
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

/// The exception for a message that cannot be read. The runtime has this flag for calls that may be repeated, and callers of
/// every version know it.
fn unreadable() -> JsValue {
    let error = TypeError::new("the message has another shape");
    // A new object takes any field.
    let _ = Reflect::set(&error, &"retryable".into(), &JsValue::TRUE);
    error.into()
}

/// A part of the runtime's text for a class that does not have the method.
const UNKNOWN_METHOD: &str = "does not implement the method";

/// Another object: its stub, with the methods of the entry class.
#[derive(Debug)]
pub(crate) struct Remote(JsValue);

/// The answer of a call, and its price.
pub(crate) type Answered<T> = Result<(T, Receipt), RemoteError>;

/// The reason why a call has no answer.
#[derive(Debug, Error)]
pub(crate) enum RemoteError {
    /// The object has refused the call, at this price. The price is boxed, because an error is a part of every answer.
    #[error("{0}")]
    Refused(Failure, Box<Receipt>),
    /// The object has too much work. It has not begun with this call.
    #[error("the object is overloaded")]
    Overloaded,
    /// The object was not reached, or the call was interrupted, or the object runs another version of the code that does not
    /// know the method or the shape of the message. A retry may succeed.
    #[error("the object could not be reached")]
    Unavailable,
    /// The call has failed, and a retry cannot help.
    #[error("the call failed")]
    Broken,
}

impl Remote {
    /// Finds the object of this name. There is no other way to an object, and names are made of checked names only.
    pub(crate) fn find<K: Identity>(env: &Env, name: &ObjectName<K>) -> worker::Result<Self> {
        Ok(Self(env.durable_object(K::BINDING)?.get_by_name(&name.to_string())?.into_rpc()))
    }

    /// Calls a method of the object. The request becomes a value of JavaScript at once, so the future does not contain it.
    pub(crate) fn call<A: Message>(&self, method: &'static str, request: &impl Message) -> Reply<'_, A> {
        let exchange = self.exchange(method, request.to_js());
        Reply { method, exchange, answer: PhantomData }
    }

    /// Calls a method with a request and an answer in JavaScript. It is boxed, because it would otherwise be a part of every
    /// future that makes a call.
    fn exchange(&self, method: &'static str, request: JsValue) -> LocalBoxFuture<'_, Answered<JsValue>> {
        Box::pin(async move {
            let reply = self.send(method, Array::of1(&request)).await?;
            let receipt = field(&reply, "receipt").unwrap_or_default();
            match field(&reply, "failure") {
                Some(Some(failure)) => Err(RemoteError::Refused(failure, Box::new(receipt))),
                Some(None) => Ok((part(&reply, "ok").unwrap_or_default(), receipt)),
                // The reply is not an object, or its failure cannot be read. It must not be taken for a success.
                None => Err(RemoteError::thrown(method, &unreadable())),
            }
        })
    }

    /// Opens a WebSocket to the object. The object sends over it that it has grown.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        let init = object(&[("headers", object(&[("Upgrade", "websocket".into())]))]);
        // The object ignores the URL, but a request must have one.
        let response = self.send("fetch", Array::of2(&"https://object/".into(), &init)).await?;
        Nudges::of(&response).map_err(|error| RemoteError::thrown("fetch", &error))
    }

    fn send(
        &self,
        method: &'static str,
        arguments: Array,
    ) -> LocalBoxFuture<'_, Result<JsValue, RemoteError>> {
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

/// The future answer of a call. All kinds of answers share its boxed part.
pub(crate) struct Reply<'a, A> {
    method: &'static str,
    exchange: LocalBoxFuture<'a, Answered<JsValue>>,
    answer: PhantomData<fn() -> A>,
}

impl<A: Message> Future for Reply<'_, A> {
    type Output = Answered<A>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered<A>> {
        let method = self.method;
        self.exchange.as_mut().poll(context).map(|answered| {
            let (answer, receipt) = answered?;
            let answer = read(&answer).map_err(|error| RemoteError::thrown(method, &error))?;
            Ok((answer, receipt))
        })
    }
}

impl RemoteError {
    /// Converts an exception of a method. The caller gets only its kind: the text goes to the operator's log.
    fn thrown(method: &str, error: &JsValue) -> Self {
        console_error!("the call of `{method}` failed: {error:?}");
        let has = |name| part(error, name).is_ok_and(|flag| flag.is_truthy());
        if has("overloaded") {
            Self::Overloaded
        } else if has("retryable") || lacks_method(error) {
            Self::Unavailable
        } else {
            Self::Broken
        }
    }

    /// A part of an answer, such as a checkpoint, cannot be read. The object may run another version of the code.
    pub(crate) fn unreadable(what: &str) -> Self {
        console_error!("{what} has another shape than this version reads");
        Self::Unavailable
    }

    /// Converts the error of a call for the client: the refusal of `object`, or a text that it has not answered.
    pub(crate) fn into_failure(self, object: &str) -> Failure {
        match self {
            Self::Refused(failure, _) => failure,
            _ => Failure::new(ErrorCode::Unavailable, format!("the {object} did not answer; try again")),
        }
    }

    /// The same error, with the price of an earlier call added.
    pub(crate) fn costing(self, spent: Receipt) -> Self {
        match self {
            Self::Refused(failure, receipt) => Self::Refused(failure, Box::new(spent + *receipt)),
            other => other,
        }
    }
}

/// Whether the runtime has thrown this error because the object's version of the code does not have the method.
fn lacks_method(error: &JsValue) -> bool {
    let message: Option<String> = field(error, "message");
    message.is_some_and(|message| message.contains(UNKNOWN_METHOD))
}
