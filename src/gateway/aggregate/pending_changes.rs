//! The timers and the sent commands that follow from a decision.

use super::agenda::Agenda;
use super::command_error::CommandError;
use super::pending::unreadable;
use crate::handler::{Accepted, Command, SentCommand, TimerChange};
use crate::store::limits::{STREAM_SENT, STREAM_TIMERS};
use crate::store::{
    Cause, DecisionLog, EventId, IdempotencyKey, JsonText, PendingChange, PendingCommand, PendingKey,
    PendingKind, PendingState, Receiver, RecordedTime, StreamId,
};

/// The changes of the pending commands that follow from a decision. `settled` is the pending command that is decided.
pub(super) fn changes_of<L: DecisionLog>(
    log: &L,
    stream: &StreamId,
    accepted: Accepted,
    settled: Option<&PendingCommand>,
    cause: &Cause,
    now: RecordedTime,
    fresh_id: &mut dyn FnMut() -> EventId,
) -> Result<Vec<PendingChange>, CommandError> {
    let mut changes = Vec::new();
    if let Some(pending) = settled {
        put(&mut changes, PendingChange::Remove(pending.key.clone()));
    }
    if !accepted.ended && accepted.timers.is_empty() && accepted.sent.is_empty() {
        return Ok(changes);
    }
    let agenda = Agenda::of(log, stream)?;
    for timer in accepted.timers.into_iter().filter(|_| !accepted.ended) {
        let change = match timer {
            TimerChange::Set { key, at, command } => PendingChange::Put(timer_of(key, at, &command, cause)),
            TimerChange::Cancel(key) => PendingChange::Remove(key),
        };
        put(&mut changes, change);
    }
    if accepted.ended {
        for key in agenda.timers() {
            put(&mut changes, PendingChange::Remove(key.clone()));
        }
    }
    for sent in accepted.sent {
        let key = PendingKey::sent(fresh_id().as_str()).map_err(|_| unreadable())?;
        put(&mut changes, PendingChange::Put(sent_of(key, sent, cause, now)));
    }
    within_limits(stream, agenda, changes)
}

/// Adds a change, in the order of the keys. It replaces an earlier change of the same key.
fn put(changes: &mut Vec<PendingChange>, change: PendingChange) {
    let place = changes.partition_point(|other| other.key() < change.key());
    match changes.get_mut(place).filter(|other| other.key() == change.key()) {
        Some(same) => *same = change,
        None => changes.insert(place, change),
    }
}

/// The changes, if the stream then has no more pending commands than it may. Rejected timers make room.
fn within_limits(
    stream: &StreamId,
    mut agenda: Agenda,
    mut changes: Vec<PendingChange>,
) -> Result<Vec<PendingChange>, CommandError> {
    changes.iter().for_each(|change| agenda.change(change));
    while agenda.count(PendingKind::Timer) > STREAM_TIMERS
        && let Some(rejected) = agenda.rejected()
    {
        agenda.remove(&rejected);
        changes.push(PendingChange::Remove(rejected));
    }
    if agenda.count(PendingKind::Timer) > STREAM_TIMERS {
        return Err(CommandError::TooManyTimers { stream: stream.clone() });
    }
    if agenda.count(PendingKind::Sent) > STREAM_SENT {
        return Err(CommandError::TooManySent { stream: stream.clone() });
    }
    Ok(changes)
}

/// The cause of what follows from an input: the command, or the sent command that was answered. If timers or sent commands
/// follow, they and the events are one conversation. It has a correlation id, which may be fresh.
pub(super) fn cause_of(
    command: &Command,
    settled: Option<&PendingCommand>,
    accepted: &Accepted,
    fresh_id: &mut dyn FnMut() -> EventId,
) -> Cause {
    let sent = settled.map(|pending| &pending.key).filter(|key| key.kind() == PendingKind::Sent);
    let id = command.id.as_ref().map(IdempotencyKey::as_str).or(sent.map(PendingKey::as_str));
    let cause = Cause::of_command(id, command.metadata().as_str());
    if accepted.has_followers() { cause.correlated(fresh_id) } else { cause }
}

/// The pending command after the rules have rejected it.
pub(super) fn rejected(pending: &PendingCommand, rejection: &JsonText) -> PendingChange {
    let error = Some(rejection.clone());
    PendingChange::Put(PendingCommand { state: PendingState::Rejected, error, ..pending.clone() })
}

fn timer_of(key: PendingKey, at: RecordedTime, command: &Command, cause: &Cause) -> PendingCommand {
    let command = with_cause(command, cause);
    PendingCommand { key, receiver: None, command, at, failed: 0, state: PendingState::Due(at), error: None }
}

fn sent_of(
    key: PendingKey,
    SentCommand { name, stream, command }: SentCommand,
    cause: &Cause,
    now: RecordedTime,
) -> PendingCommand {
    let (command, state) = (with_cause(&command, cause), PendingState::Due(now));
    let receiver = Some(Receiver { stream, name });
    PendingCommand { key, receiver, command, at: now, failed: 0, state, error: None }
}

/// The command as JSON. It continues the correlation and the trace of its cause, if its metadata have room for them.
fn with_cause(command: &Command, cause: &Cause) -> JsonText {
    let continued = command.clone().caused_by(&cause.without_causation());
    JsonText::trusted(&continued.as_ref().unwrap_or(command).to_json())
}
