//! Timers and sent commands: how a decision sets them, and how they are attempted and answered.

use super::agenda::is_reached;
use super::command_error::CommandError;
use super::commands::{Commands, Step};
use super::executed::Executed;
use crate::gateway::backoff::backoff;
use crate::handler::{Answer, Command, Fault, FiredTimer, Input};
use crate::store::limits::{ERROR_BYTES, PENDING_ATTEMPTS};
use crate::store::{
    AppendError, DecisionLog, DecisionParts, EventId, EventStore, IdempotencyKey, JsonText, KeyOrigin,
    PendingChange, PendingCommand, PendingKey, PendingKind, PendingState, Receiver, RecordedTime,
    StorageError, StreamId, json_string,
};
use crate::{ErrorCode, Retry};

/// The member of the error of a parked command that has the answer.
pub(super) const ANSWER: &str = "rejection";

/// The answer to a command whose receiver is deleted.
const RECEIVER_DELETED: &str = r#"{"code":"stream_deleted"}"#;

impl From<&Executed> for Answer {
    fn from(executed: &Executed) -> Self {
        match executed.rejection() {
            Some(rejection) => Self::Rejected { rejection: rejection.clone() },
            None => Self::Accepted { version: executed.version },
        }
    }
}

/// What to do for a sent command now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentWork {
    /// Send it. Then pass its answer to [`Commands::answered`], or the reason why it has none to [`note_failure`].
    Send(Sending),
    /// Its answer is stored with it. Pass it to the process with [`Commands::fire`].
    Fire,
    /// It cannot be read. Note it as the reason of a failed attempt.
    Unreadable,
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

impl FailedAttempt {
    /// The failure of an attempt at a stored command that cannot be read.
    #[must_use]
    pub fn unreadable() -> Self {
        let Fault { code, detail, .. } = unreadable();
        Self { code, detail }
    }
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
    /// For a sent command whose answer is [stored with it](PendingState::Answered), it passes this answer to the process.
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
        let input = |pending: &PendingCommand| match (pending.key.kind(), pending.state) {
            _ if !is_due(pending, now) => None,
            (PendingKind::Timer, _) => Some(timer_input(pending)),
            (PendingKind::Sent, PendingState::Answered(_)) => {
                let rejection = pending.error.clone();
                Some(rejection.and_then(|rejection| answer_input(pending, &Answer::Rejected { rejection })))
            }
            (PendingKind::Sent, _) => None,
        };
        let attempted = self.attempt(store, stream, key, now, fresh_id, input);
        self.after_attempt(store, stream, key, attempted, now, jitter)
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
        self.after_attempt(store, stream, key, attempted, now, jitter)
    }

    /// Why the last attempt has failed, for the operator's log. Call it after [`fire`](Self::fire) or
    /// [`answered`](Self::answered).
    pub fn take_failure(&mut self) -> Option<FailedAttempt> {
        self.failure.take()
    }

    /// What follows from an attempt: an error is noted at the pending command.
    fn after_attempt<L: DecisionLog>(
        &mut self,
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
            Err(CommandError::Refused(AppendError::Storage(error))) if !is_corrupt(&error) => Err(error),
            Err(error) => {
                let failure = FailedAttempt::from(&error);
                // The timer may have been set again meanwhile, by another program.
                let noted =
                    |pending| is_due(&pending, now).then(|| after_failure(pending, &failure, now, jitter));
                note(store, stream, key, noted)?;
                self.failure = Some(failure);
                Ok(Step::Done(None))
            }
        }
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

/// Notes that an attempt to send a command has failed. It is sent again later, or parked. If its receiver is deleted, no
/// attempt can ever succeed: this is the answer, a rejection with the code `stream_deleted`. Nothing is noted if the command is
/// not due any more, because it was answered, or attempted again by another program.
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
    note(store, stream, key, |pending| {
        let is_sent = matches!(pending.state, PendingState::Due(_)) && is_due(&pending, now);
        is_sent.then(|| match failure.code {
            ErrorCode::StreamDeleted if pending.receiver.is_some() => {
                answered_by(pending, JsonText::trusted(RECEIVER_DELETED), now)
            }
            _ => after_failure(pending, failure, now, jitter),
        })
    })
}

