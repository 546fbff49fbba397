//! One aggregate: its stream, and the duty to forward it to the journal.

use std::ops::ControlFlow;

use thiserror::Error;

use super::command_error::CommandError;
use super::commands::{Commands, Step};
use super::executed::Executed;
use super::outbox::Outbox;
use super::state_load::StateLoad;
use crate::gateway::alarm::Alarm;
use crate::gateway::backoff::backoff;
use crate::gateway::journal::Forward;
use crate::handler::Command;
use crate::store::limits::{JOURNAL_GROUP_BYTES, PAGE_EVENTS};
use crate::store::reads::page_budget::PageBudget;
use crate::store::{
    Append, AppendError, Appended, Commit, DecisionLog, Direction, EventId, EventStore, Head, IdempotencyKey,
    RecordedTime, StorageError, StreamId, StreamLog, TruncateError, Truncated, Version,
};

/// An aggregate as a machine. It forwards everything that it stores, even after crashes.
///
/// Ask for [`next_forward`](Self::next_forward) after each call that may have left something to forward, and when the
/// alarm rings. Send each forward to the journal, and then call [`forwarded`](Self::forwarded) or
/// [`not_forwarded`](Self::not_forwarded). Repeat this until there is no forward. Between the calls the machine only
/// remembers a guess, which the journal's next answer corrects. So you may lose the machine at any time and make a new
/// one.
#[derive(Debug)]
pub struct Aggregate<L, A> {
    pub(super) store: EventStore<Outbox<L, A>>,
    /// The version up to which the journal has the stream, if it is known.
    recorded: Option<Version>,
    /// The hidden events that the last answered forward has announced, if there was one.
    announced: Option<Cut>,
    sending: Option<UnderWay>,
    failures: u32,
    /// Whether the last forward has failed, so that the next attempt waits for the alarm.
    waits_for_alarm: bool,
}

/// The last hidden version of a stream, and whether the stream is deleted.
type Cut = (Version, bool);

/// A forward that is under way.
#[derive(Debug, Clone, Copy)]
struct UnderWay {
    cut: Cut,
    /// Whether the forward begins directly after the version that the journal has. The journal must accept such a
    /// forward.
    in_place: bool,
}

/// The reason why nothing was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// The journal does not have the events yet. Forward first, then try again.
    #[error("the journal does not have the events yet that are to be forgotten; try again")]
    NotForwarded,
    /// The store has refused or failed.
    #[error(transparent)]
    Refused(#[from] TruncateError),
}

impl<L: StreamLog, A: Alarm> Aggregate<L, A> {
    /// The aggregate whose stream is stored by `log`.
    pub fn new(log: L, alarm: A) -> Self {
        let store = EventStore::new(Outbox::new(log, alarm));
        Self { store, recorded: None, announced: None, sending: None, failures: 0, waits_for_alarm: false }
    }

    /// The stream, for reads.
    pub(super) fn store(&self) -> &EventStore<Outbox<L, A>> {
        &self.store
    }

    /// Appends as [`EventStore::append`] does. The duty to forward becomes durable before the events do.
    ///
    /// # Errors
    /// [`AppendError`]. Nothing was written, unless the error is [`AppendError::Storage`].
    pub fn append(
        &mut self,
        append: Append,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        self.store.log().at(now);
        self.store.append(append, now, fresh_id)
    }

    /// Executes a command, or loads a page of its state, as [`Commands::execute`] does.
    ///
    /// # Errors
    /// [`CommandError`]. Nothing was written, unless the storage has failed.
    pub fn execute(
        &mut self,
        commands: &mut Commands,
        stream: &StreamId,
        command: &Command,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Step<Executed>, CommandError>
    where
        L: DecisionLog,
    {
        self.store.log().at(now);
        commands.execute(&mut self.store, stream, command, now, fresh_id)
    }

    /// Loads a page of the present state, as [`Commands::load`] does.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn load(
        &mut self,
        commands: &mut Commands,
        stream: &StreamId,
        now: RecordedTime,
    ) -> Result<Step<Version>, CommandError>
    where
        L: DecisionLog,
    {
        self.store.log().at(now);
        commands.load(&mut self.store, stream)
    }

