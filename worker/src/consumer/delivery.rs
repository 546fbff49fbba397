//! Deliveries of events to a webhook or a queue.

use js_sys::{Array, Function, Promise, Reflect};
use sillok::handler::{Delivery, Outcome};
use sillok_bridge::{now, object, part};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::Env;
use worker::wasm_bindgen_futures::JsFuture;

use super::address::Deployment;
use super::cloud_event::cloud_event;
use super::definition::Definition;
use super::signature::Secret;

/// Why an event is not sent whose JSON has not all its parts.
const UNREADABLE: &str = "the event's JSON cannot be read";
/// The most messages that a queue takes at once.
pub(super) const BATCH_MESSAGES: usize = 100;
/// The most bytes in one batch for a queue. A queue accepts 256,000 bytes. The rest is for the bytes that the platform adds.
const BATCH_BYTES: usize = 240_000;
/// The largest message of a queue, in bytes, with the bytes that the platform adds.
const MESSAGE_BYTES: usize = 128_000;
/// The bytes that are counted for each message beside its body. The platform says that it adds about 100 bytes.
const MESSAGE_BYTES_ADDED: usize = 200;

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    /// The sender of webhooks in `worker/webhook.ts`: it makes a request by one call.
    #[derive(Debug, Clone)]
    pub(crate) type Sender;

    /// Sends a delivery. Gives the status, and the wait that the receiver asks for, in milliseconds.
    #[wasm_bindgen(method, catch)]
    async fn post(
        this: &Sender,
        url: &str,
        agent: &str,
        id: &str,
        timestamp: &str,
        signature: &str,
        body: &str,
    ) -> Result<JsValue, JsValue>;

    /// Aborts a delivery.
    #[wasm_bindgen(method)]
    fn abort(this: &Sender, id: &str);
}

/// A request. It is aborted when nobody waits for it any longer, so that it does not continue beside the next attempt.
struct Request<'a> {
    sender: &'a Sender,
    id: &'a str,
    ended: bool,
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.sender.abort(self.id);
        }
    }
}

/// Sends the event to the webhook's receiver. It has taken it when it answers with a status from 200 to 299.
pub(super) async fn to_webhook(
    env: &Env,
    sender: &Sender,
    definition: &Definition,
    delivery: &Delivery,
) -> Outcome {
    // The code of a webhook may read both from the environment, which may not have them.
    let none = |part| Outcome::Gone {
        error: format!("the webhook has no valid `{part}`; correct it, then resume the consumer"),
    };
    let Some(url) = &definition.url else { return none("url") };
    let Some(secret) = definition.secret.as_deref().and_then(Secret::parse) else { return none("secret") };
    // The URL may have been allowed when the webhook was defined, for example because authentication was off.
    if let Err(reason) = Deployment::of(env, "").check_url(url) {
        return Outcome::Gone {
            error: format!("the webhook's URL {reason}; set another URL, then resume the consumer"),
        };
    }
    let Some(body) = cloud_event(&delivery.event) else { return Outcome::failed(UNREADABLE) };
    let seconds = now().as_millis() / 1000;
    let mut request = Request { sender, id: &delivery.id, ended: false };
    let agent = concat!("sillok/", env!("CARGO_PKG_VERSION"));
    let signature = secret.sign(&delivery.id, seconds, &body);
    let answer = sender.post(url, agent, &delivery.id, &seconds.to_string(), &signature, &body).await;
    request.ended = true;
    answer.map_or_else(|_| Outcome::failed("the receiver could not be reached"), |answer| answered(&answer))
}

/// What follows from a receiver's answer: it has taken the event where the status is from 200 to 299.
fn answered(answer: &JsValue) -> Outcome {
    let answer = answer.as_string().unwrap_or_default();
    let (status, wait) = answer.split_once(' ').unwrap_or_default();
    match status.parse::<u16>() {
        Ok(200..=299) => Outcome::Done,
        Ok(410) => {
            let error = "the receiver answered with the status 410: it takes no more events".to_owned();
            Outcome::Gone { error }
        }
        Ok(status) => Outcome::Failed {
            error: format!("the receiver answered with the status {status}"),
            stack: None,
            retry_after: wait.parse().ok(),
        },
        Err(_) => Outcome::failed("the receiver's answer has no status"),
    }
}

/// The queue that the definition names.
pub(super) fn queue(env: &Env, definition: &Definition) -> Result<JsValue, String> {
    let binding = definition.binding.as_deref().unwrap_or_default();
    let queue = Reflect::get(env, &binding.into()).unwrap_or_default();
    let takes = part(&queue, "sendBatch");
    if takes.is_ok_and(|takes| takes.is_function()) {
        return Ok(queue);
    }
    Err(format!("wrangler.toml has no queue with the binding {binding}"))
}

/// Sends events to a queue: all of them, or as many as one batch holds. Returns the number of sent events. An event that is too
/// large for a message is refused if it is the first one. Otherwise the events before it are sent.
pub(super) async fn to_queue(queue: &JsValue, deliveries: &[Delivery]) -> Result<usize, Outcome> {
    let messages = Array::new();
    let mut bytes = 0;
    for delivery in deliveries {
        let body = cloud_event(&delivery.event).ok_or_else(|| Outcome::failed(UNREADABLE))?;
        let size = body.len() + MESSAGE_BYTES_ADDED;
        bytes += size;
        if messages.length() > 0 && (size > MESSAGE_BYTES || bytes > BATCH_BYTES) {
            break;
        }
        if size > MESSAGE_BYTES {
            let most = MESSAGE_BYTES - MESSAGE_BYTES_ADDED;
            let error = format!("the event is {} bytes long; the most for a queue is {most}", body.len());
            return Err(Outcome::refused(error));
        }
        // The body is text. As an object, it would pass through JavaScript, and a number could change.
        messages.push(&object(&[("body", body.as_str().into()), ("contentType", "text".into())]));
    }
    let sent = call(queue, "sendBatch", &[messages.clone().into()]).await;
    let refused = |error| Outcome::failed(format!("the queue refused the messages: {error:?}"));
    sent.map(|()| messages.length() as usize).map_err(refused)
}

/// Calls a method, and waits for its promise.
async fn call(object: &JsValue, method: &'static str, arguments: &[JsValue]) -> Result<(), JsValue> {
    let function: Function = part(object, method)?.dyn_into()?;
    let result = function.apply(object, &arguments.iter().collect::<Array>())?;
    JsFuture::from(Promise::resolve(&result)).await.map(|_| ())
}
