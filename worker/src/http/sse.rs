//! Following a stream or the feed by server-sent events.

use std::fmt::Write;

use futures_util::stream::TryStream;

use super::chunks::{Pieces, chunks};
use super::live::{Live, Step};
use super::source::Event;
use crate::objects::RemoteError;

/// The time that a client waits before it connects again, in milliseconds.
const HELLO: &str = "retry: 1000\n\n";
/// This comment shows proxies that the connection lives, and shows the runtime whether the client is still there.
const HEARTBEAT: &str = ":\n\n";

/// The messages as a body. It ends when the object goes away.
pub(super) fn body(live: Live) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
    chunks(Messages { live, greeted: false }, HEARTBEAT)
}

struct Messages {
    live: Live,
    greeted: bool,
}

impl Pieces for Messages {
    async fn next(&mut self) -> Result<Option<String>, RemoteError> {
        if !self.greeted {
            self.greeted = true;
            return Ok(Some(HELLO.to_owned()));
        }
        Ok(match self.live.next().await? {
            Step::Events(events) => Some(messages(&events)),
            // A client that does not listen for this name ignores the message.
            Step::CaughtUp(place) => {
                Some(format!("id: {place}\nevent: caught-up\ndata: {}\n\n", self.live.progress()))
            }
            // A message without data is not an event. The client only remembers its id as the last place.
            Step::Passed(place) => Some(format!("id: {place}\n\n")),
            Step::Quiet => Some(HEARTBEAT.to_owned()),
            Step::End | Step::Expired => None,
        })
    }
}

/// Writes each event as a message with its version or checkpoint as id.
fn messages(events: &[Event]) -> String {
    let mut text = String::with_capacity(events.iter().map(|event| event.line.len() + 32).sum());
    for Event { id, line } in events {
        // Writing to a String cannot fail.
        let _ = write!(text, "id: {id}\ndata: {line}\n\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message() {
        let events = ["7", "8.1"].map(|id| Event { id: id.to_owned(), line: "{}".to_owned() });
        assert_eq!(messages(&events), "id: 7\ndata: {}\n\nid: 8.1\ndata: {}\n\n");
    }
}
