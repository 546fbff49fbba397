//! The messages to a journal.

use std::pin::Pin;

use serde::{Serialize, Serializer};
use sillok::ErrorCode;
use sillok::gateway::{Forward, partition_of};
use sillok::handler::ConsumerName;
use sillok::store::{Checkpoint, Commit, CommitHash, Position, RecordedTime, StreamId, Tenant, Version};
use sillok_bridge::{DirectoryPageJson, DirectoryValue, Failure, FeedPageJson, FeedValue, message};
use worker::Env;

use crate::objects::{Nudges, ObjectName, Partition, Receipt, RemoteError, Reply};

/// Commits of one stream on their way to the journal. The hashes and the keys stay with the stream.
#[derive(Debug)]
pub(super) struct ForwardMessage {
    stream: StreamId,
    base: u64,
    hidden: u64,
    deleted: bool,
    commits: Vec<CommitMessage>,
}

message!(ForwardMessage {
    stream: "stream",
    base: "base",
    hidden: "hidden",
    deleted: "deleted",
    commits: "commits",
});

#[derive(Debug)]
struct CommitMessage {
    first: u64,
    version: u64,
    time: u64,
    events: Box<str>,
}

message!(CommitMessage { first: "first", version: "version", time: "time", events: "events" });

impl From<Forward> for ForwardMessage {
    fn from(forward: Forward) -> Self {
        let commits = forward.commits.into_iter().map(|commit| CommitMessage {
            first: commit.first_version.get(),
            version: commit.version.get(),
            time: commit.time.as_millis(),
            events: commit.events,
        });
        Self {
            stream: forward.stream,
            base: forward.base.get(),
            hidden: forward.hidden.get(),
            deleted: forward.deleted,
            commits: commits.collect(),
        }
    }
}

impl ForwardMessage {
    pub(super) fn forward(self) -> Result<Forward, Failure> {
        let commits = self.commits.into_iter().map(|commit| {
            Ok(Commit {
                first_version: version(commit.first)?,
                version: version(commit.version)?,
                time: RecordedTime::from_millis(commit.time),
                events: commit.events,
                hash: CommitHash::NONE,
                key: None,
            })
        });
        Ok(Forward {
            commits: commits.collect::<Result<_, Failure>>()?,
            stream: self.stream,
            base: version(self.base)?,
            hidden: version(self.hidden)?,
            deleted: self.deleted,
        })
    }
}

fn version(number: u64) -> Result<Version, Failure> {
    Version::new(number)
        .ok_or_else(|| Failure::new(ErrorCode::Internal, format!("{number} is not a version")))
}

/// The part of the feed to read.
#[derive(Debug)]
pub(crate) struct FeedRequest {
    pub(crate) feed: FeedValue,
    /// The consumer that reads. After it has read to the end, the journal wakes it again.
    pub(crate) consumer: Option<ConsumerName>,
    /// Whether the reply has heads.
    pub(crate) heads: bool,
}

message!(FeedRequest { feed: "feed", consumer: "consumer", heads: "heads" });

/// A page of the feed, and the end of the partition.
#[derive(Debug)]
pub(crate) struct FeedReply {
    pub(crate) page: FeedPageJson,
    pub(crate) end: u64,
    /// The parts of the events that a consumer needs, so that it does not parse them.
    pub(crate) heads: Option<String>,
}

message!(FeedReply { page: "page", end: "end", heads: "heads" });

/// Asks for the position of a version of a stream.
#[derive(Debug)]
pub(crate) struct PositionRequest {
    pub(crate) stream: StreamId,
    pub(crate) version: u64,
    /// The longest wait, in milliseconds.
    pub(crate) millis: u64,
}

message!(PositionRequest { stream: "stream", version: "version", millis: "millis" });

/// The status of a journal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JournalStatus {
    pub(crate) partition: usize,
    /// The position of the last event.
    pub(crate) end: u64,
    /// The consumers that the journal wakes.
    #[serde(serialize_with = "as_texts")]
    pub(crate) consumers: Vec<ConsumerName>,
    /// The rows that the object has written and read since its start.
    pub(crate) since_start: Receipt,
}

message!(JournalStatus {
    partition: "partition",
    end: "end",
    consumers: "consumers",
    since_start: "sinceStart",
});

fn as_texts<S: Serializer>(names: &[ConsumerName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(ConsumerName::as_str))
}

/// The name of a consumer to register or to unregister.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) consumer: ConsumerName,
}

message!(Registration { consumer: "consumer" });

/// The journal of one partition.
pub(crate) struct Remote(crate::objects::Remote);

// The requests are values, so that no future of a caller contains them.
#[allow(clippy::needless_pass_by_value)]
impl Remote {
    /// The journal that stores this stream of the tenant.
    pub(crate) fn of_stream(
        env: &Env,
        tenant: Option<&Tenant>,
        stream: &StreamId,
        partitions: usize,
    ) -> worker::Result<Self> {
        Self::of_partition(env, tenant, partition_of(stream, partitions))
    }

    /// The journal of one of the tenant's partitions.
    pub(crate) fn of_partition(env: &Env, tenant: Option<&Tenant>, partition: usize) -> worker::Result<Self> {
        crate::objects::Remote::find(env, &ObjectName::new(tenant, Partition(partition))).map(Self)
    }

    pub(crate) fn feed(&self, request: FeedRequest) -> Reply<'_, FeedReply> {
        self.0.call("feed", &request)
    }

    pub(crate) fn streams(&self, request: &DirectoryValue) -> Reply<'_, DirectoryPageJson> {
        self.0.call("streams", request)
    }

    pub(crate) fn status(&self) -> Reply<'_, JournalStatus> {
        self.0.call("status", &())
    }

    /// The position of the stream's last event, once the journal has the stream up to a version. `None` if the journal does not
    /// have the version after `millis` milliseconds.
    pub(crate) fn position_of(
        &self,
        stream: &StreamId,
        version: Version,
        millis: u64,
    ) -> Reply<'_, Option<u64>> {
        let request = PositionRequest { stream: stream.clone(), version: version.get(), millis };
        self.0.call("positionOf", &request)
    }

    /// Registers a consumer durably. The journal then wakes it.
    pub(crate) fn register(&self, consumer: ConsumerName) -> Reply<'_, ()> {
        self.0.call("register", &Registration { consumer })
    }

    /// Removes a consumer durably. The journal then no longer wakes it.
    pub(crate) fn unregister(&self, consumer: ConsumerName) -> Reply<'_, ()> {
        self.0.call("unregister", &Registration { consumer })
    }

    /// Opens a WebSocket to the object. The object sends over it that the feed has grown.
    pub(crate) async fn follow(&self) -> Result<Nudges, RemoteError> {
        self.0.follow().await
    }

    /// Records a forward, and returns the version up to which the journal has the stream.
    pub(crate) async fn record(&self, forward: Forward) -> Result<Version, RemoteError> {
        let (version, _) = self.0.call("record", &ForwardMessage::from(forward)).await?;
        Version::new(version).ok_or_else(|| RemoteError::unreadable("the version of a stream"))
    }
}

/// The present end of a feed. `journals` are all its partitions. The future is boxed, so that it is not a part of every
/// caller's future.
pub(crate) fn end_of(
    journals: &[Remote],
) -> Pin<Box<dyn Future<Output = Result<Checkpoint, RemoteError>> + '_>> {
    Box::pin(async move {
        let mut end = Checkpoint::start(journals.len());
        for (partition, journal) in journals.iter().enumerate() {
            let (status, _) = journal.status().await?;
            end = end.at(partition, Position::new(status.end).unwrap_or_default());
        }
        Ok(end)
    })
}
