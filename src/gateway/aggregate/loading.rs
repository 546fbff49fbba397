//! Loading a state: from the newest snapshot that fits, and the events after it, page by page.

use std::ops::ControlFlow;

use super::command_error::CommandError;
use crate::handler::Behaviour;
use crate::store::limits::PAGE_EVENTS;
use crate::store::{
    Commit, CommitHash, DecisionLog, Direction, EventView, Head, ReadRange, RecordedTime, Snapshot,
    StorageError, StreamId, StreamLog, Version, visit_stream,
};

/// How far a state has come, and what was folded since its last snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) version: Version,
    pub(super) events: u64,
    pub(super) bytes: u64,
    /// The version of the last snapshot that fits.
    pub(super) snapshot: Version,
    /// Whether a snapshot is due now: there was one that did not fit, or the history that the state is made of was
    /// truncated.
    pub(super) replaces: bool,
}

impl Place {
    /// The place of a state that is stored as a snapshot.
    pub(super) fn at_snapshot(version: Version) -> Self {
        Self { version, snapshot: version, ..Self::default() }
    }

    /// The place after one more event of so many bytes.
    pub(super) fn after(self, version: Version, bytes: usize) -> Self {
        let bytes = self.bytes.saturating_add(bytes as u64);
        Self { version, events: self.events.saturating_add(1), bytes, ..self }
    }
}

/// The end of a load: a version, or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateAt {
    /// The state after the event of this version.
    Version(Version),
    /// The state after the last event that was recorded at this time or before.
    Time(RecordedTime),
}

/// Sets the state to a snapshot, or to the initial state. Returns the place of the state.
pub(super) fn begin<L: DecisionLog>(
    log: &L,
    behaviour: &mut dyn Behaviour,
    stream: &StreamId,
    head: &Head,
    at_most: Version,
) -> Result<Place, CommandError> {
    let snapshot = log.snapshot(stream, &behaviour.code())?;
    let replaces = snapshot.is_some();
    if let Some(snapshot) = snapshot
        && snapshot.version <= at_most
        && fits(log, stream, head, &snapshot)?
        && behaviour.restore(&snapshot.state)?
    {
        return Ok(Place::at_snapshot(snapshot.version));
    }
    if !head.hidden.is_empty() {
        let first_version = head.first_version();
        return Err(CommandError::StateUnavailable { stream: stream.clone(), first_version });
    }
    behaviour.begin()?;
    Ok(Place { replaces, ..Place::default() })
}

/// Folds one page of events into the state, up to a version. Returns the new place. A page ends with a whole commit, so
/// that a snapshot can be stored there.
pub(super) fn fold_page<L: StreamLog>(
    log: &L,
    behaviour: &mut dyn Behaviour,
    stream: &StreamId,
    place: Place,
    end: Version,
) -> Result<Place, CommandError> {
    let mut place = place;
    let Some(from) = place.version.after(1).filter(|from| *from <= end) else { return Ok(place) };
    let end = page_end(log, stream, from, end)?;
    let mut outcome: Result<(), CommandError> = Ok(());
    visit_stream(log, stream, &ReadRange::between(from, end), &mut |event| {
        if outcome.is_ok() {
            outcome = fold(behaviour, &mut place, &event);
        }
    })?;
    outcome?;
    // A page of many bytes ends earlier. A page without any event would never end.
    if place.version < from {
        return Err(missing(place).into());
    }
    behaviour.folded()?;
    Ok(place)
}

fn fold(behaviour: &mut dyn Behaviour, place: &mut Place, event: &EventView<'_>) -> Result<(), CommandError> {
    // A state that lacks an event would be wrong for ever.
    if place.version.after(1) != Some(event.version) {
        return Err(missing(*place).into());
    }
    behaviour.fold(event)?;
    *place = place.after(event.version, event.data.len());
    Ok(())
}

fn missing(place: Place) -> StorageError {
    StorageError::corrupt(place.version.get().saturating_add(1), "its event is missing")
}

/// The last version of the page that begins with a version.
fn page_end<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    from: Version,
    end: Version,
) -> Result<Version, StorageError> {
    let Some(full) = from.after(PAGE_EVENTS.saturating_sub(1)).filter(|full| *full < end) else {
        return Ok(end);
    };
    let commit = commit_at(log, stream, full)?;
    Ok(commit.map_or(end, |(last, _)| last.min(end)))
}

/// Whether a snapshot is a state of this history: its version is visible, and the commit that ends there has its hash.
fn fits<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    head: &Head,
    snapshot: &Snapshot,
) -> Result<bool, StorageError> {
    let version = snapshot.version;
    if version > head.version || version < head.hidden || version.is_empty() {
        return Ok(false);
    }
    Ok(hash_at(log, stream, head, version)? == Some(snapshot.hash))
}

/// The hash of the history up to a version. `None` if no commit ends there.
pub(super) fn hash_at<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    head: &Head,
    version: Version,
) -> Result<Option<CommitHash>, StorageError> {
    if version == head.version {
        return Ok(Some(head.hash));
    }
    let base = log.base(stream)?;
    if version == base.version {
        return Ok(Some(base.hash));
    }
    let mut hash = None;
    log.scan(stream, version, Direction::Forward, &mut |commit| {
        hash = (commit.version == version).then_some(commit.hash);
        ControlFlow::Break(())
    })?;
    Ok(hash)
}

/// The commit with exactly these versions. `None` if it was forgotten.
pub(super) fn commit_of<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    first_version: Version,
    version: Version,
) -> Result<Option<Commit>, StorageError> {
    if log.head(stream)?.hidden >= first_version {
        return Ok(None);
    }
    let mut found = Ok(None);
    log.scan(stream, version, Direction::Forward, &mut |commit| {
        found = commit.to_commit().map(Some);
        ControlFlow::Break(())
    })?;
    Ok(found?.filter(|commit| (commit.first_version, commit.version) == (first_version, version)))
}

/// The last version of a stream at this version or time.
pub(super) fn last_version<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    head: &Head,
    at: StateAt,
) -> Result<Version, StorageError> {
    let time = match at {
        StateAt::Version(version) => return Ok(version),
        StateAt::Time(time) => time,
    };
    if head.time <= time {
        return Ok(head.version);
    }
    let base = log.base(stream)?;
    // Recorded times never go back, so the commits can be searched by halves.
    let (mut low, mut high) = (base.version, head.version);
    if base.time > time {
        return Ok(Version::EMPTY);
    }
    while low < high {
        let middle = low.get() + (high.get() - low.get()).div_ceil(2);
        let Some((end, recorded)) = commit_at(log, stream, Version::new(middle).unwrap_or(high))? else {
            break;
        };
        if recorded <= time {
            low = end.max(low);
        } else {
            high = Version::new(middle - 1).unwrap_or_default();
        }
    }
    Ok(low)
}

/// The last version and the time of the commit that holds a version.
fn commit_at<L: StreamLog>(
    log: &L,
    stream: &StreamId,
    version: Version,
) -> Result<Option<(Version, RecordedTime)>, StorageError> {
    let mut found = None;
    log.scan(stream, version, Direction::Forward, &mut |commit| {
        found = Some((commit.version, commit.time));
        ControlFlow::Break(())
    })?;
    Ok(found)
}
