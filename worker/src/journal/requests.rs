//! The requests to a journal: converts messages to values of the core, and back.

use std::cell::RefCell;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::RecordError;
use sillok::store::{FeedLog, Position, Version, read_directory};
use sillok_bridge::{DirectoryPageJson, DirectoryValue, Failure, parse_directory, parse_feed, read_feed};

use super::Inner;
use super::carrying_out::Driver;
use super::rpc::{FeedReply, FeedRequest, ForwardMessage, JournalStatus, PositionRequest};
use crate::objects::{Call, Driven, Receipt, forgotten, partitions};

impl Inner {
    /// Records a forward. It has no price, because it shares its row with other forwards.
    pub(super) async fn record(self: Rc<Self>, message: ForwardMessage) -> (Result<u64, Failure>, Receipt) {
        let forward = match self.checked().and_then(|_| message.forward()) {
            Ok(forward) => forward,
            Err(failure) => return (Err(failure), Receipt::default()),
        };
        let recorded = self.recording.open();
        let given = self.drive(|driver, turn| driver.record(turn, recorded.id(), forward));
        let (version, _) = answer(given, recorded).await;
        (version.map(Version::get), Receipt::default())
    }

    /// Returns the position of an event, once the journal has it. The request contains the longest wait.
    pub(super) async fn position_of(
        self: Rc<Self>,
        PositionRequest { stream, version, millis }: PositionRequest,
    ) -> (Result<Option<u64>, Failure>, Receipt) {
        if let Err(failure) = self.checked() {
            return (Err(failure), Receipt::default());
        }
        let version = Version::new(version).unwrap_or(Version::MAX);
        let located = self.locating.open();
        let given = self.drive(|driver, turn| driver.locate(turn, located.id(), stream, version, millis));
        let (position, receipt) = answer(given, located).await;
        (position.map(|position| position.map(Position::get)), receipt)
    }

    /// Reads one page of the feed, from this partition's position in the checkpoint.
    pub(super) fn read_feed(&self, request: &FeedRequest) -> Result<FeedReply, Failure> {
        let partition = self.partition()?;
        let (checkpoint, range) = parse_feed(&request.feed, partition, partitions(&self.env)?)?;
        self.checked()?.borrow_mut().read_page(request.consumer.as_ref(), |journal| {
            let mut heads = request.heads.then(String::new);
            let page = read_feed(journal, &range, &checkpoint, partition, heads.as_mut())?;
            let (end, more) = (FeedLog::end(journal)?.get(), page.more);
            Ok((FeedReply { page, end, heads }, more))
        })
    }

    pub(super) fn read_streams(&self, request: &DirectoryValue) -> Result<DirectoryPageJson, Failure> {
        let range = parse_directory(request)?;
        let driver = self.checked()?.borrow();
        let page = read_directory(driver.journal()?, &range)?;
        Ok(DirectoryPageJson::from(page))
    }

    pub(super) fn status(&self) -> Result<JournalStatus, Failure> {
        let mut driver = self.checked()?.borrow_mut();
        let end = FeedLog::end(driver.journal()?)?;
        let consumers = driver.wakes().names()?;
        let (partition, since_start) = (self.partition()?, self.driving.meter.total());
        Ok(JournalStatus { partition, end: end.get(), consumers, since_start })
    }

    /// The driver, if the number of partitions is known.
    fn checked(&self) -> Result<&RefCell<Driver>, Failure> {
        self.partitions.as_ref().map(|_| &self.driver).map_err(Failure::clone)
    }

    /// The number of this partition, from the object's own name.
    fn partition(&self) -> Result<usize, Failure> {
        let name = self.name.as_ref().map(|name| name.identity.0);
        name.ok_or_else(|| {
            Failure::new(ErrorCode::Internal, "the object was not found by the number of a partition")
        })
    }
}

async fn answer<T>(
    given: Result<(), Failure>,
    call: Call<'_, Result<T, RecordError>>,
) -> (Result<T, Failure>, Receipt) {
    let (answer, receipt) = call.answer_to(given, Receipt::default, forgotten).await;
    (answer.and_then(|answer| Ok(answer?)), receipt)
}
