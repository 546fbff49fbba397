//! Following a stream or the feed over a WebSocket.

use std::pin::pin;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use worker::{EventStream, WebSocket, WebSocketPair, WebsocketEvent, console_error};

use super::live::{Live, Step};
use super::problem::Problem;
use crate::objects::{RemoteError, spawn};

/// The most bytes of events for one connection. A WebSocket does not report how much its client has read. Unread messages of a
/// slow client lie in memory, and this bound limits them. A client that connects again says what it has seen.
const CONNECTION_BYTES: usize = 8 * 1024 * 1024;

/// Starts to send, and returns the client's end.
pub(super) fn serve(live: Live) -> Result<WebSocket, Problem> {
    let WebSocketPair { client, server } = WebSocketPair::new().map_err(Problem::internal)?;
    server.accept().map_err(Problem::internal)?;
    spawn(async move {
        let (code, reason) = match send(live, &server).await {
            Ok(Some(Farewell(code, reason))) => (code, reason),
            // Before the compatibility date 2026-04-07, the runtime does not answer the client's close itself.
            Ok(None) => (1000, ""),
            Err(error) => {
                console_error!("a follower was cut off: {error}");
                (1011, "the rest of the events could not be read")
            }
        };
        // The client may already be gone.
        let _ = server.close(Some(code), Some(reason));
    });
    Ok(client)
}

/// The code and the reason of the frame that closes a connection.
struct Farewell(u16, &'static str);

/// Sends events until there is a reason to close, or until the client has gone.
async fn send(mut live: Live, socket: &WebSocket) -> worker::Result<Option<Farewell>> {
    let mut heard = socket.events()?;
    let mut carried = 0;
    loop {
        let Some(step) = next_or_gone(&mut live, &mut heard).await else { return Ok(None) };
        match step {
            Ok(Step::Events(events)) => {
                for event in events {
                    socket.send_with_str(&event.line)?;
                    carried += event.line.len();
                }
            }
            // A reconnecting follower continues from this place.
            Ok(Step::Passed(_)) => socket.send_with_str(live.progress())?,
            // Over a WebSocket, every message with a version or a checkpoint is an event or progress.
            Ok(Step::Quiet | Step::CaughtUp(_)) => {}
            Ok(Step::Expired) => {
                return Ok(Some(Farewell(1008, "the token has expired; connect again with another token")));
            }
            Ok(Step::End) => return Ok(Some(Farewell(1001, "the object has stopped; connect again"))),
            Err(error) => return Err(super::lines::cut_off(&error)),
        }
        if carried >= CONNECTION_BYTES {
            return Ok(Some(Farewell(1013, "this connection has sent as much as one may; connect again")));
        }
    }
}

/// Waits for the next message, and returns `None` if the client has gone. Messages of the client have no meaning: they only
/// hold the connection open. They do not restart a read, because a client that writes fast would then never receive anything.
async fn next_or_gone(live: &mut Live, heard: &mut EventStream<'_>) -> Option<Result<Step, RemoteError>> {
    let mut next = pin!(live.next());
    loop {
        match select(next.as_mut(), heard.next()).await {
            Either::Left((step, _)) => return Some(step),
            Either::Right((Some(Ok(WebsocketEvent::Message(_))), _)) => {}
            Either::Right(_) => return None,
        }
    }
}
