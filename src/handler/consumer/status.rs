//! The status of a consumer.

use super::machine::Consumer;
use crate::gateway::Alarm;
use crate::handler::stored::state::{LastError, Running, State, Track, Trouble};
use crate::store::sqlite::Sql;
use crate::store::{Checkpoint, RecordedTime, StorageError};

/// The status of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it is running, paused or stopped.
    pub running: Running,
    /// Its checkpoint.
    pub checkpoint: Checkpoint,
    /// The rebuild, if one is under way.
    pub rebuild: Option<RebuildStatus>,
    /// The number of failures of the next event.
    pub failures: u32,
    /// The time of the next attempt at the failed event.
    pub retry_at: Option<RecordedTime>,
    /// The last error. It stays after a later attempt has succeeded.
    pub error: Option<LastError>,
    /// The number of dead letters, counted up to 10,000.
    pub dead_letters: u64,
    /// Whether a round through the dead letters is under way.
    pub retrying: bool,
}

/// The status of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildStatus {
    /// Its checkpoint.
    pub checkpoint: Checkpoint,
    /// The number of failures of its next event. If it is not 0, the event of the consumer's last error may be this one.
    pub failures: u32,
    /// The time of the next attempt at the failed event.
    pub retry_at: Option<RecordedTime>,
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// The status of the consumer.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn status(&mut self) -> Result<Status, StorageError> {
        self.looking(|machine| {
            let State { status, live, rebuild, round, error, .. } = &machine.state;
            Ok(Status {
                running: *status,
                checkpoint: live.checkpoint.clone(),
                rebuild: rebuild.as_ref().map(rebuild_status),
                failures: live.trouble.failures,
                retry_at: Some(live.trouble.until).filter(|until| *until > RecordedTime::default()),
                error: error.clone(),
                dead_letters: machine.store().count_letters(live.generation)?,
                retrying: round.is_some(),
            })
        })
    }
}

fn rebuild_status(Track { checkpoint, trouble, .. }: &Track) -> RebuildStatus {
    let Trouble { failures, until, .. } = *trouble;
    let retry_at = Some(until).filter(|until| failures > 0 && *until > RecordedTime::default());
    RebuildStatus { checkpoint: checkpoint.clone(), failures, retry_at }
}
