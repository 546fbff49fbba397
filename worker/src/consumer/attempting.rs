//! An attempt at deliveries, by the kind of the consumer.

use std::rc::Rc;

use sillok::handler::{Attempted, Delivery, Kind, Outcome};

use super::delivery;
use super::handlers::Handler;
use super::opening::Inner;
use crate::objects::within;

impl Inner {
    /// Attempts deliveries for so many milliseconds at most.
    pub(super) async fn attempt_within(&self, deliveries: &[Delivery], millis: u64) -> Attempted {
        within(millis, self.attempt(deliveries)).await.unwrap_or(Attempted::Late)
    }

    async fn attempt(&self, deliveries: &[Delivery]) -> Attempted {
        let Some(first) = deliveries.first() else { return Attempted::Done(0) };
        let definition = match self.defined() {
            Ok(defined) => Rc::clone(&defined.definition),
            Err(failure) => return Attempted::Ended(Outcome::failed(&*failure.detail)),
        };
        let sender = self.sender.borrow().clone();
        let attempt = async {
            if definition.kind == Kind::Queue {
                let queue = match self.handler() {
                    Some(handler) => handler.queue(),
                    None => delivery::queue(&self.env, &definition).map_err(Outcome::failed),
                };
                let sent = match queue {
                    Ok(queue) => delivery::to_queue(&queue, deliveries).await,
                    Err(outcome) => Err(outcome),
                };
                return sent.map_or_else(Attempted::Ended, Attempted::Done);
            }
            Attempted::Ended(match (definition.kind, self.handler()) {
                (Kind::Webhook, _) => match sender {
                    Some(sender) => delivery::to_webhook(&self.env, &sender, &definition, first).await,
                    None => Outcome::failed("this object was given no sender"),
                },
                (_, Some(handler)) => {
                    let tenant = self.name.as_ref().and_then(|name| name.tenant().cloned());
                    handler.deliver(&self.env, tenant, first).await
                }
                (_, None) => Outcome::failed("this deployment has no code for this reactor"),
            })
        };
        self.attempts.throughout(&first.event, attempt).await
    }

    /// The code of the consumer, if it is defined in the deployment.
    pub(super) fn handler(&self) -> Option<Handler> {
        self.code.borrow().as_ref().map(|(_, handler)| handler.clone())
    }
}
