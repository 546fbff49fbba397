//! Pages of the feed, as the consumer's machine takes them.

use sillok::ErrorCode;
use sillok::handler::{FeedPage, Read};
use sillok::store::Checkpoint;
use sillok_bridge::{Failure, FeedValue, feed_page};

use super::opening::Inner;
use super::unreachable;
use crate::journal::{FeedRequest, Remote};
use crate::objects::partitions;

/// How many events a consumer asks for at once.
const PAGE_EVENTS: u64 = 200;

impl Inner {
    /// Reads a page of the feed from the journal.
    pub(super) async fn page(&self, read: Read) -> Result<FeedPage, Failure> {
        let filter = self.defined()?.definition.filter();
        let partitions = partitions(&self.env)?;
        let after = Checkpoint::start(partitions).at(read.partition, read.after).to_string();
        let name = self.name()?;
        let request = FeedRequest {
            feed: FeedValue { after: Some(after.into()), limit: Some(PAGE_EVENTS.into()), ..filter },
            consumer: Some(name.identity.clone()),
            heads: true,
        };
        let journal = Remote::of_partition(&self.env, name.tenant(), read.partition)
            .map_err(|error| Failure::new(ErrorCode::Unavailable, error.to_string()))?;
        let (reply, _) = journal.feed(request).await.map_err(unreachable)?;
        let page = reply.heads.and_then(|heads| feed_page(read, &reply.page, &heads, partitions));
        page.ok_or_else(|| Failure::new(ErrorCode::Unavailable, "the journal's page cannot be read"))
    }
}
