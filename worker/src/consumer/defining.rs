//! The definition of a consumer by a request, and its removal.

use std::rc::Rc;

use futures_channel::oneshot;
use sillok::ErrorCode;
use sillok::gateway::CallId;
use sillok::handler::{DefinitionStep, Kind, OpenError, RemovalStep, definition_steps, removal_steps};
use sillok::store::Checkpoint;
use sillok_bridge::{Failure, random_bytes};

use super::address::Deployment;
use super::definition::{Definition, invalid};
use super::opening::Inner;
use super::signature::Secret;
use super::{Define, delivery, stored_definition, unreachable};
use crate::journal::{Remote, end_of};
use crate::objects::{Driven, forgotten, nudges, partitions};

/// A new definition that waits for unfinished deliveries.
pub(super) struct Change {
    definition: Definition,
    done: oneshot::Sender<Result<(), Failure>>,
}

impl Inner {
    /// Defines a consumer by a request, or changes its definition. Registers the consumer at the journals.
    pub(super) async fn define(self: &Rc<Self>, request: &Define) -> Result<(), Failure> {
        if self.code.borrow().is_some() {
            let detail = "this consumer is defined in the code of the deployment";
            return Err(Failure::new(ErrorCode::ConsumerDefinedInCode, detail));
        }
        let deployment = Deployment::of(&self.env, &request.asked_at);
        let mut definition = Definition::parse(&request.definition, &deployment)?;
        let known = self.defined().map(|defined| Rc::clone(&defined.definition)).ok();
        if let Some(known) = &known {
            if known.kind != definition.kind {
                return Err(OpenError::KindFixed { kind: known.kind }.into());
            }
            if definition.after.is_some() && definition.after != known.after {
                let detail = "a consumer continues from where it is; to begin elsewhere, delete it first";
                return Err(Failure::new(ErrorCode::ConsumerAfterFixed, detail).in_field("after"));
            }
            (definition.after, definition.end) = (known.after.clone(), known.end.clone());
        } else {
            self.find_beginning(&mut definition).await?;
        }
        if definition.kind == Kind::Webhook && definition.secret.is_none() {
            let stored = known.as_ref().and_then(|known| known.secret.clone());
            definition.secret = Some(match stored {
                Some(secret) => secret,
                None => Secret::of(random_bytes()?).text(),
            });
        }
        if definition.kind == Kind::Queue {
            delivery::queue(&self.env, &definition).map_err(|reason| invalid("binding", &reason))?;
        }
        for step in definition_steps(partitions(&self.env)?) {
            match step {
                DefinitionStep::Store => self.store(&definition, known.as_deref()).await?,
                DefinitionStep::Register { partition } => {
                    let name = self.name()?.identity.clone();
                    self.journal(partition)?.register(name).await.map_err(unreachable)?;
                }
                // The duty to begin is durable before the answer leaves.
                DefinitionStep::Begin => self.woken(0)?,
            }
        }
        Ok(())
    }

    /// Stores a definition, if it is not the known one.
    async fn store(
        self: &Rc<Self>,
        definition: &Definition,
        known: Option<&Definition>,
    ) -> Result<(), Failure> {
        match known {
            Some(known) if known == definition => Ok(()),
            Some(_) => self.redefine(definition.clone()).await,
            None => self.define_first(definition),
        }
    }

    /// Stores the first definition of the consumer.
    fn define_first(&self, definition: &Definition) -> Result<(), Failure> {
        let opened = self.open_first(definition.clone())?;
        stored_definition::write(&self.sql, definition)?;
        *self.defined.borrow_mut() = Some(opened);
        Ok(())
    }

    /// Replaces the consumer's definition by a different one, as soon as no delivery is unfinished.
    async fn redefine(self: &Rc<Self>, definition: Definition) -> Result<(), Failure> {
        let (done, changed) = oneshot::channel();
        self.change.replace(Some(Change { definition, done }));
        // There is only one change at a time, so all changes have the same number.
        self.drive(|driver, turn| driver.change(turn, CallId::new(0)))?;
        changed.await.unwrap_or_else(|_| Err(forgotten()))
    }

