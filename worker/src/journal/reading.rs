//! Reading the journal: the feed, the directory, and how it stands.

use sillok::ErrorCode;
use sillok::gateway::{Journal, RecordError};
use sillok::store::{FeedLog, read_directory};
use sillok_bridge::{DirectoryPageJson, DirectoryValue, Failure, parse_directory, parse_feed, read_feed};

use super::Keeper;
use super::rpc::{FeedReply, FeedRequest, JournalStatus};
use crate::objects::{ObjectSql, partitions};

impl Keeper {
    /// Reads one page of the feed from this partition's place in the checkpoint.
    pub(super) fn read_feed(&self, request: &FeedRequest) -> Result<FeedReply, Failure> {
        let partition = self.partition()?;
        let (checkpoint, range) = parse_feed(&request.feed, partition, partitions(&self.env)?)?;
        let reply = self.with_journal(|journal| {
            let page = read_feed(journal, &range, &checkpoint, partition)?;
            FeedLog::end(journal).map(|end| FeedReply { page, end: end.get() }).map_err(Failure::from)
        })?;
        if let Some(consumer) = &request.consumer {
            self.wakes.borrow_mut().was_read(consumer, reply.page.more);
        }
        Ok(reply)
    }

    pub(super) fn read_streams(&self, request: &DirectoryValue) -> Result<DirectoryPageJson, Failure> {
        let range = parse_directory(request)?;
        let page = self.with_journal(|journal| read_directory(journal, &range))?;
        Ok(DirectoryPageJson::from(page))
    }

    pub(super) fn status(&self) -> Result<JournalStatus, Failure> {
        let end = self.with_journal(FeedLog::end)?;
        let consumers = self.wakes.borrow_mut().names()?;
        let (partition, since_start) = (self.partition()?, self.meter.total());
        Ok(JournalStatus { partition, end: end.get(), consumers, since_start })
    }

    /// Reads the journal, unless it is not of as many partitions as the deployment says: then some streams would be
    /// looked for where they are not.
    pub(super) fn with_journal<T, E>(
        &self,
        read: impl FnOnce(&Journal<ObjectSql>) -> Result<T, E>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let journal = self.journal.borrow();
        let journal = journal.as_ref().map_err(Failure::clone)?;
        journal.check_partitions().map_err(|error| record_failure(&error))?;
        Ok(read(journal)?)
    }

    /// Which partition this is, as the object's own name tells.
    fn partition(&self) -> Result<usize, Failure> {
        let name = self.name.as_ref().map(|name| name.keeps.0);
        name.ok_or_else(|| {
            Failure::new(ErrorCode::Internal, "the object was not found by the number of a partition")
        })
    }
}

pub(super) fn record_failure(error: &RecordError) -> Failure {
    Failure::new(error.code(), error.to_string())
}
