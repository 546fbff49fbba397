//! The messages to a journal.

use serde::{Deserialize, Serialize};
use sillok::store::{Commit, CommitHash, Forward, RecordedTime, StreamId, Version, partition_of};
use sillok_bridge::{Failure, FeedPageJson, FeedValue};
use worker::Env;

use crate::objects::{Answered, ObjectName, RemoteError};

/// The binding of the objects, as wrangler.toml names it.
const BINDING: &str = "JOURNAL";

/// Commits of one stream on their way to the journal. The hashes and the keys stay with the stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ForwardMessage {
    stream: String,
    base: u64,
    hidden: u64,
    deleted: bool,
    commits: Vec<CommitMessage>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CommitMessage {
    first: u64,
    version: u64,
    time: u64,
    events: Box<str>,
}

impl From<&Forward> for ForwardMessage {
    fn from(forward: &Forward) -> Self {
        let commits = forward.commits.iter().map(|commit| CommitMessage {
            first: commit.first_version.get(),
            version: commit.version.get(),
            time: commit.time.as_millis(),
            events: commit.events.clone(),
        });
        Self {
            stream: forward.stream.as_str().to_owned(),
            base: forward.base.get(),
            hidden: forward.hidden.get(),
            deleted: forward.deleted,
            commits: commits.collect(),
        }
    }
}

impl ForwardMessage {
    /// How much memory it takes, about.
    pub(super) fn size(&self) -> usize {
        self.commits.iter().map(|commit| commit.events.len()).sum::<usize>() + self.stream.len()
    }

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
            stream: StreamId::new(&self.stream)?,
            base: version(self.base)?,
            hidden: version(self.hidden)?,
            deleted: self.deleted,
        })
    }
}

fn version(number: u64) -> Result<Version, Failure> {
    Version::new(number).ok_or_else(|| Failure::new("internal", format!("{number} is no version")))
}

/// The name of a consumer that is to be woken, or not any more.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConsumerRequest {
    pub(crate) consumer: String,
}

/// What part of a partition of the feed to read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FeedRequest {
    pub(crate) feed: FeedValue,
    pub(crate) partition: usize,
    pub(crate) partitions: usize,
    /// The consumer that reads, which is woken again once it has read to the end.
    pub(crate) consumer: Option<String>,
}

/// An event whose position is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PositionRequest {
    pub(super) stream: String,
    pub(super) version: u64,
}

/// The journal of one partition.
pub(crate) struct Remote(crate::objects::Remote);

impl Remote {
    /// The journal that keeps this stream of the tenant of `of`, the name of another object.
    pub(crate) fn of_stream(
        env: &Env,
        of: &ObjectName,
        stream: &StreamId,
        partitions: usize,
    ) -> worker::Result<Self> {
        let name = of.sibling(partition_of(stream, partitions));
        crate::objects::Remote::find(env, BINDING, &name).map(Self)
    }

    /// A partition of the journal of the tenant of `of`, the name of another object.
    pub(crate) fn of_partition(env: &Env, of: &ObjectName, partition: usize) -> worker::Result<Self> {
        crate::objects::Remote::find(env, BINDING, &of.sibling(partition)).map(Self)
    }

    /// Reads a page of the feed.
    pub(crate) async fn feed(&self, request: &FeedRequest) -> Answered<FeedPageJson> {
        self.0.call("feed", request).await
    }

    /// The position of the last event.
    pub(crate) async fn end(&self) -> Answered<u64> {
        self.0.call("end", &()).await
    }

    /// The position of the stream's last event, once the journal has the stream up to a version.
    pub(crate) async fn position_of(&self, stream: &StreamId, version: Version) -> Answered<Option<u64>> {
        let request = PositionRequest { stream: stream.as_str().to_owned(), version: version.get() };
        self.0.call("positionOf", &request).await
    }

    /// The names of the consumers that are woken.
    pub(crate) async fn consumers(&self) -> Answered<Vec<String>> {
        self.0.call("consumers", &()).await
    }

    /// Makes durable that a consumer is woken.
    pub(crate) async fn register(&self, consumer: String) -> Answered<()> {
        self.0.call("register", &ConsumerRequest { consumer }).await
    }

    /// Makes durable that a consumer is not woken any more.
    pub(crate) async fn unregister(&self, consumer: String) -> Answered<()> {
        self.0.call("unregister", &ConsumerRequest { consumer }).await
    }

    /// Records what is new, and gives the version up to which the journal has the stream.
    pub(crate) async fn record(&self, forward: &Forward) -> Result<Version, RemoteError> {
        let (version, _) = self.0.call("record", &ForwardMessage::from(forward)).await?;
        Version::new(version).ok_or(RemoteError::Broken)
    }
}
