//! Timers and sent commands: how a decision sets them, and how they are attempted and answered.

use super::agenda::{Agenda, is_reached};
use super::command_error::CommandError;
use super::commands::{Commands, Step};
use super::executed::Executed;
use crate::gateway::backoff::backoff;
use crate::handler::{Accepted, Answer, Command, Fault, Input, SentCommand, TimerChange};
use crate::store::limits::{ERROR_BYTES, PENDING_ATTEMPTS, STREAM_SENT, STREAM_TIMERS};
use crate::store::{
    AppendError, Cause, DecisionLog, DecisionParts, EventId, EventStore, IdempotencyKey, JsonText, KeyOrigin,
    PendingChange, PendingCommand, PendingKey, PendingKind, PendingState, Receiver, RecordedTime,
    StorageError, StreamId, json_string,
};
use crate::{ErrorCode, Retry};

impl From<&Executed> for Answer {
    fn from(executed: &Executed) -> Self {
        match executed.rejection() {
            Some(rejection) => Self::Rejected { rejection: rejection.clone() },
            None => Self::Accepted { version: executed.version },
        }
    }
}

/// A command that is sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The stream of the receiver.
    pub receiver: StreamId,
    /// The command. Its id is the same at every attempt.
    pub command: Command,
}

/// The reason why an attempt at a timer or a sent command has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The code of the error.
    pub code: ErrorCode,
    /// What is wrong.
    pub detail: String,
}

impl From<&CommandError> for FailedAttempt {
    fn from(error: &CommandError) -> Self {
        Self { code: error.code(), detail: error.to_string() }
    }
}

impl Commands {
    /// Attempts a timer that is due, or folds a page of events before. The timer is removed in one act with its decision.
    /// If the rules reject it, it is done and stays visible. If it fails, it is attempted later, or parked. Returns
    /// `None` if there is no such timer, or if it is not due.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn fire<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        key: &PendingKey,
        now: RecordedTime,
        jitter: u64,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Step<Option<Executed>>, StorageError> {
        let input = |pending: &PendingCommand| {
            let is_timer = pending.key.kind() == PendingKind::Timer;
            (is_timer && is_due(pending, now)).then(|| Command::from_json(&pending.command))
        };
        let attempted = self.attempt(store, stream, key, now, fresh_id, input);
        after_attempt(store, stream, key, attempted, now, jitter)
    }

    /// Passes the answer to a sent command to the process, or folds a page of events before. The sent command is removed
    /// in one act with the decision. If the process fails, the command is sent again later: the receiver remembers its
    /// answer. Returns `None` if the command was answered already.
    ///
    /// # Errors
    /// [`StorageError`].
    #[allow(clippy::too_many_arguments)] // the answer, and the values that every decision needs
    pub fn answered<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        key: &PendingKey,
        answer: &Answer,
        now: RecordedTime,
        jitter: u64,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Step<Option<Executed>>, StorageError> {
        let input = |pending: &PendingCommand| {
            let is_sent = pending.key.kind() == PendingKind::Sent;
            is_sent.then(|| answer_input(pending, answer))
        };
        let attempted = self.attempt(store, stream, key, now, fresh_id, input);
        after_attempt(store, stream, key, attempted, now, jitter)
    }

    /// Decides the input that a pending command has come to. Returns `None` if the pending command does not exist, or if
    /// `input` returns `None` for it.
    fn attempt<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        key: &PendingKey,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
        input: impl FnOnce(&PendingCommand) -> Option<Option<Command>>,
    ) -> Result<Step<Option<Executed>>, CommandError> {
        // One act reads the pending command and decides it. So two processes that share a file never both decide it.
        let stepped = store.log_mut().exclusively(|log| {
            let Some(pending) = log.pending(stream, key)? else { return Ok(None) };
            let Some(command) = input(&pending) else { return Ok(None) };
            let command = command.ok_or_else(unreadable)?;
            self.step(log, stream, &command, Some(&pending), now, fresh_id).map(Some)
        });
        let Some(stepped) = stepped.transpose() else { return Ok(Step::Done(None)) };
        self.after_step(store, stream, None, &stepped);
        Ok(stepped?.map(Some))
    }
}

/// What follows from an attempt: an error is noted at the pending command.
fn after_attempt<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    attempted: Result<Step<Option<Executed>>, CommandError>,
    now: RecordedTime,
    jitter: u64,
) -> Result<Step<Option<Executed>>, StorageError> {
    match attempted {
        Ok(stepped) => Ok(stepped),
        // Data that cannot be read now can seldom be read later: that is an attempt, and the last one parks the command.
        Err(CommandError::Refused(AppendError::Storage(error)))
            if error.code() != ErrorCode::StoredDataCorrupt =>
        {
            Err(error)
        }
        Err(error) => {
            note_failure(store, stream, key, &FailedAttempt::from(&error), now, jitter)?;
            Ok(Step::Done(None))
        }
    }
}

