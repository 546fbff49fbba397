//! Waiting for an event to come to the journal: whoever waits is told once more of its stream was recorded, and nobody asks
//! again and again.

use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::select;
use sillok::gateway::Forward;
use sillok::store::{Position, StreamId, Version};
use sillok_bridge::{Failure, now};
use worker::Delay;

use super::Keeper;
use super::rpc::PositionRequest;

/// Who waits for more of a stream.
#[derive(Debug, Default)]
pub(super) struct Waiting(RefCell<Vec<(StreamId, oneshot::Sender<()>)>>);

impl Waiting {
    /// What is told once more of the stream was recorded.
    fn for_more_of(&self, stream: &StreamId) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.0.borrow_mut();
        waiting.retain(|(_, tell)| !tell.is_canceled());
        waiting.push((stream.clone(), tell));
        told
    }

    /// Tells those who wait for any of the streams of which something was recorded.
    pub(super) fn tell(&self, recorded: &[Forward]) {
        let is_recorded = |stream: &StreamId| recorded.iter().any(|forward| forward.stream == *stream);
        let (told, waiting): (Vec<_>, Vec<_>) =
            self.0.take().into_iter().partition(|(stream, _)| is_recorded(stream));
        self.0.replace(waiting);
        for (_, tell) in told {
            // Whoever has gone needs no word of it.
            let _ = tell.send(());
        }
    }
}

impl Keeper {
    /// Where an event stands, once the journal has it: it is waited for as long as the request says.
    pub(super) async fn position_of(&self, request: &PositionRequest) -> Result<Option<u64>, Failure> {
        let (stream, version) = (&request.stream, Version::new(request.version));
        let version = version.unwrap_or(Version::MAX);
        let deadline = now().as_millis().saturating_add(request.millis);
        loop {
            // Nothing is awaited between to look and to wait, so nothing falls between.
            let position = self.with_journal(|journal| journal.position_of(stream, version))?;
            let left = deadline.saturating_sub(now().as_millis());
            if position.is_some() || left == 0 {
                return Ok(position.map(Position::get));
            }
            let told = self.waiting.for_more_of(stream);
            select(pin!(told), pin!(Delay::from(Duration::from_millis(left)))).await;
        }
    }
}