    /// Makes the waiting change.
    pub(super) fn change_now(self: &Rc<Self>) {
        let Some(Change { definition, done }) = self.change.take() else { return };
        let changed = self.change_to(&definition);
        if changed.is_ok()
            && let Ok(mut defined) = self.defined()
        {
            defined.definition = Rc::new(definition);
        }
        // The caller may be gone. Then nobody needs the answer.
        let _ = done.send(changed);
    }

    fn change_to(self: &Rc<Self>, definition: &Definition) -> Result<(), Failure> {
        let settings = self.settings(definition)?;
        let (open, write) = (|| self.open(settings), || stored_definition::write(&self.sql, definition));
        self.drive(|driver, turn| driver.redefine(turn, open, write))?
    }

    /// Finds the place where a new consumer begins, if it does not begin with the first event.
    async fn find_beginning(&self, definition: &mut Definition) -> Result<(), Failure> {
        let Some(after) = &definition.after else { return Ok(()) };
        let end = self.end().await?;
        if after == "end" {
            definition.end = Some(end.to_string());
            return Ok(());
        }
        if definition.begins(end.partitions())?.is_some_and(|begins| begins.is_beyond(&end)) {
            let detail = "the checkpoint is beyond the end of the feed";
            return Err(Failure::new(ErrorCode::InvalidCheckpoint, detail).in_field("after"));
        }
        Ok(())
    }

    /// Deletes the consumer and its data, or the data that another kind of consumer has left under its name.
    pub(super) async fn remove(self: &Rc<Self>) -> Result<String, Failure> {
        let in_code = self.code.borrow().is_some();
        let known = self.defined().map(|_| ());
        match known {
            Ok(()) if in_code => {
                let detail = "this consumer is defined in the code of the deployment: remove it there";
                return Err(Failure::new(ErrorCode::ConsumerDefinedInCode, detail));
            }
            Err(failure) if failure.code == ErrorCode::ConsumerKindFixed => {}
            Err(failure)
                if failure.code == ErrorCode::ConsumerNotFound
                    && stored_definition::is_state_left(&self.sql)? => {}
            known => known?,
        }
        for step in removal_steps(partitions(&self.env)?, in_code) {
            match step {
                RemovalStep::Unregister { partition } => {
                    let name = self.name()?.identity.clone();
                    self.journal(partition)?.unregister(name).await.map_err(unreachable)?;
                }
                RemovalStep::End => self.end_work(),
                RemovalStep::Erase => {
                    self.erase().await?;
                    nudges::dismiss(&self.state);
                }
                // The new consumer has not read any partition yet.
                RemovalStep::Begin => self.woken(0)?,
            }
        }
        Ok("{}".to_owned())
    }

    /// Drops the driver with its unfinished work.
    fn end_work(&self) {
        *self.defined.borrow_mut() = None;
        self.life.set(self.life.get() + 1);
        self.requests.forget();
        self.driving.ringing.answer_all(&Ok(()));
        self.attempts.runs(false);
    }

    /// Erases the alarm and the storage.
    async fn erase(&self) -> Result<(), Failure> {
        let storage = self.state.storage();
        let removed = match storage.delete_alarm().await {
            Ok(()) => storage.delete_all().await,
            failed => failed,
        };
        removed.map_err(|error| Failure::new(ErrorCode::StorageFailed, error.to_string()))
    }

    /// The present end of the feed.
    pub(super) async fn end(&self) -> Result<Checkpoint, Failure> {
        let journals = (0..partitions(&self.env)?).map(|partition| self.journal(partition));
        let journals = journals.collect::<Result<Vec<_>, _>>()?;
        end_of(&journals).await.map_err(unreachable)
    }

    fn journal(&self, partition: usize) -> Result<Remote, Failure> {
        Remote::of_partition(&self.env, self.name()?.tenant(), partition)
            .map_err(|error| Failure::new(ErrorCode::Unavailable, error.to_string()))
    }
}
