//! One aggregate: its stream, and the duty to forward it to the journal.

use std::ops::ControlFlow;

use thiserror::Error;

use super::outbox::Outbox;
use crate::gateway::alarm::Alarm;
use crate::gateway::backoff::backoff;
use crate::gateway::journal::Forward;
use crate::store::limits::{JOURNAL_GROUP_BYTES, PAGE_EVENTS};
use crate::store::reads::page_budget::PageBudget;
use crate::store::{
    Append, AppendError, Appended, Commit, Direction, EventId, EventStore, Head, RecordedTime, StorageError,
    StreamId, StreamLog, TruncateError, Truncated, Version,
};

/// An aggregate as a machine: what it stores is forwarded, whatever happens in between.
///
/// After each call that may have left something to forward, and when the alarm rings, the caller asks for
/// [`next_forward`](Self::next_forward) until there is none, sends each to the journal, and tells what came of it by
/// [`forwarded`](Self::forwarded) or [`not_forwarded`](Self::not_forwarded). All that is remembered between the calls is
/// a guess that the journal's next answer puts right, so the machine may be lost and made anew at any moment.
#[derive(Debug)]
pub struct Aggregate<L, A> {
    store: EventStore<Outbox<L, A>>,
    /// Up to which version the journal is known to have the stream.
    kept: Option<Version>,
    /// What the journal is known to have heard of that is forgotten.
    told: Option<Cut>,
    sending: Option<Sending>,
    failures: u32,
    /// Whether the last forward failed and the alarm is to begin the next attempt.
    resting: bool,
}

/// What of a stream is no longer shown.
type Cut = (Version, bool);

/// A forward that is on its way.
#[derive(Debug, Clone, Copy)]
struct Sending {
    cut: Cut,
    /// Whether it begins where the journal is known to be, and so must bring it on.
    in_place: bool,
}

/// Why nothing was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// The journal does not have yet what is to be forgotten. Forward first, then ask again.
    #[error("the journal does not have the events yet that are to be forgotten; try again")]
    NotForwarded,
    /// The store refused or failed.
    #[error(transparent)]
    Refused(#[from] TruncateError),
}

impl<L: StreamLog, A: Alarm> Aggregate<L, A> {
    /// The aggregate whose stream is kept by `log`.
    pub fn new(log: L, alarm: A) -> Self {
        let store = EventStore::new(Outbox::new(log, alarm));
        Self { store, kept: None, told: None, sending: None, failures: 0, resting: false }
    }

    /// The stream, to be read.
    pub fn store(&self) -> &EventStore<impl StreamLog + use<L, A>> {
        &self.store
    }

    /// Appends as [`EventStore::append`] does. The duty to forward is durable before the events are.
    ///
    /// # Errors
    /// [`AppendError`]; unless it is [`AppendError::Storage`], nothing was written.
    pub fn append(
        &mut self,
        append: Append,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        self.store.log().at(now);
        self.store.append(append, now, fresh_id)
    }

    /// Truncates as [`EventStore::truncate`] does, once the journal has what is to be forgotten.
    ///
    /// # Errors
    /// [`ForgetError`]; the stream is then as it was.
    pub fn truncate(
        &mut self,
        stream: &StreamId,
        version: Version,
        now: RecordedTime,
    ) -> Result<Truncated, ForgetError> {
        self.store.log().at(now);
        let head = self.store.head(stream).map_err(TruncateError::from)?;
        if version <= head.version && self.is_kept(version.before(1).unwrap_or_default()) {
            return Ok(self.store.truncate(stream, version)?);
        }
        self.unless_behind(&head)?;
        Ok(self.store.truncate(stream, version)?)
    }

    /// Deletes as [`EventStore::delete`] does, once the journal has the whole stream.
    ///
    /// # Errors
    /// [`ForgetError`]; the stream is then as it was.
    pub fn delete(&mut self, stream: &StreamId, now: RecordedTime) -> Result<(), ForgetError> {
        self.store.log().at(now);
        let head = self.store.head(stream).map_err(TruncateError::from)?;
        self.unless_behind(&head)?;
        Ok(self.store.delete(stream).map_err(TruncateError::from)?)
    }

