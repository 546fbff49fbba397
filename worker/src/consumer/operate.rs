//! The requests to a consumer.

use std::rc::Rc;

use sillok::ErrorCode;
use sillok::handler::{Consumer, DocumentKey, Kind, LetterId, Operation};
use sillok::store::{Checkpoint, Position};
use sillok_bridge::{Failure, followed_json};

use super::opening::{Inner, no_consumer};
use super::shown::Shown;
use super::{ConsumerRequest, FollowRequest, Reach, shown, stored_definition};
use crate::objects::{Driven, ObjectAlarm, ObjectSql, Receipt};

type Machine = Consumer<ObjectSql, ObjectAlarm>;

impl Inner {
    /// Carries out a request, and returns JSON and its price.
    pub(super) async fn ask(self: &Rc<Self>, request: ConsumerRequest) -> (Result<String, Failure>, Receipt) {
        match request {
            // The driver answers these two later, and counts their price.
            ConsumerRequest::Reach(reach) => self.reach(&reach).await,
            ConsumerRequest::Discard(discard) => self.discard(discard.letter).await,
            request => self.driving.meter.spent_on(self.answer(request)).await,
        }
    }

    async fn answer(self: &Rc<Self>, request: ConsumerRequest) -> Result<String, Failure> {
        let shown = match request {
            ConsumerRequest::Define(define) => {
                // Definitions and removals run one after the other. Otherwise the registration of one could come between the
                // registration of another and its stored definition.
                let _turn = self.changing.lock().await;
                self.define(&define).await?;
                Shown::WithSecret
            }
            ConsumerRequest::Remove => {
                let _turn = self.changing.lock().await;
                return self.remove().await;
            }
            ConsumerRequest::Status(status) => Shown::of(status.whole),
            request => match self.in_a_turn(request)? {
                Some(answer) => return Ok(answer),
                None => Shown::Whole,
            },
        };
        self.status(shown).await
    }

    /// Carries out a request in one turn. `None` means that the answer is the status.
    fn in_a_turn(self: &Rc<Self>, request: ConsumerRequest) -> Result<Option<String>, Failure> {
        match request {
            ConsumerRequest::Pause => self.operate(Operation::Pause)?,
            ConsumerRequest::Resume => self.operate(Operation::Resume)?,
            ConsumerRequest::Rebuild => self.operate(Operation::Rebuild)?,
            ConsumerRequest::Retry => self.operate(Operation::Retry)?,
            ConsumerRequest::Letters(page) => {
                let after = page.after.parse().unwrap_or_default();
                let letters = self.with(|machine| Ok(machine.dead_letters(after, page.limit)?))?;
                return Ok(Some(shown::letters(&self.name()?.identity, page.limit, &letters)));
            }
            ConsumerRequest::Document(document) => return self.document(&document.key).map(Some),
            ConsumerRequest::Documents(page) => {
                self.only_projections()?;
                let found =
                    self.with(|machine| Ok(machine.documents(&page.prefix, &page.after, page.limit)?))?;
                let documents = shown::documents(&self.name()?.identity, &page.prefix, page.limit, &found);
                return Ok(Some(documents));
            }
            ConsumerRequest::Follow(FollowRequest { prefix, after, begins }) => {
                self.only_projections()?;
                let found = self.with(|machine| Ok(machine.follow(&prefix, after.as_deref(), begins)?))?;
                return Ok(Some(followed_json(&found)));
            }
            _ => {}
        }
        Ok(None)
    }

    fn operate(self: &Rc<Self>, operation: Operation) -> Result<(), Failure> {
        Ok(self.drive(|driver, turn| driver.operate(turn, operation))??)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Machine) -> Result<T, Failure>) -> Result<T, Failure> {
        work(self.defined()?.driver.machine())
    }

    /// Waits until the projection has reached a position, and returns `true` or `false`.
    async fn reach(self: &Rc<Self>, reach: &Reach) -> (Result<String, Failure>, Receipt) {
        let place = (reach.partition, Position::new(reach.position).unwrap_or_default());
        let call = self.requests.open();
        let given = self
            .only_projections()
            .and_then(|()| self.drive(|driver, turn| driver.reach(turn, call.id(), place, reach.millis)));
        let (reached, receipt) = call.answer_to(given, || self.driving.meter.take(), no_projection).await;
        (reached.and_then(|reached| Ok(reached?.to_string())), receipt)
    }

    /// Discards the dead letter of this id, or all of them if there is no id.
    async fn discard(self: &Rc<Self>, id: Option<LetterId>) -> (Result<String, Failure>, Receipt) {
        let call = self.requests.open();
        let given = self.drive(|driver, turn| driver.discard(turn, call.id(), id));
        let (discarded, receipt) = call.answer_to(given, || self.driving.meter.take(), no_consumer).await;
        let discarded = discarded.and_then(|any| if any? { Ok("{}".to_owned()) } else { Err(no_letter()) });
        (discarded, receipt)
    }

    /// The status of the consumer.
    pub(super) async fn status(self: &Rc<Self>, shown: Shown) -> Result<String, Failure> {
        let end = self.end().await?;
        let definition = self.defined().map(|defined| Rc::clone(&defined.definition));
        let definition = match definition {
            Ok(definition) => definition,
            Err(failure) => return self.not_opened(failure, &end, shown),
        };
        let status = self.drive(|driver, turn| driver.status(turn, &end))??;
        Ok(shown::status(&self.name()?.identity, &definition, &status, &end, shown))
    }

    /// The status of a consumer that cannot be opened. It is at the beginning, and the failure is its error.
    fn not_opened(&self, failure: Failure, end: &Checkpoint, shown: Shown) -> Result<String, Failure> {
        let Some(definition) = self.in_code().or(stored_definition::read(&self.sql)?) else {
            return Err(failure);
        };
        let begins = definition.begins(end.partitions()).ok().flatten();
        let checkpoint = begins.unwrap_or_else(|| Checkpoint::start(end.partitions()));
        let status = shown::not_begun(checkpoint, failure.detail.clone());
        Ok(shown::status(&self.name()?.identity, &definition, &status, end, shown))
    }

    fn document(self: &Rc<Self>, key: &DocumentKey) -> Result<String, Failure> {
        self.only_projections()?;
        match self.with(|machine| Ok(machine.document(key)?))? {
            Some(document) => Ok(document.as_str().to_owned()),
            None => {
                Err(Failure::new(ErrorCode::DocumentNotFound, "the projection has no document of this key"))
            }
        }
    }

    /// Refuses a request for documents to another consumer. A projection of new code begins to rebuild itself.
    fn only_projections(self: &Rc<Self>) -> Result<(), Failure> {
        let kind = self.defined()?.definition.kind;
        match kind {
            Kind::Projection => self.drive(|driver, turn| driver.asked(turn)),
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
