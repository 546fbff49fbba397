//! The machine of commands: it brings the state up to the end of the stream, lets the code decide, and stores the
//! decision.

use super::command_error::CommandError;
use super::executed::{Executed, check_rejection};
use super::loading::{self, Place};
use super::pending::FailedAttempt;
use super::pending_changes::{cause_of, changes_of, rejected};
use super::snapshots::SnapshotStatus;
use crate::ErrorCode;
use crate::handler::{Behaviour, BehaviourDecision, Command, DecideContext, Fault, Input, not_taken};
use crate::store::{
    Append, AppendError, Cause, Decided, DecisionLog, DecisionParts, EventId, EventStore, ExpectedVersion,
    Head, IdempotencyKey, JsonText, KeyOrigin, Outcome, PendingChange, PendingCommand, RecordedTime,
    StorageError, StreamId, Version,
};

/// After so many remembered outcomes, some of those that are too old are removed.
const OUTCOMES_PER_REMOVAL: u64 = 50;

/// What a step of work has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    /// It is done.
    Done(T),
    /// One page of events was folded, and there are more. Call again; others may have their turn before.
    More,
}

impl<T> Step<T> {
    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Done(done) => Step::Done(map(done)),
            Self::More => Step::More,
        }
    }
}

/// The code of an aggregate with the state of one stream, and how it decides commands.
///
/// The state is a cache. It stays in memory at the version that it is of, so that a command reads only the events that
/// are new. A failure drops it, unless the state has nothing to do with it, as with an invalid command. The next command
/// then loads it again.
///
/// A decision is stored in one act: its events, and its outcome if the command has an id. The outcome is remembered, so
/// that a repeat of the command gets it again, even if the state has changed since. The idea of a decider, `decide` and
/// `evolve`, comes from Jérémie Chassaing's "Functional Event Sourcing Decider".
pub struct Commands {
    pub(super) behaviour: Box<dyn Behaviour>,
    /// The place of the state. `None` if there is no valid state.
    pub(super) at: Option<Place>,
    pub(super) snapshots: SnapshotStatus,
    /// The outcomes that were remembered by this machine.
    remembered: u64,
    pub(super) failure: Option<FailedAttempt>,
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Commands").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Commands {
    /// The commands of an aggregate, without a state.
    #[must_use]
    pub fn new(behaviour: Box<dyn Behaviour>) -> Self {
        Self { behaviour, at: None, snapshots: SnapshotStatus::default(), remembered: 0, failure: None }
    }

    /// How the snapshots do.
    #[must_use]
    pub fn snapshots(&self) -> &SnapshotStatus {
        &self.snapshots
    }

    /// The state as JSON. Call [`load`](Self::load) first.
    ///
    /// # Errors
    /// [`CommandError::Code`].
    pub fn state(&mut self) -> Result<JsonText, CommandError> {
        Ok(self.behaviour.state()?)
    }

