//! A stream that is followed, as server-sent events.

use std::fmt::Write;

use futures_util::stream::{TryStream, try_unfold};

use super::lines::cut_off;
use super::live::{Event, Live, Step};

/// What a client waits before it connects again, in milliseconds.
const HELLO: &str = "retry: 1000\n\n";
/// A comment tells proxies that the connection lives, and the runtime whether the client is still there.
const HEARTBEAT: &str = ":\n\n";

/// The messages as chunks of bytes, until the object goes away.
pub(super) fn chunks(live: Live) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
    try_unfold((live, Some(HELLO)), |(mut live, hello)| async move {
        if let Some(hello) = hello {
            return Ok(Some((hello.into(), (live, None))));
        }
        let chunk = match live.next().await.map_err(|error| cut_off(&error))? {
            Step::Events(events) => messages(&events),
            Step::Quiet => HEARTBEAT.to_owned(),
            Step::End => return Ok(None),
        };
        Ok(Some((chunk.into_bytes(), (live, None))))
    })
}

/// Each event is a message with its version as id.
fn messages(events: &[Event]) -> String {
    let mut text = String::with_capacity(events.iter().map(|event| event.line.len() + 32).sum());
    for Event { version, line } in events {
        // Writing to a String cannot fail.
        let _ = write!(text, "id: {version}\ndata: {line}\n\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message() {
        let events = [7, 8].map(|version| Event { version, line: "{}".to_owned() });
        assert_eq!(messages(&events), "id: 7\ndata: {}\n\nid: 8\ndata: {}\n\n");
    }
}
