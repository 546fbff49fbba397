//! Messages that inform the followers of a stream, of the feed or of documents that it has grown.
//!
//! A follower's Worker holds a WebSocket to the object. The only message over it is the new end: the version of the stream, the
//! position in the feed, or the number of the consumer's commit. The follower then reads the events or changes like every reader. So the object can hibernate between two
//! events, it stores no follower's place, and a message that is repeated or overtaken does no harm.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use sillok_bridge::{field, part};
use wasm_bindgen::prelude::*;
use worker::{Request, Response, State, WebSocketPair, console_error};

/// Accepts a follower's WebSocket, on the side of the object. All other calls are RPC.
pub(crate) fn admit(state: &State, request: &Request) -> worker::Result<Response> {
    let protocol = request.headers().get("Upgrade")?;
    if !protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return Response::error("this object takes only RPC calls and WebSockets", 501);
    }
    let pair = WebSocketPair::new()?;
    // The runtime keeps the socket open while the object hibernates.
    state.accept_web_socket(&pair.server);
    Response::from_websocket(pair.client)
}

/// Sends the new end to every follower. The output gate holds the message until the events are on disk.
pub(crate) fn nudge(state: &State, end: u64) {
    for socket in state.get_websockets() {
        if socket.send_with_str(end.to_string()).is_err() {
            // A follower without the message must not wait any longer. A follower that is gone needs no message.
            let _ = socket.close(Some(1011), Some("the follower could not be notified"));
        }
    }
}

/// Closes the WebSocket of every follower, because nothing more can come: the stream or the consumer was deleted.
pub(crate) fn dismiss(state: &State) {
    for socket in state.get_websockets() {
        let _ = socket.close(Some(1000), Some("nothing more can come"));
    }
}

#[wasm_bindgen]
extern "C" {
    /// The other end of a follower's WebSocket.
    #[derive(Debug)]
    type Socket;

    #[wasm_bindgen(method, catch)]
    fn accept(this: &Socket) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &Socket) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn add_event_listener(this: &Socket, name: &str, listener: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    fn remove_event_listener(this: &Socket, name: &str, listener: &JsValue) -> Result<(), JsValue>;
}

/// The messages that have come over the WebSocket.
#[derive(Debug, Default)]
struct Heard {
    end: u64,
    closed: bool,
    waiting: Option<Waker>,
}

impl Heard {
    fn wake(&mut self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

/// A follower's WebSocket to the object, on the side of the Worker. Drop it to close it.
#[derive(Debug)]
pub(crate) struct Nudges {
    socket: Socket,
    heard: Rc<RefCell<Heard>>,
    listeners: Vec<(&'static str, Listener)>,
}

type Listener = Closure<dyn FnMut(JsValue)>;

impl Nudges {
    /// Takes the WebSocket from the object's answer.
    pub(super) fn of(response: &JsValue) -> Result<Self, JsValue> {
        let socket = part(response, "webSocket")?;
        if !socket.is_object() {
            return Err(JsValue::from_str("the object did not accept the follower"));
        }
        let mut nudges =
            Self { socket: socket.unchecked_into(), heard: Rc::default(), listeners: Vec::new() };
        nudges.listen("message", |heard, event| heard.end = heard.end.max(end_in(event)))?;
        nudges.listen("close", |heard, _| heard.closed = true)?;
        nudges.listen("error", |heard, _| heard.closed = true)?;
        nudges.socket.accept()?;
        Ok(nudges)
    }

    fn listen(
        &mut self,
        name: &'static str,
        hear: impl Fn(&mut Heard, &JsValue) + 'static,
    ) -> Result<(), JsValue> {
        let heard = Rc::clone(&self.heard);
        let listener = Closure::wrap_assert_unwind_safe(Box::new(move |event: JsValue| {
            let mut heard = heard.borrow_mut();
            hear(&mut heard, &event);
            heard.wake();
        }) as Box<dyn FnMut(JsValue)>);
        self.socket.add_event_listener(name, listener.as_ref())?;
        self.listeners.push((name, listener));
        Ok(())
    }

    /// Waits until the object has grown up to `end`. Returns `false` if no more messages can come.
    pub(crate) fn poll_reach(&self, context: &Context<'_>, end: u64) -> Poll<bool> {
        let mut heard = self.heard.borrow_mut();
        if heard.end >= end {
            return Poll::Ready(true);
        }
        if heard.closed {
            return Poll::Ready(false);
        }
        heard.waiting = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Nudges {
    fn drop(&mut self) {
        for (name, listener) in &self.listeners {
            if let Err(error) = self.socket.remove_event_listener(name, listener.as_ref()) {
                console_error!("a listener could not be removed: {error:?}");
            }
        }
        // The socket may already be closed.
        let _ = self.socket.close();
    }
}

fn end_in(event: &JsValue) -> u64 {
    field::<String>(event, "data").and_then(|end| end.parse().ok()).unwrap_or_default()
}
