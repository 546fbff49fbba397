//! What is asked of a consumer.

use std::rc::Rc;

use sillok::ErrorCode;
use sillok::handler::{Consumer, DocumentKey, Kind, LetterId};
use sillok::store::{Checkpoint, Position};
use sillok_bridge::{Failure, now};

use super::opening::Inner;
use super::shown::Shown;
use super::{ConsumerRequest, Reach, kept, shown};
use crate::objects::{ObjectAlarm, ObjectSql, Receipt, pause};

type Machine = Consumer<ObjectSql, ObjectAlarm>;

impl Inner {
    /// Does what is asked, and answers with JSON and its price.
    pub(super) async fn ask(self: &Rc<Self>, request: ConsumerRequest) -> (Result<String, Failure>, Receipt) {
        match request {
            // It is waited for, and what others do meanwhile is none of its price.
            ConsumerRequest::Reach(reach) => self.reach(&reach).await,
            request => self.meter.spent_on(self.answer(request)).await,
        }
    }

    async fn answer(self: &Rc<Self>, request: ConsumerRequest) -> Result<String, Failure> {
        let shown = match request {
            ConsumerRequest::Define(define) => {
                // One after the other: what one has told the journals must not come between what another tells them and
                // writes down here.
                let _turn = self.changing.lock().await;
                self.define(&define).await?;
                Shown::WithSecret
            }
            ConsumerRequest::Remove => {
                let _turn = self.changing.lock().await;
                return self.remove().await;
            }
            ConsumerRequest::Discard(discard) => return self.discard(discard.letter).await,
            ConsumerRequest::Status(status) => Shown::of(status.whole),
            request => match self.in_a_turn(request)? {
                Some(answer) => return Ok(answer),
                None => Shown::Whole,
            },
        };
        self.status(shown).await
    }

    /// Does what awaits nothing. Without an answer of its own the status is shown.
    fn in_a_turn(self: &Rc<Self>, request: ConsumerRequest) -> Result<Option<String>, Failure> {
        match request {
            ConsumerRequest::Pause => self.with(|machine| Ok(machine.pause()?))?,
            ConsumerRequest::Resume => self.with(|machine| Ok(machine.resume(now())?))?,
            ConsumerRequest::Rebuild => self.with(|machine| Ok(machine.rebuild(now())?))?,
            ConsumerRequest::Retry => self.with(|machine| Ok(machine.retry(now())?))?,
            ConsumerRequest::Letters(page) => {
                let after = page.after.parse().unwrap_or_default();
                let letters = self.with(|machine| Ok(machine.dead_letters(after, page.limit)?))?;
                return Ok(Some(shown::letters(&self.name()?.keeps, page.limit, &letters)));
            }
            ConsumerRequest::Document(document) => return self.document(&document.key).map(Some),
            ConsumerRequest::Documents(page) => {
                self.only_projections()?;
                let found =
                    self.with(|machine| Ok(machine.documents(&page.prefix, &page.after, page.limit)?))?;
                let documents = shown::documents(&self.name()?.keeps, &page.prefix, page.limit, &found);
                return Ok(Some(documents));
            }
            _ => {}
        }
        self.begin()?;
        Ok(None)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Machine) -> Result<T, Failure>) -> Result<T, Failure> {
        work(self.defined()?.driver.machine())
    }

    /// Waits until the projection has come to a position, and says by `true` or `false` whether it has.
    async fn reach(self: &Rc<Self>, reach: &Reach) -> (Result<String, Failure>, Receipt) {
        let place = (reach.partition, Position::new(reach.position).unwrap_or_default());
        let reached = self.reaching.open();
        let asked = self
            .only_projections()
            .and_then(|()| self.drive(|driver, turn| driver.reach(turn, reached.id(), place, reach.millis)));
        if let Err(failure) = asked {
            return (Err(failure), self.meter.take());
        }
        match reached.answer().await {
            Some((reached, receipt)) => {
                (reached.map(|reached| reached.to_string()).map_err(Failure::from), receipt)
            }
            None => (Err(no_projection()), Receipt::default()),
        }
    }

    /// Discards the dead letter of this id, or all where there is none.
    async fn discard(self: &Rc<Self>, id: Option<LetterId>) -> Result<String, Failure> {
        let (all, ids) = match id {
            Some(id) => (false, id.get()..=id.get()),
            // What is given up from now on is not among them.
            None => (true, 1..=self.with(|machine| Ok(machine.last_letter()?))?),
        };
        if !self.with(|machine| Ok(machine.discard(ids.clone())?))? && !all {
            return Err(no_letter());
        }
        while all && self.with(|machine| Ok(machine.discard(ids.clone())?))? {
            pause(0).await;
        }
        // Another letter may have waited for it.
        self.begin()?;
        Ok("{}".to_owned())
    }

    /// How it does.
    pub(super) async fn status(self: &Rc<Self>, shown: Shown) -> Result<String, Failure> {
        let end = self.end().await?;
        let (status, definition) = match self.defined() {
            Ok(mut defined) => (defined.driver.machine().status()?, Rc::clone(&defined.definition)),
            Err(failure) => return self.not_opened(failure, &end, shown),
        };
        if status.checkpoint.lag(&end) > 0 {
            // An object that was out of memory has forgotten how many events it had passed over: it looks again.
            self.begin()?;
        }
        Ok(shown::status(&self.name()?.keeps, &definition, &status, &end, shown))
    }

    /// How a consumer does that cannot be opened: it has come nowhere, and the failure says why.
    fn not_opened(&self, failure: Failure, end: &Checkpoint, shown: Shown) -> Result<String, Failure> {
        let Some(definition) = self.in_code().or(kept::read(&self.sql)?) else { return Err(failure) };
        let begins = definition.begins(end.partitions()).ok().flatten();
        let checkpoint = begins.unwrap_or_else(|| Checkpoint::start(end.partitions()));
        let status = shown::not_begun(checkpoint, failure.detail.clone());
        Ok(shown::status(&self.name()?.keeps, &definition, &status, end, shown))
    }

    fn document(&self, key: &DocumentKey) -> Result<String, Failure> {
        self.only_projections()?;
        match self.with(|machine| Ok(machine.document(key)?))? {
            Some(document) => Ok(document.as_str().to_owned()),
            None => {
                Err(Failure::new(ErrorCode::DocumentNotFound, "the projection has no document of this key"))
            }
        }
    }

    fn only_projections(&self) -> Result<(), Failure> {
        match self.defined()?.definition.kind {
            Kind::Projection => Ok(()),
            _ => Err(no_projection()),
        }
    }
}

fn no_projection() -> Failure {
    Failure::new(ErrorCode::ConsumerNotFound, "there is no projection of this name")
}

fn no_letter() -> Failure {
    Failure::new(ErrorCode::DeadLetterNotFound, "the consumer has no dead letter of this id")
}
