//! The stored form of commits that are recorded together: one JSON array.
//!
//! `[{"stream":…,"first":…,"version":…,"time":…,"events":[…]},…]`. The events are exactly the text that the stream
//! stores. The hashes stay in the streams, where the hash chain is verified.

use std::borrow::Cow;

use crate::store::CommitHash;
use crate::store::FeedCommit;
use crate::store::Position;
use crate::store::RecordedTime;
use crate::store::StorageError;
use crate::store::StreamId;
use crate::store::Version;
use crate::store::events::json_reader::{decoded, objects};
use crate::store::events::json_text::json_string;
use crate::store::limits::{JOURNAL_GROUP_BYTES, ROW_BYTES, ROW_FRAME_BYTES};
use crate::store::{Commit, CommitView};

/// The commits of one row.
#[derive(Debug)]
pub(super) struct Group {
    end: Position,
    text: String,
}

impl Group {
    /// A group whose first event follows directly on `end`.
    pub(super) fn after(end: Position) -> Self {
        Self { end, text: String::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether the commit belongs into this row. A commit from the time of a higher limit may need a row of its own.
    pub(super) fn has_room_for(&self, commit: &Commit) -> bool {
        let bytes = self.text.len() + commit.events.len() + ROW_FRAME_BYTES;
        self.is_empty() || (self.text.len() < JOURNAL_GROUP_BYTES && bytes <= ROW_BYTES)
    }

    /// The position of the last event.
    pub(super) fn end(&self) -> Position {
        self.end
    }

    /// The text of the row.
    pub(super) fn text(&self) -> String {
        format!("[{}]", self.text)
    }

    /// Adds a commit. Returns the position of its last event.
    pub(super) fn add(&mut self, stream: &StreamId, commit: &Commit) -> Result<Position, StorageError> {
        let full = || StorageError::failed("no position is left");
        self.end = self.end.after(commit.count()).ok_or_else(full)?;
        let separator = if self.text.is_empty() { "" } else { "," };
        let Commit { first_version, version, time, events, .. } = commit;
        let (stream, time) = (json_string(stream.as_str()), time.as_millis());
        self.text.push_str(&format!(
            "{separator}{{\"stream\":{stream},\"first\":{first_version},\"version\":{version},\"time\":{time},\"events\":"
        ));
        self.text.push_str(events);
        self.text.push('}');
        Ok(self.end)
    }
}

struct StoredText<'a> {
    stream: Cow<'a, str>,
    first: u64,
    version: u64,
    time: u64,
    events: &'a str,
}

const MEMBERS: [&str; 5] = ["stream", "first", "version", "time", "events"];

impl<'a> StoredText<'a> {
    fn read([stream, first, version, time, events]: [Option<&'a str>; 5]) -> Option<Self> {
        let number = |json: Option<&str>| json?.parse().ok();
        let (first, version, time) = (number(first)?, number(version)?, number(time)?);
        Some(Self { stream: decoded(stream?)?, first, version, time, events: events? })
    }
}

/// A stored commit, and the position of its last event.
pub(super) struct Stored<'a> {
    pub(super) position: Position,
    text: StoredText<'a>,
}

impl Stored<'_> {
    pub(super) fn stream(&self) -> &str {
        &self.text.stream
    }

    pub(super) fn as_feed_commit(&self, hidden: Version) -> Result<FeedCommit<'_>, StorageError> {
        let version = Version::new(self.text.version)
            .ok_or_else(|| StorageError::corrupt(self.text.version, "its version is out of range"))?;
        let commit = CommitView {
            version,
            time: RecordedTime::from_millis(self.text.time),
            events: self.text.events,
            hash: CommitHash::NONE,
            key: None,
            position: Some(self.position),
        };
        Ok(FeedCommit { position: self.position, stream: self.stream(), hidden, commit: Some(commit) })
    }
}

/// Reads the commits of a row whose last event is at `end`.
pub(super) fn decode(end: Position, text: &str) -> Result<Vec<Stored<'_>>, StorageError> {
    let corrupt = |reason: &str| StorageError::corrupt(end.get(), reason);
    let commits = objects(text, MEMBERS, StoredText::read).map_err(|reason| corrupt(&reason))?;
    let counts = commits.iter().map(|commit| (commit.version + 1).checked_sub(commit.first));
    let count = counts.sum::<Option<u64>>().ok_or_else(|| corrupt("its versions are not in order"))?;
    let start = end
        .get()
        .checked_sub(count)
        .ok_or_else(|| corrupt("it has more events than there are positions before its end"))?;
    let mut position = Position::new(start).unwrap_or_default();
    let placed = commits.into_iter().map(|text| {
        position = position.after((text.version + 1).saturating_sub(text.first)).unwrap_or(position);
        Stored { position, text }
    });
    Ok(placed.collect())
}