    /// Whether a command with this id has a remembered outcome. A repeat of it is not decided again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn remembers<L: DecisionLog>(
        &self,
        store: &EventStore<L>,
        stream: &StreamId,
        id: &IdempotencyKey,
        now: RecordedTime,
    ) -> Result<bool, StorageError> {
        Ok(self.outcome(store.log(), stream, id, now)?.is_some())
    }

    /// Decides a command, or folds one page of the events that the state does not contain yet.
    ///
    /// `now` is the time by the caller's clock. The store calls `fresh_id` once for each event without an id.
    ///
    /// # Errors
    /// [`CommandError`]. Nothing was written, unless the storage has failed.
    pub fn execute<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        command: &Command,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Step<Executed>, CommandError> {
        let stepped = store.log_mut().exclusively(|log| self.step(log, stream, command, None, now, fresh_id));
        self.after_step(store, stream, Some(command), &stepped);
        stepped
    }

    /// What follows from a step, once it is stored. `command` is the caller's, and `None` if the stream itself has made it.
    pub(super) fn after_step<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        command: Option<&Command>,
        stepped: &Result<Step<Executed>, CommandError>,
    ) {
        let is_dry_run = command.is_some_and(|command| command.dry_run);
        match stepped {
            Ok(Step::Done(executed)) if !is_dry_run => {
                self.settle(store, stream, command.and_then(|command| command.id.as_ref()), executed);
            }
            Ok(Step::More) if !is_dry_run => self.store_snapshot(store, stream, false),
            Ok(_) => {}
            Err(error) => self.doubt(error),
        }
    }

    /// Brings the state up to the end of the stream, by one page of events at most. Returns the version of the stream.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn load<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
    ) -> Result<Step<Version>, CommandError> {
        let loaded = store.log().reading(|log| self.load_page(log, stream));
        match &loaded {
            Ok(step) => self.store_snapshot(store, stream, *step != Step::More),
            Err(error) => self.doubt(error),
        }
        loaded
    }

    fn load_page<L: DecisionLog>(
        &mut self,
        log: &L,
        stream: &StreamId,
    ) -> Result<Step<Version>, CommandError> {
        let head = log.head(stream)?;
        head.keeps(stream, None)?;
        Ok(if self.catch_up(log, stream, &head)? { Step::Done(head.version) } else { Step::More })
    }

    /// Forgets the state after an error that may concern it.
    fn doubt(&mut self, error: &CommandError) {
        // These do not concern the state: a locked storage has not even begun.
        let before_the_state = match error {
            CommandError::IdReused { .. }
            | CommandError::Refused(AppendError::WrongExpectedVersion { .. }) => true,
            CommandError::Refused(AppendError::Storage(error)) => error.code() == ErrorCode::StorageBusy,
            // The caller's fault. The code has refused the command before it looked at the state.
            CommandError::Code(fault) => fault.is_of_the_caller(),
            _ => false,
        };
        if !before_the_state {
            self.clear();
        }
    }

    /// Forgets the state. The next command loads it again.
    pub fn clear(&mut self) {
        self.at = None;
        self.behaviour.clear();
    }

    /// Takes the decided state as the state, now that the decision is stored.
    fn settle<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        id: Option<&IdempotencyKey>,
        executed: &Executed,
    ) {
        if executed.replayed {
            return;
        }
        if let Some(commit) = executed.commit() {
            self.behaviour.advance();
            self.at = self.at.map(|place| Place {
                version: commit.version,
                events: place.events.saturating_add(commit.count()),
                bytes: place.bytes.saturating_add(commit.events.len() as u64),
                ..place
            });
        }
        self.store_snapshot(store, stream, true);
        if let Some(id) = id {
            self.remove_outcomes(store, stream, id, executed.time);
        }
    }

    /// Decides a command or another input. `settled` is the pending command that the decision removes.
    pub(super) fn step<L: DecisionLog>(
        &mut self,
        log: &mut L,
        stream: &StreamId,
        command: &Command,
        settled: Option<&PendingCommand>,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Step<Executed>, CommandError> {
        if let Some(executed) = self.remembered(log, stream, command, now)? {
            return Ok(Step::Done(executed));
        }
        let head = log.head(stream)?;
        head.accepts(stream, command.expected)?;
        if !self.catch_up(log, stream, &head)? {
            return Ok(Step::More);
        }
        // A sent command is due by the clock, which may have gone back.
        let time = now.max(head.time);
        let context = DecideContext { now: time, version: head.version };
        let decided = |decided| Executed::without_events(stream, head.version, time, decided);
        let decision = match self.not_taken(&head, command)? {
            // Nothing is stored. An event that came before the start may come again in time, and one after the end has no effect then
            // either.
            Some(_) if matches!(command.input(), Input::Event { .. }) => {
                return Ok(Step::Done(decided(Decided::Nothing)));
            }
            Some(decision) => decision,
            None => self.behaviour.decide(command, &context)?,
        };
        let mut accepted = match decision {
            BehaviourDecision::Accepted(accepted) => accepted,
            BehaviourDecision::Rejected(rejection) => {
                check_rejection(command, &rejection)?;
                let pending = settled.map(|pending| rejected(pending, &rejection));
                let executed = decided(Decided::Rejected { rejection });
                return write(log, stream, &head, command, executed, pending.as_slice());
            }
        };
        if !accepted.sent.is_empty() && !self.behaviour.settings().may_end {
            let detail = "only a process may send commands";
            return Err(Fault::new(ErrorCode::DeciderFailed, detail).into());
        }
        let cause = cause_of(command, settled, &accepted, fresh_id);
        let events = std::mem::take(&mut accepted.events);
        let pending = changes_of(log, stream, accepted, settled, &cause, now, fresh_id)?;
        if events.is_empty() {
            return write(log, stream, &head, command, decided(Decided::Nothing), &pending);
        }
        let append = Append::to(stream.clone(), events).expecting(ExpectedVersion::Exactly(head.version));
        let append = if cause == Cause::default() { append } else { append.caused_by(cause) };
        append.check_count()?;
        let commit = append.plan(&head, now, || append.encode(fresh_id))?;
        let executed = Executed::now(&append, commit, command.dry_run);
        write(log, stream, &head, command, executed, &pending)
    }

    fn not_taken(
        &mut self,
        head: &Head,
        command: &Command,
    ) -> Result<Option<BehaviourDecision>, CommandError> {
        let may_end = self.behaviour.settings().may_end;
        let is_ended = may_end && self.behaviour.is_ended()?;
        Ok(not_taken(command.input(), !head.version.is_empty(), is_ended))
    }

    /// The first outcome of the command, if it has one.
    fn remembered<L: DecisionLog>(
        &self,
        log: &L,
        stream: &StreamId,
        command: &Command,
        now: RecordedTime,
    ) -> Result<Option<Executed>, CommandError> {
        let Some(id) = &command.id else { return Ok(None) };
        let Some(outcome) = self.outcome(log, stream, id, now)? else { return Ok(None) };
        if outcome.command != command.hash() {
            return Err(CommandError::IdReused { stream: stream.clone() });
        }
        let commit = match outcome.decided {
            Decided::Events { first_version } => {
                loading::commit_of(log, stream, first_version, outcome.version)?
            }
            _ => None,
        };
        Ok(Some(Executed::again(stream, outcome, commit)))
    }

    /// The outcome under this id, unless it is too old.
    fn outcome<L: DecisionLog>(
        &self,
        log: &L,
        stream: &StreamId,
        id: &IdempotencyKey,
        now: RecordedTime,
    ) -> Result<Option<Outcome>, StorageError> {
        let remembers = self.behaviour.settings().remember_millis;
        // A process may send a command again at any time, and an event may be delivered again at any time.
        let is_bounded = remembers > 0 && id.origin() != KeyOrigin::Process;
        let is_fresh = |outcome: &Outcome| !is_bounded || now <= outcome.time.later(remembers);
        Ok(log.outcome(stream, id)?.filter(is_fresh))
    }

    /// Folds a page of new events. Returns whether the state is now of the stream's last version.
    fn catch_up<L: DecisionLog>(
        &mut self,
        log: &L,
        stream: &StreamId,
        head: &Head,
    ) -> Result<bool, CommandError> {
        // A state from before a truncation lacks the truncated events that came after it.
        let valid = self.at.filter(|place| place.version >= head.hidden && place.version <= head.version);
        // A page that is folded in part is no state.
        self.at = None;
        let place = match valid {
            Some(place) => place,
            None => loading::begin(log, &mut *self.behaviour, stream, head, Version::MAX)?,
        };
        let place = loading::fold_page(log, &mut *self.behaviour, stream, place, head.version)?;
        // After a truncation, the state can be loaded again from a snapshot alone.
        let place = Place { replaces: place.replaces || place.snapshot < head.hidden, ..place };
        self.at = Some(place);
        Ok(place.version == head.version)
    }

    /// Removes outcomes that are too old, now and then. The command is stored, so a failure is no failure of the command.
    fn remove_outcomes<L: DecisionLog>(
        &mut self,
        store: &mut EventStore<L>,
        stream: &StreamId,
        id: &IdempotencyKey,
        now: RecordedTime,
    ) {
        let millis = self.behaviour.settings().remember_millis;
        // An object that starts for each command removes them too.
        let is_due = millis > 0 && self.remembered.is_multiple_of(OUTCOMES_PER_REMOVAL);
        self.remembered = self.remembered.saturating_add(1);
        if is_due {
            // The next removal looks at the same outcomes.
            let _ = store.log_mut().remove_outcomes(stream, now.earlier(millis), id);
        }
    }
}

/// Stores a decision, its outcome and the changes of the pending commands, unless the command is a dry run.
fn write<L: DecisionLog>(
    log: &mut L,
    stream: &StreamId,
    head: &Head,
    command: &Command,
    mut executed: Executed,
    pending: &[PendingChange],
) -> Result<Step<Executed>, CommandError> {
    if command.dry_run {
        return Ok(Step::Done(executed));
    }
    let outcome = command.id.as_ref().map(|id| (id, executed.outcome(command.hash())));
    let outcome = outcome.as_ref().map(|(id, outcome)| (*id, outcome));
    let commit = executed.commit().cloned();
    if commit.is_some() || outcome.is_some() || !pending.is_empty() {
        head.has_room(stream)?;
        log.insert_decision(stream, DecisionParts { commit, outcome, pending })?;
        executed.changes_pending = !pending.is_empty();
    }
    Ok(Step::Done(executed))
}
