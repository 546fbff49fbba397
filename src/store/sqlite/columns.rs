//! Conversion of rows into commits and bases.

use super::super::version::Version;
use super::port::{Row, Value};
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::event::RecordedTime;
use crate::store::events::json_text::only_members;
use crate::store::logs::commit::{Commit, CommitView};
use crate::store::logs::log::{Base, Head, StorageError};
use crate::store::proof::hash::CommitHash;

/// Reads a row of `version, time, hash, events, key` as a commit.
pub(super) fn commit(row: &dyn Row) -> Result<CommitView<'_>, StorageError> {
    let (version, time, hash) = place(row)?;
    let events = row.text(3).ok_or_else(|| corrupt(version.get(), "its events are not text"))?;
    Ok(CommitView { version, time, events, hash, key: row.text(4), position: None })
}

/// The key of a commit, as the last column of its row.
pub(super) fn key(commit: &Commit) -> Value<'_> {
    commit.key.as_ref().map_or(Value::Null, |key| Value::Text(key.as_stored()))
}

/// The key, as in a row that was written before keys had an origin.
pub(super) fn key_without_origin(key: Option<&IdempotencyKey>) -> Value<'_> {
    key.and_then(IdempotencyKey::as_stored_without_origin).map_or(Value::Null, Value::Text)
}

/// Reads the first three columns of a row: `version, time, hash`.
pub(super) fn place(row: &dyn Row) -> Result<(Version, RecordedTime, CommitHash), StorageError> {
    let number = row.integer(0).ok_or_else(|| corrupt(0, "its version is not a whole number"))?;
    let version = Version::new(number).ok_or_else(|| corrupt(number, "its version is out of range"))?;
    let time = row.integer(1).ok_or_else(|| corrupt(number, "its time is not a whole number"))?;
    let hash = row.blob(2).and_then(CommitHash::from_bytes);
    let hash = hash.ok_or_else(|| corrupt(number, "its hash is not 32 bytes"))?;
    Ok((version, RecordedTime::from_millis(time), hash))
}

/// Reads a row of `version, time, hash, base` as the head of a stream. The row is the stream's last commit. The base is
/// NULL if nothing was forgotten.
pub(super) fn head(row: &dyn Row) -> Result<Head, StorageError> {
    let (version, time, hash) = place(row)?;
    let base = row.text(3).map_or(Ok(Base::default()), |text| base(text, time, hash))?;
    // If all commits are removed, the last row is the base row.
    let version = if version.is_empty() { base.version } else { version };
    Ok(Head { version, time, hash, hidden: base.hidden, deleted: base.deleted, bytes: 0 })
}

/// The text column of a base row. The base's time and hash are in columns of their own.
pub(super) fn encode_base(base: &Base) -> String {
    let Base { version, hidden, deleted, .. } = base;
    format!("{{\"version\":{version},\"hidden\":{hidden},\"deleted\":{deleted}}}")
}

/// Makes a base from the text of its row and from the other columns.
pub(super) fn base(text: &str, time: RecordedTime, hash: CommitHash) -> Result<Base, StorageError> {
    let version = |json: Option<&str>| json?.parse().ok().and_then(Version::new);
    let read = || {
        let [last, hidden, deleted] = only_members(text, ["version", "hidden", "deleted"]).ok()?;
        let (last, hidden, deleted) = (version(last)?, version(hidden)?, deleted?.parse().ok()?);
        Some(Base { version: last, time, hash, hidden, deleted })
    };
    read().ok_or_else(|| corrupt(0, "the base of the stream cannot be read"))
}

fn corrupt(version: u64, reason: &str) -> StorageError {
    StorageError::corrupt(version, reason)
}
