//! The messages to a journal.

use serde::{Deserialize, Serialize};
use sillok::store::{Commit, CommitHash, Forward, RecordedTime, StreamId, Version, partition_of};
use sillok_bridge::Failure;
use worker::Env;

use crate::objects::{ObjectName, RemoteError};

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

    /// Records what is new, and gives the version up to which the journal has the stream.
    pub(crate) async fn record(&self, forward: &Forward) -> Result<Version, RemoteError> {
        let (version, _) = self.0.call("record", &ForwardMessage::from(forward)).await?;
        Version::new(version).ok_or(RemoteError::Broken)
    }
}
