//! Processes as consumers: each event of another stream goes to its instance.

use std::future::ready;

use sillok::handler::{Outcome, Process, read_upcast};
use sillok::store::StreamId;
use sillok_bridge::{ExecutedJson, Failure};

use super::reactor::{Reaction, ReactorContext, note};
use crate::aggregate::{ExecuteRequest, Origin};
use crate::store::StoreFuture;

/// Passes the event of `context` to its instance, if it has one.
pub(crate) fn pass_on<P: Process>(context: ReactorContext) -> Reaction {
    Box::pin(async move {
        let event = &context.delivery().event;
        let instance = match read_upcast(event, P::SOURCE_UPCASTS) {
            Ok(source) => P::instance(&source, event),
            Err(failed) => return Outcome::failed(failed.message()),
        };
        let Some(instance) = instance else { return Outcome::Done };
        let stream = StreamId::new(&format!("{}-{}", P::CATEGORY, instance.id)).map_err(Failure::from);
        let delivered = context.deliver(stream, instance.starts).await;
        context.refusals().outcome(delivered.map(drop).map_err(|failure| failure.detail.clone().into()))
    })
}

impl ReactorContext {
    /// Passes the event to the instance of a process. It has one id at every delivery, so it takes effect once.
    pub(super) fn deliver(
        &self,
        stream: Result<StreamId, Failure>,
        starts: bool,
    ) -> StoreFuture<ExecutedJson> {
        let request = stream.and_then(|stream| {
            let id = self.delivery().input_id()?.as_str().to_owned();
            let request = self.command_request(id, (stream, self.delivery().event.json.clone()));
            Ok(ExecuteRequest { origin: Origin::Process, event_starts: Some(starts), ..request })
        });
        match request {
            Ok(request) => {
                let (sent, refusals) = (self.streams().execute(request), self.refusals().clone());
                Box::pin(async move { sent.await.inspect_err(|failure| note(&refusals, failure)) })
            }
            Err(failure) => Box::pin(ready(Err(failure))),
        }
    }
}
