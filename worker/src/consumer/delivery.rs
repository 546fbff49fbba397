//! Delivering events to a webhook or a queue.

use js_sys::{Array, Function, Promise, Reflect};
use sillok::handler::Delivery;
use sillok_bridge::{field, now, object, part};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::Env;
use worker::wasm_bindgen_futures::JsFuture;

use super::cloud_event::cloud_event;
use super::definition::Definition;
use super::signature::Secret;

/// The most messages that a queue takes at once.
pub(super) const BATCH_MESSAGES: usize = 100;
/// The most bytes that are sent to a queue at once. It takes 256,000; the rest is for what the platform adds.
const BATCH_BYTES: usize = 240_000;
/// The largest message that a queue takes, in bytes, with what the platform adds.
const MESSAGE_BYTES: usize = 128_000;
/// What is reckoned for each message beside its body: the platform says that it adds about 100 bytes.
const MESSAGE_BYTES_ADDED: usize = 200;

#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures)]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn fetch(url: &str, init: JsValue) -> Result<JsValue, JsValue>;

    type AbortController;
    #[wasm_bindgen(constructor)]
    fn new() -> AbortController;
    #[wasm_bindgen(method, getter)]
    fn signal(this: &AbortController) -> JsValue;
    #[wasm_bindgen(method)]
    fn abort(this: &AbortController);
}

/// A request that does not go on beside the next attempt once nobody waits for it any longer.
struct Request(AbortController);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the event to the webhook's receiver. It has taken it when it answers with a status from 200 to 299.
pub(super) async fn to_webhook(definition: &Definition, delivery: &Delivery) -> Result<(), String> {
    let (Some(url), Some(secret)) = (&definition.url, definition.secret.as_deref().and_then(Secret::parse))
    else {
        return Err("the webhook has no URL or no secret".to_owned());
    };
    let body = cloud_event(&delivery.event.json).map_err(|error| error.to_string())?;
    let seconds = now().as_millis() / 1000;
    let request = Request(AbortController::new());
    let headers = object(&[
        ("content-type", "application/cloudevents+json".into()),
        ("user-agent", concat!("sillok/", env!("CARGO_PKG_VERSION")).into()),
        ("webhook-id", delivery.id.as_str().into()),
        ("webhook-timestamp", seconds.to_string().into()),
        ("webhook-signature", secret.sign(&delivery.id, seconds, &body).into()),
    ]);
    let init = object(&[
        ("method", "POST".into()),
        ("headers", headers),
        ("body", body.into()),
        // Where a receiver sends on to was never agreed with whoever set the webhook up.
        ("redirect", "manual".into()),
        ("signal", request.0.signal()),
    ]);
    match fetch(url, init).await {
        Ok(response) => taken(&response).await,
        Err(_) => Err("the receiver could not be reached".to_owned()),
    }
}

async fn taken(response: &JsValue) -> Result<(), String> {
    let status = field::<u64>(response, "status");
    // What the receiver says beyond its status is not read, and need not be sent.
    if let Ok(body) = part(response, "body")
        && body.is_object()
    {
        // A body that cannot be cancelled has ended.
        let _ = call(&body, "cancel", &[]).await;
    }
    match status {
        Some(200..=299) => Ok(()),
        Some(status) => Err(format!("the receiver answered with the status {status}")),
        None => Err("the receiver's answer has no status".to_owned()),
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
    Err(format!("no queue is bound as {binding} in wrangler.toml"))
}

/// Sends the events to a queue, all of them or as many of the first as it takes at once, and says how many. What is too
/// large for a message fails when it is the first; until then, what is before it is sent.
pub(super) async fn to_queue(
    env: &Env,
    definition: &Definition,
    deliveries: &[Delivery],
) -> Result<usize, String> {
    let queue = queue(env, definition)?;
    let messages = Array::new();
    let mut bytes = 0;
    for delivery in deliveries {
        let body = cloud_event(&delivery.event.json).map_err(|error| error.to_string())?;
        let size = body.len() + MESSAGE_BYTES_ADDED;
        bytes += size;
        if messages.length() > 0 && (size > MESSAGE_BYTES || bytes > BATCH_BYTES) {
            break;
        }
        if size > MESSAGE_BYTES {
            return Err(format!("the event takes {} bytes, more than a queue's message may", body.len()));
        }
        // As text: read and written by JavaScript on its way, a number might become another.
        messages.push(&object(&[("body", body.as_str().into()), ("contentType", "text".into())]));
    }
    let sent = call(&queue, "sendBatch", &[messages.clone().into()]).await;
    sent.map(|()| messages.length() as usize).map_err(|error| format!("the queue refused: {error:?}"))
}

/// Calls a method and waits for what it promises.
async fn call(object: &JsValue, method: &'static str, arguments: &[JsValue]) -> Result<(), JsValue> {
    let function: Function = part(object, method)?.dyn_into()?;
    let result = function.apply(object, &arguments.iter().collect::<Array>())?;
    JsFuture::from(Promise::resolve(&result)).await.map(|_| ())
}
