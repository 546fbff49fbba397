//! Pages of the feed, as the consumer's machine takes them.

use serde::Deserialize;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::handler::{FeedEvent, FeedPage, Read};
use sillok::store::{Checkpoint, EventId, EventType, Position, StreamId, Version};
use sillok_bridge::{Failure, FeedPageJson, FeedValue};

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
            consumer: Some(name.keeps.clone()),
        };
        let journal = Remote::of_partition(&self.env, name.tenant(), read.partition)
            .map_err(|error| Failure::new(ErrorCode::Unavailable, error.to_string()))?;
        let (reply, _) = journal.feed(&request).await.map_err(unreachable)?;
        page_of(read, &reply.page, partitions)
            .ok_or_else(|| Failure::new(ErrorCode::Internal, "the feed's page has another shape"))
    }
}

fn page_of(read: Read, page: &FeedPageJson, partitions: usize) -> Option<FeedPage> {
    let events: Vec<&RawValue> = serde_json::from_str(&page.events).ok()?;
    let after = Checkpoint::parse(&page.checkpoint, partitions).ok()?.position(read.partition);
    let events = events.into_iter().map(event_of).collect::<Option<Vec<_>>>()?;
    Some(FeedPage { read, events, after, more: page.more })
}

fn event_of(event: &RawValue) -> Option<FeedEvent> {
    #[derive(Deserialize)]
    struct Head {
        position: u64,
        stream: String,
        version: u64,
        id: String,
        #[serde(rename = "type")]
        event_type: String,
    }
    let Head { position, stream, version, id, event_type } = serde_json::from_str(event.get()).ok()?;
    Some(FeedEvent {
        position: Position::new(position)?,
        stream: StreamId::new(&stream).ok()?,
        version: Version::new(version)?,
        id: EventId::new(&id).ok()?,
        event_type: EventType::new(&event_type).ok()?,
        json: event.get().to_owned(),
    })
}
