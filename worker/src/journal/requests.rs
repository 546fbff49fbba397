//! The requests to a journal: converts messages to values of the core, and back.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use sillok::ErrorCode;
use sillok::gateway::RecordError;
use sillok::store::{FeedLog, Position, Version, read_directory};
use sillok_bridge::{
    DirectoryPageJson, DirectoryValue, Failure, FeedHeadsPage, parse_directory, parse_feed, read_feed,
    read_feed_heads,
};

use super::Inner;
use super::carrying_out::Driver;
use super::rpc::{FeedReply, FeedRequest, ForwardMessage, JournalStatus, PositionRequest};
use crate::objects::{Receipt, partitions};

impl Inner {
    /// Records a forward. It has no price, because several forwards share one row.
    pub(super) async fn record(self: Rc<Self>, message: ForwardMessage) -> (Result<u64, Failure>, Receipt) {
        let (call, answered) = self.recording.open();
        let recorded = match message.forward() {
            Ok(forward) => self.drive(|driver, turn| driver.record(turn, call, forward)),
            Err(failure) => Err(failure),
        };
        let (version, _) = match recorded {
            Ok(()) => answer(answered).await,
            Err(failure) => (Err(failure), Receipt::default()),
        };
        (version.map(Version::get), Receipt::default())
    }

    /// Finds the position of an event as soon as the journal has it. The request says how long to wait.
    pub(super) async fn position_of(
        self: Rc<Self>,
        PositionRequest { stream, version, millis }: PositionRequest,
    ) -> (Result<Option<u64>, Failure>, Receipt) {
        let version = Version::new(version).unwrap_or(Version::MAX);
        let (call, answered) = self.locating.open();
        if let Err(failure) = self.drive(|driver, turn| driver.locate(turn, call, stream, version, millis)) {
            return (Err(failure), Receipt::default());
        }
        let (position, receipt) = answer(answered).await;
        (position.map(|position| position.map(Position::get)), receipt)
    }

    /// Reads one page of the feed from this partition's place in the checkpoint.
    pub(super) fn read_feed(&self, request: &FeedRequest) -> Result<FeedReply, Failure> {
        let partition = self.partition()?;
        let (checkpoint, range) = parse_feed(&request.feed, partition, partitions(&self.env)?)?;
        let mut driver = self.driver()?.borrow_mut();
        let journal = driver.journal().map_err(record_failure)?;
        let page = read_feed(journal, &range, &checkpoint, partition)?;
        let end = FeedLog::end(journal)?.get();
        // A consumer of the previous version calls this method.
        if let Some(consumer) = &request.consumer {
            driver.wakes().was_read(consumer, page.more);
        }
        Ok(FeedReply { page, end })
    }

    /// Reads one page of the feed for a consumer.
    pub(super) fn read_page(&self, request: &FeedRequest) -> Result<FeedHeadsPage, Failure> {
        let partition = self.partition()?;
        let (checkpoint, range) = parse_feed(&request.feed, partition, partitions(&self.env)?)?;
        let mut driver = self.driver()?.borrow_mut();
        let journal = driver.journal().map_err(record_failure)?;
        let page = read_feed_heads(journal, &range, &checkpoint, partition)?;
        if let Some(consumer) = &request.consumer {
            driver.wakes().was_read(consumer, page.more);
        }
        Ok(page)
    }

    pub(super) fn read_streams(&self, request: &DirectoryValue) -> Result<DirectoryPageJson, Failure> {
        let range = parse_directory(request)?;
        let driver = self.driver()?.borrow();
        let page = read_directory(driver.journal().map_err(record_failure)?, &range)?;
        Ok(DirectoryPageJson::from(page))
    }

    pub(super) fn status(&self) -> Result<JournalStatus, Failure> {
        let mut driver = self.driver()?.borrow_mut();
        let end = FeedLog::end(driver.journal().map_err(record_failure)?)?;
        let consumers = driver.wakes().names()?;
        let (partition, since_start) = (self.partition()?, self.meter.total());
        Ok(JournalStatus { partition, end: end.get(), consumers, since_start })
    }

    pub(super) fn driver(&self) -> Result<&RefCell<Driver>, Failure> {
        self.driver.as_ref().map_err(Failure::clone)
    }

    /// The number of this partition, which is the object's own name.
    fn partition(&self) -> Result<usize, Failure> {
        let name = self.name.as_ref().map(|name| name.identity.0);
        name.ok_or_else(|| {
            Failure::new(ErrorCode::Internal, "the object was not found by the number of a partition")
        })
    }
}

async fn answer<T>(
    answered: oneshot::Receiver<(Result<T, RecordError>, Receipt)>,
) -> (Result<T, Failure>, Receipt) {
    match answered.await {
        Ok((answer, receipt)) => (answer.map_err(record_failure), receipt),
        Err(_) => {
            (Err(Failure::new(ErrorCode::Unavailable, "the object has ended; try again")), Receipt::default())
        }
    }
}

// `map_err` passes the error by value.
#[allow(clippy::needless_pass_by_value)]
fn record_failure(error: RecordError) -> Failure {
    Failure::new(error.code(), error.to_string())
}
