//! What an operator does with timers and sent commands.

use super::pending::{ANSWER, answered_by, is_corrupt, put};
use crate::store::{
    DecisionLog, EventStore, JsonText, PendingChange, PendingCommand, PendingKey, PendingKind, PendingState,
    RecordedTime, StorageError, StreamId, members,
};

/// Attempts a parked command again, from the first attempt on. If its answer is stored with it, the process takes this answer.
/// Returns whether there was one.
///
/// # Errors
/// [`StorageError`].
pub fn retry_pending<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    now: RecordedTime,
) -> Result<bool, StorageError> {
    change_parked(store, stream, key, |pending| match pending.error.as_ref().and_then(answer_in) {
        Some(answer) => answered_by(pending, answer, now),
        None => PendingCommand { failed: 0, state: PendingState::Due(now), ..pending },
    })
}

/// Answers a parked sent command in place of its receiver. The process takes the rejection, `{"code","data"}`, as its answer.
/// Returns whether there was such a command.
///
/// # Errors
/// [`StorageError`].
pub fn reject_sent<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    rejection: &JsonText,
    now: RecordedTime,
) -> Result<bool, StorageError> {
    if key.kind() != PendingKind::Sent {
        return Ok(false);
    }
    change_parked(store, stream, key, |pending| answered_by(pending, rejection.clone(), now))
}

fn change_parked<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    change: impl FnOnce(PendingCommand) -> PendingCommand,
) -> Result<bool, StorageError> {
    store.log_mut().exclusively(|log| {
        let parked = log.pending(stream, key)?.filter(|pending| pending.state == PendingState::Parked);
        let Some(pending) = parked else { return Ok(false) };
        put(log, stream, PendingChange::Put(change(pending)))?;
        Ok(true)
    })
}

/// Removes a timer, or a sent command whose answer is not waited for any more. Returns whether there was one.
///
/// # Errors
/// [`StorageError`].
pub fn cancel_pending<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
) -> Result<bool, StorageError> {
    store.log_mut().exclusively(|log| {
        match log.pending(stream, key) {
            Ok(None) => return Ok(false),
            // One that cannot be read is removed too.
            Err(error) if !is_corrupt(&error) => return Err(error),
            _ => {}
        }
        put(log, stream, PendingChange::Remove(key.clone()))?;
        Ok(true)
    })
}

/// The stored answer in the error of a parked command.
fn answer_in(error: &JsonText) -> Option<JsonText> {
    let [answer] = members(error.as_str(), [ANSWER])?;
    Some(JsonText::trusted(answer?))
}