/// Stores what follows from a failed attempt. A row that cannot be read is parked.
fn note<L: DecisionLog>(
    store: &mut EventStore<L>,
    stream: &StreamId,
    key: &PendingKey,
    follows: impl FnOnce(PendingCommand) -> Option<PendingCommand>,
) -> Result<(), StorageError> {
    store.log_mut().exclusively(|log| {
        let change = match log.pending(stream, key) {
            Ok(pending) => pending.and_then(follows).map(PendingChange::Put),
            Err(error) if is_corrupt(&error) => Some(PendingChange::Park(key.clone())),
            Err(error) => return Err(error),
        };
        change.map_or(Ok(()), |change| put(log, stream, change))
    })
}

fn after_failure(
    pending: PendingCommand,
    failure: &FailedAttempt,
    now: RecordedTime,
    jitter: u64,
) -> PendingCommand {
    let failed = pending.failed.saturating_add(1);
    let is_last = failed >= PENDING_ATTEMPTS;
    let is_parked = match failure.code.retry() {
        Retry::Never => true,
        // It may be a fault of the code, such as a `prepare` that never ends.
        Retry::Later | Retry::Repeat => failure.code == ErrorCode::Internal && is_last,
        Retry::AfterChange | Retry::AfterReading => is_last,
    };
    let next = now.later(backoff(failed, jitter));
    let answer = pending.error.as_ref().filter(|_| matches!(pending.state, PendingState::Answered(_)));
    let (state, error) = match (is_parked, answer) {
        // The answer stays, so that a retry takes it.
        (true, answer) => (PendingState::Parked, Some(failure_json(failure, answer))),
        (false, Some(answer)) => (PendingState::Answered(next), Some(answer.clone())),
        (false, None) => (PendingState::Due(next), Some(failure_json(failure, None))),
    };
    PendingCommand { failed, state, error, ..pending }
}

/// The sent command with a rejection in place of the receiver's answer.
pub(super) fn answered_by(pending: PendingCommand, rejection: JsonText, now: RecordedTime) -> PendingCommand {
    PendingCommand { failed: 0, state: PendingState::Answered(now), error: Some(rejection), ..pending }
}

pub(super) fn put<L: DecisionLog>(
    log: &mut L,
    stream: &StreamId,
    change: PendingChange,
) -> Result<(), StorageError> {
    let pending = [change];
    log.insert_decision(stream, DecisionParts { pending: &pending, ..DecisionParts::default() })
}

/// What to do for a sent command now. `None` if it was answered or cancelled, is not due, or is parked.
///
/// # Errors
/// [`StorageError`].
pub fn sent_work<L: DecisionLog>(
    log: &L,
    stream: &StreamId,
    key: &PendingKey,
    now: RecordedTime,
) -> Result<Option<SentWork>, StorageError> {
    let pending = match log.pending(stream, key) {
        Ok(pending) => pending.filter(|pending| is_due(pending, now)),
        Err(error) if is_corrupt(&error) => return Ok(Some(SentWork::Unreadable)),
        Err(error) => return Err(error),
    };
    Ok(pending.map(|pending| match pending.state {
        PendingState::Answered(_) => SentWork::Fire,
        _ => sending(pending).map_or(SentWork::Unreadable, SentWork::Send),
    }))
}

fn sending(pending: PendingCommand) -> Option<Sending> {
    let id = IdempotencyKey::of(KeyOrigin::Process, pending.key.as_str()).ok()?;
    let command = Command::from_json(&pending.command)?.with_id(id);
    Some(Sending { receiver: pending.receiver?.stream, command })
}

/// The command of a timer, as the code gets it.
fn timer_input(pending: &PendingCommand) -> Option<Command> {
    let timer = FiredTimer { key: pending.key.clone(), due: pending.at };
    Some(Command::from_json(&pending.command)?.of_timer(timer))
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

pub(super) fn is_corrupt(error: &StorageError) -> bool {
    error.code() == ErrorCode::StoredDataCorrupt
}

/// The error of a failed attempt as JSON. A stored answer becomes a member of it.
fn failure_json(FailedAttempt { code, detail }: &FailedAttempt, answer: Option<&JsonText>) -> JsonText {
    let end = detail.floor_char_boundary(ERROR_BYTES);
    let detail = json_string(detail.get(..end).unwrap_or_default());
    let answer = answer.map(|answer| format!(",\"{ANSWER}\":{}", answer.as_str())).unwrap_or_default();
    JsonText::trusted(&format!("{{\"code\":\"{}\",\"detail\":{detail}{answer}}}", code.as_str()))
}

pub(super) fn unreadable() -> Fault {
    Fault::new(ErrorCode::StoredDataCorrupt, "the stored command cannot be read")
}
