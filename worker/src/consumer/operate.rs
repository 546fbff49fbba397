//! What is asked of a consumer.

use std::rc::Rc;
use std::time::Duration;

use sillok::ErrorCode;
use sillok::handler::{DocumentKey, Kind, LetterId, OpenError};
use sillok::store::Checkpoint;
use sillok_bridge::{Failure, now, random_bytes};
use worker::Delay;

use super::address::Deployment;
use super::definition::{Definition, invalid};
use super::shown::Shown;
use super::signature::Secret;
use super::{ConsumerRequest, Defined, Inner, delivery, kept, shown, unreachable};
use crate::journal::{Remote, end_of};
use crate::objects::partitions;

impl Inner {
    /// Does what is asked, and answers with JSON.
    pub(super) async fn answer(self: &Rc<Self>, request: ConsumerRequest) -> Result<String, Failure> {
        match request.act.as_str() {
            "define" | "remove" => self.change(&request).await,
            "status" => self.status(Shown::of(request.whole)).await,
            "letters" => {
                let after = request.after.parse().unwrap_or_default();
                let page = self.with(|defined| defined.machine.dead_letters(after, request.limit))?;
                Ok(shown::letters(&self.name()?.keeps, request.limit, &page))
            }
            "discard" => self.discard(request.letter).await,
            "document" => self.document(request.key.as_ref()),
            "documents" => {
                let ConsumerRequest { prefix, after, limit, .. } = &request;
                self.only_projections()?;
                let page = self.with(|defined| defined.machine.documents(prefix, after, *limit))?;
                Ok(shown::documents(&self.name()?.keeps, prefix, *limit, &page))
            }
            "reach" => self.reach(&request).await,
            act => self.operate(act).await,
        }
    }

    /// Defines the consumer or removes it, one such request after the other: what one has told the journals must not come
    /// between what another tells them and writes down here.
    async fn change(self: &Rc<Self>, request: &ConsumerRequest) -> Result<String, Failure> {
        let _turn = self.changing.lock().await;
        if request.act == "define" { self.define(request).await } else { self.remove().await }
    }

    /// Defines the consumer by a request, anew or for the first time, and has it woken by the journals.
    async fn define(self: &Rc<Self>, request: &ConsumerRequest) -> Result<String, Failure> {
        if self.code.borrow().is_some() {
            let detail = "this consumer is defined in the code of the deployment";
            return Err(Failure::new(ErrorCode::ConsumerDefinedInCode, detail));
        }
        let deployment = Deployment::of(&self.env, &request.asked_at);
        let mut definition = Definition::parse(&request.definition, &deployment)?;
        let known = self.look(|defined| Rc::clone(&defined.definition)).ok();
        if let Some(known) = &known {
            if known.kind != definition.kind {
                return Err(OpenError::KindFixed { kind: known.kind }.into());
            }
            if definition.after.is_some() && definition.after != known.after {
                let detail = "a consumer goes on from where it is: delete it first, to begin elsewhere";
                return Err(Failure::new(ErrorCode::ConsumerAfterFixed, detail).in_field("after"));
            }
            (definition.after, definition.end) = (known.after.clone(), known.end.clone());
        } else {
            self.begin(&mut definition).await?;
        }
        if definition.kind == Kind::Webhook && definition.secret.is_none() {
            let kept = known.as_ref().and_then(|known| known.secret.clone());
            definition.secret = Some(match kept {
                Some(secret) => secret,
                None => Secret::of(random_bytes()?).text(),
            });
        }
        if definition.kind == Kind::Queue {
            delivery::queue(&self.env, &definition).map_err(|reason| invalid("binding", &reason))?;
        }
        match &known {
            Some(known) if **known == definition => {}
            known => {
                let is_known = known.is_some();
                self.between_deliveries(|| self.redefine(&definition, is_known)).await?;
            }
        }
        for partition in 0..partitions(&self.env)? {
            self.journal(partition)?.register(self.name()?.keeps.clone()).await.map_err(unreachable)?;
        }
        // The duty to begin is durable before the answer leaves.
        self.woken(0)?;
        self.status(Shown::WithSecret).await
    }

    /// Makes it a consumer of this definition, which may be another than it had.
    fn redefine(&self, definition: &Definition, is_known: bool) -> Result<(), Failure> {
        if is_known {
            // What was delivered already is not to be delivered again.
            self.with(|defined| defined.machine.save())?;
        }
        let mut opened = self.open(definition.clone())?;
        kept::write(&self.sql, definition)?;
        if is_known {
            // What kept the events from arriving may be mended.
            opened.machine.renew(now())?;
        }
        *self.defined.borrow_mut() = Some(opened);
        self.reaching.tell_all();
        Ok(())
    }