    /// Stores a snapshot before a truncation, as [`Commands::secure`] does.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn secure(
        &mut self,
        commands: &mut Commands,
        stream: &StreamId,
        before: Version,
        now: RecordedTime,
    ) -> Result<Step<()>, CommandError>
    where
        L: DecisionLog,
    {
        self.store.log().at(now);
        commands.secure(&mut self.store, stream, before)
    }

    /// Loads a page of an earlier state, as [`StateLoad::load`] does.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn load_at(&self, load: &mut StateLoad, stream: &StreamId) -> Result<Step<Version>, CommandError>
    where
        L: DecisionLog,
    {
        load.load(&self.store, stream)
    }

    /// Whether a command has a remembered outcome, as [`Commands::remembers`] does.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn remembers(
        &self,
        commands: &Commands,
        stream: &StreamId,
        id: &IdempotencyKey,
        now: RecordedTime,
    ) -> Result<bool, StorageError>
    where
        L: DecisionLog,
    {
        commands.remembers(&self.store, stream, id, now)
    }

    /// Truncates as [`EventStore::truncate`] does. It refuses until the journal has the events to forget.
    ///
    /// # Errors
    /// [`ForgetError`]. The stream is then unchanged.
    pub fn truncate(
        &mut self,
        stream: &StreamId,
        version: Version,
        now: RecordedTime,
    ) -> Result<Truncated, ForgetError> {
        self.store.log().at(now);
        let head = self.store.head(stream).map_err(TruncateError::from)?;
        if version <= head.version && self.is_recorded(version.before(1).unwrap_or_default()) {
            return Ok(self.store.truncate(stream, version)?);
        }
        self.unless_behind(&head)?;
        Ok(self.store.truncate(stream, version)?)
    }

    /// Deletes as [`EventStore::delete`] does. It refuses until the journal has the whole stream.
    ///
    /// # Errors
    /// [`ForgetError`]. The stream is then unchanged.
    pub fn delete(&mut self, stream: &StreamId, now: RecordedTime) -> Result<(), ForgetError> {
        self.store.log().at(now);
        let head = self.store.head(stream).map_err(TruncateError::from)?;
        self.unless_behind(&head)?;
        Ok(self.store.delete(stream).map_err(TruncateError::from)?)
    }

    /// Removes one page of hidden events, as [`EventStore::remove_forgotten`] does. Returns whether there may be more.
    /// Call it after each [`truncate`](Self::truncate) and [`delete`](Self::delete), and after the alarm has rung,
    /// until it returns `false`. Each removal sets the alarm, so that the rest is removed even after a crash.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn remove_forgotten(&mut self, stream: &StreamId, now: RecordedTime) -> Result<bool, StorageError> {
        self.store.log().at(now);
        self.store.remove_forgotten(stream)
    }

    fn is_recorded(&self, version: Version) -> bool {
        self.recorded.is_some_and(|recorded| version <= recorded)
    }

    fn unless_behind(&self, head: &Head) -> Result<(), ForgetError> {
        let settled = head.version.is_empty() || head.deleted || self.is_recorded(head.version);
        if settled { Ok(()) } else { Err(ForgetError::NotForwarded) }
    }

    /// Returns the next forward to the journal. Returns `None` if the journal has everything, or a forward is under
    /// way. Also returns `None` after a failed forward, however much is appended meanwhile: then the alarm starts the
    /// next attempt.
    ///
    /// If the machine does not know which version the journal has, it forwards the last commit. The journal's answer
    /// names the version.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn next_forward(&mut self, stream: &StreamId) -> Result<Option<Forward>, StorageError> {
        if self.sending.is_some() || self.waits_for_alarm {
            return Ok(None);
        }
        let head = self.store.head(stream)?;
        let cut = (head.hidden, head.deleted);
        let new_events = self.recorded.is_none_or(|recorded| recorded < head.version);
        let new_cut = cut != self.announced.unwrap_or_default();
        if head.version.is_empty() || !(new_events || new_cut) {
            return Ok(None);
        }
        // Without forgotten events there is no base to read.
        let untouched = cut == Cut::default();
        let base = if untouched { Version::EMPTY } else { self.store.log().base(stream)?.version };
        let commits = match (self.recorded.map(|recorded| recorded.max(base)), self.store.log().just_made()) {
            (None, Some(made)) => vec![made],
            (Some(recorded), Some(made)) if recorded.after(1) == Some(made.first_version) => vec![made],
            (Some(recorded), _) => self.commits_after(stream, recorded)?,
            (None, None) => self.last_commit(stream, head.version)?,
        };
        self.sending = Some(UnderWay { cut, in_place: self.recorded.is_some() && !commits.is_empty() });
        let (hidden, deleted) = cut;
        Ok(Some(Forward { stream: stream.clone(), base, hidden, deleted, commits }))
    }

    /// Processes the journal's answer: the version up to which the journal has the stream.
    ///
    /// # Errors
    /// [`StorageError`] if the alarm cannot be set.
    pub fn forwarded(
        &mut self,
        version: Version,
        now: RecordedTime,
        jitter: u64,
    ) -> Result<(), StorageError> {
        let Some(sent) = self.sending.take() else { return Ok(()) };
        let stuck = sent.in_place && self.is_recorded(version);
        self.recorded = Some(version);
        self.announced = Some(sent.cut);
        if stuck {
            // The journal did not accept the next commits. An immediate second attempt might repeat without end.
            return self.not_forwarded(now, jitter);
        }
        self.failures = 0;
        Ok(())
    }

    /// Notes that a forward may not have arrived, and sets the alarm for another attempt. `jitter` is a random number.
    ///
    /// # Errors
    /// [`StorageError`] if the alarm cannot be set.
    pub fn not_forwarded(&mut self, now: RecordedTime, jitter: u64) -> Result<(), StorageError> {
        self.sending = None;
        self.failures = self.failures.saturating_add(1);
        let outbox = self.store.log();
        outbox.at(now);
        outbox.arm_in(backoff(self.failures, jitter))?;
        self.waits_for_alarm = true;
        Ok(())
    }

    /// Notes that the alarm has rung. The machine gives up a forward that is under way, because the journal may never
    /// answer it. Call [`rang_out`](Self::rang_out) when the work for the alarm has ended.
    pub fn rang(&mut self, now: RecordedTime) {
        let outbox = self.store.log();
        outbox.at(now);
        outbox.rang();
        self.sending = None;
        self.waits_for_alarm = false;
    }

    /// Notes that the work for the alarm has ended, and sets the alarm for the pending commands.
    ///
    /// # Errors
    /// [`StorageError`] if the alarm cannot be set.
    pub fn rang_out(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        let outbox = self.store.log();
        outbox.at(now);
        outbox.rang_out()
    }

    /// Notes the alarm that an object finds when it starts. Returns whether the alarm was lost: it is overdue, or is
    /// set further ahead than any alarm may be. Treat a lost alarm as one that rings now. `at` is `None` if no alarm is set.
    pub fn found_alarm(&mut self, at: Option<RecordedTime>, now: RecordedTime) -> bool {
        let outbox = self.store.log();
        outbox.at(now);
        outbox.found_armed(at);
        outbox.is_lost()
    }

    /// The last commit of the stream. Empty if the commit is removed.
    fn last_commit(&self, stream: &StreamId, version: Version) -> Result<Vec<Commit>, StorageError> {
        let mut last = Ok(Vec::new());
        self.store.log().scan(stream, version, Direction::Forward, &mut |commit| {
            last = commit.to_commit().map(|commit| vec![commit]);
            ControlFlow::Break(())
        })?;
        last
    }

    /// The commits after a version, as many as one forward carries.
    fn commits_after(&self, stream: &StreamId, recorded: Version) -> Result<Vec<Commit>, StorageError> {
        let (mut commits, mut failure) = (Vec::new(), None);
        let mut budget = PageBudget::of(PAGE_EVENTS).of_bytes(JOURNAL_GROUP_BYTES);
        let Some(start) = recorded.after(1) else { return Ok(commits) };
        self.store.log().scan(stream, start, Direction::Forward, &mut |commit| {
            budget.look_at(1, commit.events.len());
            budget.take();
            match commit.to_commit() {
                Ok(commit) => commits.push(commit),
                Err(error) => failure = Some(error),
            }
            if failure.is_some() || budget.is_spent() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        failure.map_or(Ok(commits), Err)
    }
}