    /// Removes some of what was forgotten, as [`EventStore::remove_forgotten`] does, and tells whether there may be more. To be
    /// called until there is not, after each [`truncate`](Self::truncate) and [`delete`](Self::delete), and when the alarm has
    /// rung: it is set as long as something was removed, so that the rest is removed whatever dies.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn remove_forgotten(&mut self, stream: &StreamId, now: RecordedTime) -> Result<bool, StorageError> {
        self.store.log().at(now);
        self.store.remove_forgotten(stream)
    }

    fn is_kept(&self, version: Version) -> bool {
        self.kept.is_some_and(|kept| version <= kept)
    }

    fn unless_behind(&self, head: &Head) -> Result<(), ForgetError> {
        let settled = head.version.is_empty() || head.deleted || self.is_kept(head.version);
        if settled { Ok(()) } else { Err(ForgetError::NotForwarded) }
    }

    /// What is to be sent to the journal now; nothing where it has everything, a forward is on its way, or the last one
    /// failed: then the alarm begins the next attempt, however much is appended meanwhile.
    ///
    /// Where it is not known what the journal has, the last commit asks: the answer tells.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn next_forward(&mut self, stream: &StreamId) -> Result<Option<Forward>, StorageError> {
        if self.sending.is_some() || self.resting {
            return Ok(None);
        }
        let head = self.store.head(stream)?;
        let cut = (head.hidden, head.deleted);
        let new_events = self.kept.is_none_or(|kept| kept < head.version);
        let new_cut = cut != self.told.unwrap_or_default();
        if head.version.is_empty() || !(new_events || new_cut) {
            return Ok(None);
        }
        // Where nothing was forgotten there is no base to look for.
        let untouched = cut == Cut::default();
        let base = if untouched { Version::EMPTY } else { self.store.log().base(stream)?.version };
        let commits = match (self.kept.map(|kept| kept.max(base)), self.store.log().just_made()) {
            (None, Some(made)) => vec![made],
            (Some(kept), Some(made)) if kept.after(1) == Some(made.first_version) => vec![made],
            (Some(kept), _) => self.commits_after(stream, kept)?,
            (None, None) => self.last_commit(stream, head.version)?,
        };
        self.sending = Some(Sending { cut, in_place: self.kept.is_some() && !commits.is_empty() });
        let (hidden, deleted) = cut;
        Ok(Some(Forward { stream: stream.clone(), base, hidden, deleted, commits }))
    }

    /// Takes the journal's answer: up to which version it has the stream.
    ///
    /// # Errors
    /// [`StorageError`] where the alarm cannot be set.
    pub fn forwarded(
        &mut self,
        version: Version,
        now: RecordedTime,
        jitter: u64,
    ) -> Result<(), StorageError> {
        let Some(sent) = self.sending.take() else { return Ok(()) };
        let stuck = sent.in_place && self.is_kept(version);
        self.kept = Some(version);
        self.told = Some(sent.cut);
        if stuck {
            // It was sent what follows and did not take it: to send it at once once more would go on for ever.
            return self.not_forwarded(now, jitter);
        }
        self.failures = 0;
        Ok(())
    }

    /// Takes note that a forward may not have arrived, and sees to another attempt. `jitter` is a random number.
    ///
    /// # Errors
    /// [`StorageError`] where the alarm cannot be set.
    pub fn not_forwarded(&mut self, now: RecordedTime, jitter: u64) -> Result<(), StorageError> {
        self.sending = None;
        self.failures = self.failures.saturating_add(1);
        let outbox = self.store.log();
        outbox.at(now);
        outbox.arm_in(backoff(self.failures, jitter))?;
        self.resting = true;
        Ok(())
    }

    /// Takes note that the alarm has rung. A forward that is still on its way is given up: it may never be answered.
    pub fn rang(&mut self, now: RecordedTime) {
        let outbox = self.store.log();
        outbox.at(now);
        outbox.rang();
        self.sending = None;
        self.resting = false;
    }

    /// Takes note of the alarm that an object finds set when it starts, and tells whether it should have rung, or is set
    /// further ahead than any: then it is to be taken for rung.
    pub fn found_alarm(&mut self, at: RecordedTime, now: RecordedTime) -> bool {
        let outbox = self.store.log();
        outbox.at(now);
        outbox.found_armed(at);
        outbox.is_lost()
    }

    /// The last commit of the stream: nothing where it is forgotten.
    fn last_commit(&self, stream: &StreamId, version: Version) -> Result<Vec<Commit>, StorageError> {
        let mut last = Ok(Vec::new());
        self.store.log().scan(stream, version, Direction::Forward, &mut |commit| {
            last = commit.to_commit().map(|commit| vec![commit]);
            ControlFlow::Break(())
        })?;
        last
    }

    /// The commits after a version, as many as travel together.
    fn commits_after(&self, stream: &StreamId, kept: Version) -> Result<Vec<Commit>, StorageError> {
        let (mut commits, mut failure) = (Vec::new(), None);
        let mut budget = PageBudget::of(PAGE_EVENTS).of_bytes(JOURNAL_GROUP_BYTES);
        let Some(start) = kept.after(1) else { return Ok(commits) };
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
