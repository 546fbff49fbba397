//! Deliveries of events to a webhook or a queue.

use js_sys::{Array, Date, Function, Promise, Reflect};
use sillok::handler::{Delivery, Outcome};
use sillok_bridge::{field, now, object, part};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, web_sys};

use super::address::Deployment;
use super::cloud_event::cloud_event;
use super::definition::Definition;
use super::signature::Secret;

/// The most messages in one batch for a queue.
pub(super) const BATCH_MESSAGES: usize = 100;
/// The most bytes in one batch for a queue. A queue accepts 256,000 bytes. The rest is for the bytes that the platform adds.
const BATCH_BYTES: usize = 240_000;
/// The largest message of a queue, in bytes, with the bytes that the platform adds.
const MESSAGE_BYTES: usize = 128_000;
/// The bytes that are counted for each message beside its body. The platform says that it adds about 100 bytes.
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

/// A request that ends as soon as nobody waits for it. So it never runs beside the next attempt.
struct Request(AbortController);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the event to the webhook's receiver. The delivery succeeds if the receiver answers with a status from 200 to 299.
pub(super) async fn to_webhook(env: &Env, definition: &Definition, delivery: &Delivery) -> Outcome {
    let (Some(url), Some(secret)) = (&definition.url, definition.secret.as_deref().and_then(Secret::parse))
    else {
        return Outcome::failed("the webhook has no URL or no secret");
    };
    // The URL may have been allowed when the webhook was defined, for example because authentication was off.
    if let Err(reason) = Deployment::of(env, "").check_url(url) {
        return Outcome::Gone {
            error: format!("the webhook's URL {reason}; `PUT` another URL, then resume the consumer"),
        };
    }
    let body = match cloud_event(&delivery.event) {
        Ok(body) => body,
        Err(error) => return Outcome::failed(error.to_string()),
    };
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
        // Nobody has agreed to send events to the target of a redirect.
        ("redirect", "manual".into()),
        ("signal", request.0.signal()),
    ]);
    match fetch(url, init).await {
        Ok(response) => taken(&response).await,
        Err(_) => Outcome::failed("the receiver could not be reached"),
    }
}

async fn taken(response: &JsValue) -> Outcome {
    let status = field::<u64>(response, "status");
    let retry_after = retry_after(response);
    // Only the status of the answer counts. Its body is cancelled unread.
    if let Ok(body) = part(response, "body")
        && body.is_object()
    {
        // A body that cannot be cancelled has already ended.
        let _ = call(&body, "cancel", &[]).await;
    }
    match status {
        Some(200..=299) => Outcome::Done,
        Some(410) => {
            let error = "the receiver answered with the status 410: it takes no more events".to_owned();
            Outcome::Gone { error }
        }
        Some(status) => {
            Outcome::Failed { error: format!("the receiver answered with the status {status}"), retry_after }
        }
        None => Outcome::failed("the receiver's answer has no status"),
    }
}

/// The number of milliseconds until the receiver wants the next attempt. The header has seconds or a date of HTTP.
fn retry_after(response: &JsValue) -> Option<u64> {
    let headers = part(response, "headers").ok()?.dyn_into::<web_sys::Headers>().ok()?;
    let text = headers.get("retry-after").ok()??;
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // The machine has its own bound for this number.
        return Some(text.parse::<u64>().map_or(u64::MAX, |seconds| seconds.saturating_mul(1000)));
    }
    let at = Date::parse(text);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // an invalid time is 0, and so has passed
    Some((at as u64).saturating_sub(now().as_millis()))
}

/// Finds the queue that the definition names.
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
pub(super) async fn to_queue(
    env: &Env,
    definition: &Definition,
    deliveries: &[Delivery],
) -> Result<usize, Outcome> {
    let queue = queue(env, definition).map_err(Outcome::failed)?;
    let messages = Array::new();
    let mut bytes = 0;
    for delivery in deliveries {
        let body = cloud_event(&delivery.event).map_err(|error| Outcome::failed(error.to_string()))?;
        let size = body.len() + MESSAGE_BYTES_ADDED;
        bytes += size;
        if messages.length() > 0 && (size > MESSAGE_BYTES || bytes > BATCH_BYTES) {
            break;
        }
        if size > MESSAGE_BYTES {
            let most = MESSAGE_BYTES - MESSAGE_BYTES_ADDED;
            let error = format!("the event is {} bytes long; the most for a queue is {most}", body.len());
            return Err(Outcome::Refused { error });
        }
        // The body is text. As an object, it would pass through JavaScript, and a number could change.
        messages.push(&object(&[("body", body.as_str().into()), ("contentType", "text".into())]));
    }
    let sent = call(&queue, "sendBatch", &[messages.clone().into()]).await;
    let refused = |error| Outcome::failed(format!("the queue refused the messages: {error:?}"));
    sent.map(|()| messages.length() as usize).map_err(refused)
}

/// Calls a method, and waits for its promise.
async fn call(object: &JsValue, method: &'static str, arguments: &[JsValue]) -> Result<(), JsValue> {
    let function: Function = part(object, method)?.dyn_into()?;
    let result = function.apply(object, &arguments.iter().collect::<Array>())?;
    JsFuture::from(Promise::resolve(&result)).await.map(|_| ())
}
