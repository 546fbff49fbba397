//! Outcomes, pending commands and snapshots in memory.

use std::collections::HashMap;

use super::log::VisitPending;
use super::outcome::Outcome;
use super::pending::{PendingChange, PendingCommand, PendingKey, PendingState};
use super::snapshot::Snapshot;
use crate::sorted::Sorted;
use crate::store::appends::idempotency_key::{IdempotencyKey, KeyOrigin};
use crate::store::events::event::RecordedTime;
use crate::store::limits::SNAPSHOT_CODES;

/// The outcomes, the pending commands and the snapshots of one stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryDecisions {
    outcomes: HashMap<IdempotencyKey, Outcome>,
    pub(crate) pending: Sorted<PendingKey, PendingCommand>,
    /// The snapshot that was stored last is the last.
    snapshots: Vec<Snapshot>,
}

impl MemoryDecisions {
    pub(crate) fn outcome(&self, id: &IdempotencyKey) -> Option<Outcome> {
        self.outcomes.get(id).cloned()
    }

    pub(crate) fn remember(&mut self, id: &IdempotencyKey, outcome: &Outcome) {
        self.outcomes.insert(id.clone(), outcome.clone());
    }

    /// A whole pass costs little here: the machine of commands asks for it rarely.
    pub(crate) fn remove_outcomes(&mut self, before: RecordedTime) {
        self.outcomes.retain(|id, outcome| outcome.time >= before || id.origin() == KeyOrigin::Process);
    }

    /// Returns the pending command that was replaced or removed.
    pub(crate) fn change(&mut self, change: &PendingChange) -> Option<PendingCommand> {
        match change {
            PendingChange::Put(pending) => self.pending.insert(pending.key.clone(), pending.clone()),
            PendingChange::Remove(key) => self.pending.remove(key),
            PendingChange::Park(key) => {
                let pending = self.pending.get_mut(key)?;
                let parked = PendingCommand { state: PendingState::Parked, ..pending.clone() };
                Some(std::mem::replace(pending, parked))
            }
        }
    }

    pub(crate) fn scan_pending(&self, after: &PendingKey, visit: VisitPending<'_>) {
        for (key, pending) in self.pending.from(after).skip_while(|(key, _)| *key == after) {
            if key.kind() != after.kind() || visit(pending.clone()).is_break() {
                break;
            }
        }
    }

    pub(crate) fn snapshot(&self, code: &str) -> Option<Snapshot> {
        self.snapshots.iter().find(|snapshot| &*snapshot.code == code).cloned()
    }

    pub(crate) fn insert(&mut self, snapshot: &Snapshot) {
        self.snapshots.retain(|other| other.code != snapshot.code);
        self.snapshots.push(snapshot.clone());
        let kept = usize::try_from(SNAPSHOT_CODES).unwrap_or(usize::MAX);
        let surplus = self.snapshots.len().saturating_sub(kept);
        self.snapshots.drain(..surplus);
    }
}
