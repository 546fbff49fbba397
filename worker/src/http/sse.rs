//! A stream or the feed that is followed, as server-sent events.

use std::fmt::Write;

use futures_util::stream::TryStream;

use super::chunks::{Pieces, chunks};
use super::live::{Live, Step};
use super::source::Event;
use crate::objects::RemoteError;

/// What a client waits before it connects again, in milliseconds.
const HELLO: &str = "retry: 1000\n\n";
/// A comment tells proxies that the connection lives, and the runtime whether the client is still there.
const HEARTBEAT: &str = ":\n\n";

/// The messages as a body, until the object goes away.
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
            // Without data it is no event: a client only remembers it as the place where it is.
            Step::Passed(place) => Some(format!("id: {place}\n\n")),
            Step::Quiet => Some(HEARTBEAT.to_owned()),
            Step::End | Step::Expired => None,
        })
    }
}

/// Each event is a message with its version or checkpoint as id.
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