/// Notes that an attempt at a pending command has failed. It is attempted again later, or parked.
///
/// # Errors
/// [`StorageError`].
pub fn note_failure<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    failure: &FailedAttempt,
    now: RecordedTime,
    jitter: u64,
) -> Result<(), StorageError> {
    store.log_mut().exclusively(|log| {
        let Some(pending) = log.pending(stream, key)? else { return Ok(()) };
        let failed = pending.failed.saturating_add(1);
        let state = match failure.code.retry() {
            Retry::Never => PendingState::Parked,
            // It may be a fault of the code, such as a `prepare` that never ends.
            _ if failure.code == ErrorCode::Internal && failed >= PENDING_ATTEMPTS => PendingState::Parked,
            // The receiver could not be reached, or could not work. Only time helps.
            Retry::Later | Retry::Repeat => later(failed, now, jitter),
            Retry::AfterChange | Retry::AfterReading if failed >= PENDING_ATTEMPTS => PendingState::Parked,
            Retry::AfterChange | Retry::AfterReading => later(failed, now, jitter),
        };
        let error = Some(failure_json(failure));
        let pending = [PendingChange::Put(PendingCommand { failed, state, error, ..pending })];
        log.insert_decision(stream, DecisionParts { pending: &pending, ..DecisionParts::default() })
    })
}

/// Attempts a parked command again, from the first attempt on. Returns whether there was one.
///
/// # Errors
/// [`StorageError`].
pub fn retry_pending<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    now: RecordedTime,
) -> Result<bool, StorageError> {
    store.log_mut().exclusively(|log| {
        let parked = log.pending(stream, key)?.filter(|pending| pending.state == PendingState::Parked);
        let Some(pending) = parked else { return Ok(false) };
        let again = PendingCommand { failed: 0, state: PendingState::Due(now), ..pending };
        let pending = [PendingChange::Put(again)];
        log.insert_decision(stream, DecisionParts { pending: &pending, ..DecisionParts::default() })?;
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
        if log.pending(stream, key)?.is_none() {
            return Ok(false);
        }
        let pending = [PendingChange::Remove(key.clone())];
        log.insert_decision(stream, DecisionParts { pending: &pending, ..DecisionParts::default() })?;
        Ok(true)
    })
}

/// The command to send now. `None` if it was answered or cancelled, or is parked.
///
/// # Errors
/// [`StorageError`].
pub fn sending<L: DecisionLog>(
    log: &L,
    stream: &StreamId,
    key: &PendingKey,
    now: RecordedTime,
) -> Result<Option<Sending>, StorageError> {
    let Some(pending) = log.pending(stream, key)?.filter(|pending| is_due(pending, now)) else {
        return Ok(None);
    };
    let id = IdempotencyKey::of(KeyOrigin::Process, key.as_str());
    Ok(match (Command::from_json(&pending.command), pending.receiver, id) {
        (Some(command), Some(receiver), Ok(id)) => {
            Some(Sending { receiver: receiver.stream, command: command.with_id(id) })
        }
        _ => None,
    })
}

/// The changes of the pending commands that follow from a decision. `settled` is the pending command that is decided.
pub(super) fn changes_of<L: DecisionLog>(
    log: &L,
    stream: &StreamId,
    command: &Command,
    accepted: Accepted,
    settled: Option<&PendingCommand>,
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
    let cause = cause_of(command, settled);
    for timer in accepted.timers.into_iter().filter(|_| !accepted.ended) {
        let change = match timer {
            TimerChange::Set { key, at, command } => PendingChange::Put(timer_of(key, at, &command, &cause)),
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
        put(&mut changes, PendingChange::Put(sent_of(key, sent, &cause, now)));
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

/// The cause of what follows from an input: the command, or the sent command that was answered.
pub(super) fn cause_of(command: &Command, settled: Option<&PendingCommand>) -> Cause {
    let sent = settled.map(|pending| &pending.key).filter(|key| key.kind() == PendingKind::Sent);
    let id = command.id.as_ref().map(IdempotencyKey::as_str).or(sent.map(PendingKey::as_str));
    Cause::of_command(id, command.metadata().as_str())
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

/// The answer, as the process gets it.
fn answer_input(pending: &PendingCommand, answer: &Answer) -> Option<Command> {
    let sent = Command::from_json(&pending.command)?;
    let Receiver { stream, name } = pending.receiver.as_ref()?;
    let (name, stream) = (name, json_string(stream.as_str()));
    let rest = match answer {
        Answer::Accepted { version } => {
            format!("\"accepted\":true,\"stream\":{stream},\"version\":{version}")
        }
        Answer::Rejected { rejection } => {
            format!("\"accepted\":false,\"stream\":{stream},\"rejection\":{}", rejection.as_str())
        }
    };
    let data = format!("{{\"name\":{},{rest}}}", json_string(name));
    let input = Command::new(name, JsonText::trusted(&data)).ok()?;
    Some(input.with_metadata(sent.metadata().clone()).ok()?.as_input(Input::Answer))
}

fn is_due(pending: &PendingCommand, now: RecordedTime) -> bool {
    pending.state.due().is_some_and(|due| is_reached(pending.key.kind(), due, now))
}

fn later(failed: u32, now: RecordedTime, jitter: u64) -> PendingState {
    PendingState::Due(now.later(backoff(failed, jitter)))
}

fn failure_json(FailedAttempt { code, detail }: &FailedAttempt) -> JsonText {
    let end = detail.floor_char_boundary(ERROR_BYTES);
    let detail = json_string(detail.get(..end).unwrap_or_default());
    JsonText::trusted(&format!("{{\"code\":\"{}\",\"detail\":{detail}}}", code.as_str()))
}

fn unreadable() -> Fault {
    Fault::new(ErrorCode::StoredDataCorrupt, "the stored command cannot be read")
}
