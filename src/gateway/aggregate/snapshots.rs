//! Storing the snapshots of a state.

use super::command_error::CommandError;
use super::commands::{Commands, Step};
use super::loading::{self, Place};
use crate::ErrorCode;
use crate::handler::{BehaviourSettings, Fault};
use crate::store::limits::STATE_BYTES;
use crate::store::{DecisionLog, EventStore, Snapshot, StreamId, Version};

/// The most events that are folded without a snapshot, while a long history is loaded. A load that is cut off goes on
/// from the last snapshot.
const INTERIM_EVENTS: u64 = 20_000;

/// How the snapshots of an aggregate do, since the object has started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotStatus {
    /// The version of the last snapshot that was stored.
    pub version: Version,
    /// Why the last attempt to store a snapshot has failed. `None` if it has not.
    pub error: Option<String>,
}

impl Commands {
    /// Prepares for a truncation of the events before a version: brings the state up to the end of the stream, by one page
    /// of events at most, and stores it, unless there is a snapshot already that does not need those events. An aggregate
    /// without snapshots stores none.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn secure<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        before: Version,
    ) -> Result<Step<()>, CommandError> {
        if !stores_any(&self.behaviour.settings()) {
            return Ok(Step::Done(()));
        }
        let loaded = self.load(store, stream)?;
        if let (Step::Done(version), Some(place)) = (&loaded, self.at)
            && place.snapshot < *version
            && place.snapshot.after(1).is_some_and(|next| next < before)
        {
            self.at = Some(Place { replaces: true, ..place });
            self.store_snapshot(store, stream, true);
        }
        Ok(loaded.map(|_| ()))
    }

    /// Stores a snapshot, if one is due. It is a cache: its failure fails nothing else.
    pub(super) fn store_snapshot<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        is_loaded: bool,
    ) {
        let Some(place) = self.at else { return };
        let settings = self.behaviour.settings();
        let by = |folded: u64, every: u64| every > 0 && folded >= every;
        let due = by(place.events, settings.snapshot_events) || by(place.bytes, settings.snapshot_bytes);
        let interim = is_loaded || place.events >= INTERIM_EVENTS;
        let is_due = (due && interim) || (place.replaces && is_loaded && stores_any(&settings));
        if !is_due {
            return;
        }
        let stored = store.log_mut().exclusively(|log| self.try_to_store(log, stream, place.version));
        // The next attempt is as far away as the next snapshot, so that a failure is not repeated with each command.
        self.at = Some(Place { version: place.version, snapshot: place.snapshot, ..Place::default() });
        match stored {
            Ok(true) => {
                self.at = Some(Place::at_snapshot(place.version));
                self.snapshots = SnapshotStatus { version: place.version, error: None };
            }
            // The version lies within a commit, or another connection is writing now.
            Ok(false) => self.at = Some(place),
            Err(error) if error.code() == ErrorCode::StorageBusy => self.at = Some(place),
            Err(error) => self.snapshots.error = Some(error.to_string()),
        }
    }

    fn try_to_store<L: DecisionLog>(
        &mut self,
        log: &mut L,
        stream: &StreamId,
        version: Version,
    ) -> Result<bool, CommandError> {
        let head = log.head(stream)?;
        head.keeps(stream, None)?;
        let Some(hash) = loading::hash_at(log, stream, &head, version)? else { return Ok(false) };
        let state = self.behaviour.state()?;
        let bytes = state.as_str().len();
        if bytes > STATE_BYTES {
            let detail = format!("the state is {bytes} bytes long; a snapshot has at most {STATE_BYTES}");
            return Err(Fault::new(ErrorCode::DeciderFailed, detail).into());
        }
        let code = self.behaviour.code().into();
        log.insert_snapshot(stream, &Snapshot { code, version, hash, state })?;
        Ok(true)
    }
}

fn stores_any(settings: &BehaviourSettings) -> bool {
    settings.snapshot_events > 0 || settings.snapshot_bytes > 0
}