    /// Finds out where a new consumer begins that is not to begin with the first event.
    async fn begin(&self, definition: &mut Definition) -> Result<(), Failure> {
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

    /// Removes the consumer and everything that it has, or what another one has left under its name.
    async fn remove(self: &Rc<Self>) -> Result<String, Failure> {
        let in_code = self.code.borrow().is_some();
        match self.look(|_| ()) {
            Ok(()) if in_code => {
                let detail = "this consumer is defined in the code of the deployment: remove it there";
                return Err(Failure::new(ErrorCode::ConsumerDefinedInCode, detail));
            }
            Err(failure) if failure.code == ErrorCode::ConsumerKindFixed => {}
            Err(failure)
                if failure.code == ErrorCode::ConsumerNotFound && kept::is_state_left(&self.sql)? => {}
            known => known?,
        }
        for partition in 0..partitions(&self.env)? {
            self.journal(partition)?.unregister(self.name()?.keeps.clone()).await.map_err(unreachable)?;
        }
        *self.defined.borrow_mut() = None;
        self.reaching.tell_all();
        let storage = self.state.storage();
        let removed = match storage.delete_alarm().await {
            Ok(()) => storage.delete_all().await,
            failed => failed,
        };
        removed.map_err(|error| Failure::new(ErrorCode::StorageFailed, error.to_string()))?;
        if in_code {
            // It has read nothing yet, of no partition.
            self.woken(0)?;
        }
        Ok("{}".to_owned())
    }

    /// `pause`, `resume`, `rebuild` or `retry`.
    async fn operate(self: &Rc<Self>, act: &str) -> Result<String, Failure> {
        self.with(|Defined { machine, .. }| match act {
            "pause" => machine.pause().map_err(Failure::from),
            "resume" => machine.resume(now()).map_err(Failure::from),
            "retry" => machine.retry(now()).map_err(Failure::from),
            "rebuild" => machine.rebuild(now()).map_err(Failure::from),
            _ => Err(Failure::new(ErrorCode::Internal, "a consumer cannot do this")),
        })?;
        self.start();
        self.status(Shown::Whole).await
    }

    /// Discards the dead letter of this id, or all where there is none.
    async fn discard(self: &Rc<Self>, id: Option<LetterId>) -> Result<String, Failure> {
        let (all, ids) = match id {
            Some(id) => (false, id.get()..=id.get()),
            // What is given up from now on is not among them.
            None => (true, 1..=self.with(|defined| defined.machine.last_letter())?),
        };
        if !self.with(|defined| defined.machine.discard(ids.clone()))? && !all {
            return Err(no_letter());
        }
        while all && self.with(|defined| defined.machine.discard(ids.clone()))? {
            Delay::from(Duration::ZERO).await;
        }
        // Another letter may have waited for it.
        self.start();
        Ok("{}".to_owned())
    }

    /// Where the feed ends now.
    async fn end(&self) -> Result<Checkpoint, Failure> {
        let journals = (0..partitions(&self.env)?).map(|partition| self.journal(partition));
        let journals = journals.collect::<Result<Vec<_>, _>>()?;
        end_of(&journals).await.map_err(unreachable)
    }

    /// How it does.
    async fn status(self: &Rc<Self>, shown: Shown) -> Result<String, Failure> {
        let end = self.end().await?;
        let name = &self.name()?.keeps;
        if let Err(failure) = self.look(|_| ()) {
            return self.not_opened(failure, &end, shown);
        }
        self.with(|Defined { definition, machine, .. }| {
            machine.status().map(|status| {
                if status.checkpoint.lag(&end) > 0 {
                    // An object that was out of memory has forgotten how many events it had passed over: it looks again.
                    self.start();
                }
                shown::status(name, definition, &status, &end, shown)
            })
        })
    }

    /// How a consumer does that cannot be opened: it has come nowhere, and the failure says why.
    fn not_opened(&self, failure: Failure, end: &Checkpoint, shown: Shown) -> Result<String, Failure> {
        let Some(definition) = self.in_code().or(kept::read(&self.sql)?) else { return Err(failure) };
        let begins = definition.begins(end.partitions()).ok().flatten();
        let checkpoint = begins.unwrap_or_else(|| Checkpoint::start(end.partitions()));
        let status = shown::not_begun(checkpoint, failure.detail.clone());
        Ok(shown::status(&self.name()?.keeps, &definition, &status, end, shown))
    }

    fn document(&self, key: Option<&DocumentKey>) -> Result<String, Failure> {
        let key = key.ok_or_else(|| Failure::new(ErrorCode::Internal, "no document was asked for"))?;
        self.only_projections()?;
        let document = self.with(|defined| defined.machine.document(key))?;
        match document {
            Some(document) => Ok(document.as_str().to_owned()),
            None => {
                Err(Failure::new(ErrorCode::DocumentNotFound, "the projection has no document of this key"))
            }
        }
    }

    pub(super) fn only_projections(&self) -> Result<(), Failure> {
        self.with(|defined| match defined.definition.kind {
            Kind::Projection => Ok(()),
            _ => Err(Failure::new(ErrorCode::ConsumerNotFound, "there is no projection of this name")),
        })
    }

    fn journal(&self, partition: usize) -> Result<Remote, Failure> {
        Remote::of_partition(&self.env, self.name()?.tenant(), partition)
            .map_err(|error| Failure::new(ErrorCode::Unavailable, error.to_string()))
    }
}

fn no_letter() -> Failure {
    Failure::new(ErrorCode::DeadLetterNotFound, "the consumer has no dead letter of this id")
}
