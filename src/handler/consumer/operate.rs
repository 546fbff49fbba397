//! The operations and reads of a consumer.

use std::ops::{ControlFlow, RangeInclusive};

use thiserror::Error;

use super::dead_letters::DeadLetters;
use super::machine::Consumer;
use super::policy::{Kind, OnFailure, Settings};
use super::window::Offers;
use crate::ErrorCode;
use crate::gateway::Alarm;
use crate::handler::feed::Lane;
use crate::handler::projections::document_key::DocumentKey;
use crate::handler::projections::documents::{DocumentError, DocumentPage, Documents};
use crate::handler::stored::state::{Round, Running, State, Track, Trouble};
use crate::handler::stored::storage::NextLetter;
use crate::store::limits::PAGE_EVENTS;
use crate::store::reads::page_budget::PageBudget;
use crate::store::sqlite::Sql;
use crate::store::{Checkpoint, JsonText, Position, RecordedTime, StorageError};

/// The reason why a consumer was not rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// Only documents can be made again. A delivery cannot be undone.
    #[error("this consumer is not a projection; only a projection can be rebuilt")]
    NotAProjection,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RebuildError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotAProjection => ErrorCode::NotAProjection,
            Self::Storage(error) => error.code(),
        }
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Pauses the consumer at its checkpoint. The outcomes of deliveries under way still count. A series of attempts
    /// continues when the consumer is resumed.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn pause(&mut self) -> Result<(), StorageError> {
        self.operate(None, &mut |_, state| {
            if state.status == Running::Running {
                state.status = Running::Paused;
            }
            Ok(())
        })
    }

    /// Resumes the consumer at once. Failed events do not wait for their next attempt any more. If the consumer had
    /// stopped in front of an event, this event gets a new series of attempts. Run the machine then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn resume(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.offers.forget_failures();
        self.operate(Some(now), &mut |_, state| {
            resume(state, now);
            Ok(())
        })
    }

    /// Attempts the dead letters again in their order, each in a new series of attempts. A letter that succeeds is
    /// deleted. The retry begins at once. Failed events do not wait for their next attempt any more either. A stopped
    /// consumer is resumed. Run the machine then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn retry(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        // A letter under way also gets a whole new series.
        if self.hand.take_if(|hand| hand.letter.is_some()).is_some() {
            self.offers = Offers::default();
        }
        self.offers.forget_failures();
        self.operate(Some(now), &mut |_, state| {
            if state.status == Running::Stopped {
                resume(state, now);
            }
            begin_at_once(state, now);
            state.round = Some(Round::start(state.letters));
            Ok(())
        })
    }

    /// Makes the checkpoint durable.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn save(&mut self) -> Result<(), StorageError> {
        if self.unsaved == 0 {
            return Ok(());
        }
        let saved = self.commit(&mut |_, _| Ok(()));
        self.settled(saved)
    }

    /// Attempts failed events again at once, in a new series of attempts. Call it after a change of the definition,
    /// because these events may succeed now. Run the machine then.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn renew(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.offers.forget_failures();
        self.operate(Some(now), &mut |_, state| {
            begin_new_series(state);
            if let Some(round) = &mut state.round {
                round.trouble = Trouble::default();
            }
            Ok(())
        })
    }

    /// Discards the dead letters with these ids, at most [`REMOVED_ROWS`](crate::store::limits::REMOVED_ROWS) of them.
    /// Returns whether there was one. Call it until it returns `false`. Other calls may run in between. With
    /// `HoldStream`, the events that a discarded letter holds stay held until the next [`retry`](Consumer::retry).
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn discard(&mut self, ids: RangeInclusive<u64>) -> Result<bool, StorageError> {
        let is_it = |letter: u64| ids.contains(&letter);
        if self.hand.take_if(|hand| hand.letter.is_some_and(is_it)).is_some() {
            self.offers = Offers::default();
        }
        if !self.looking(|machine| machine.has_letter(&machine.state, &ids))? {
            return Ok(false);
        }
        let mut any = false;
        self.operate(None, &mut |machine, state| {
            // Another process may have discarded the letter meanwhile.
            any = machine.has_letter(state, &ids)?;
            let generation = state.live.generation;
            let (from, to) = letters(state, &ids);
            if let Some(round) = &mut state.round {
                let in_order = machine.settings.policy.on_failure == OnFailure::HoldStream;
                let next = machine.store().next_letter(generation, round, in_order)?;
                // The failures belonged to the discarded letter.
                if matches!(next, NextLetter::Found(letter) if is_it(letter.id.get())) {
                    round.trouble = Trouble::default();
                }
            }
            machine.store().remove_letters(generation, from, to)
        })?;
        Ok(any)
    }

    /// Makes all documents again from the beginning of the feed, beside the present ones. The present documents follow
    /// the feed until the new ones have caught up. Then the new documents replace them. An earlier rebuild that is
    /// under way is given up. Run the machine then.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub fn rebuild(&mut self, now: RecordedTime) -> Result<(), RebuildError> {
        if self.settings.kind != Kind::Projection {
            return Err(RebuildError::NotAProjection);
        }
        Ok(self.begin_rebuild(now)?)
    }

    /// Begins a rebuild by the code of this machine. Code of another version may handle the event at which the consumer
    /// has stopped, so it then gets a new series of attempts.
    pub(super) fn begin_rebuild(&mut self, now: RecordedTime) -> Result<(), StorageError> {
        self.hand.take_if(|hand| hand.lane == Lane::Rebuild);
        self.untidy = true;
        let Settings { partitions, version, .. } = self.settings;
        self.operate(Some(now), &mut |_, state| {
            if std::mem::replace(&mut state.version, version) != version && state.status == Running::Stopped {
                resume(state, now);
            }
            let last = state.rebuild.as_ref().map_or(state.live.generation, |track| track.generation);
            state.rebuild = Some(Track::start(last + 1, partitions));
            Ok(())
        })
    }

    /// The highest id that a dead letter ever had.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn last_letter(&mut self) -> Result<u64, StorageError> {
        self.looking(|machine| Ok(machine.state.letters))
    }

    /// Returns up to `limit` dead letters, at most 1,000, with ids greater than `after`. The page is shorter if the
    /// letters fill 4 MiB.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn dead_letters(&mut self, after: u64, limit: usize) -> Result<DeadLetters, StorageError> {
        if limit == 0 {
            return Ok(DeadLetters::default());
        }
        self.looking(|machine| {
            let (mut found, mut budget) = (DeadLetters::default(), PageBudget::of(limit.min(PAGE_EVENTS)));
            machine.store().scan_letters(machine.state.live.generation, after, &mut |letter| {
                if budget.is_spent() {
                    found.next = found.letters.last().map(|letter| letter.id.get());
                    return ControlFlow::Break(());
                }
                budget.look_at(1, letter.event.json.len() + letter.error.size());
                budget.take();
                found.letters.push(letter);
                ControlFlow::Continue(())
            })?;
            Ok(found)
        })
    }

    /// The document of this key, if there is one.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn document(&mut self, key: &DocumentKey) -> Result<Option<JsonText>, DocumentError> {
        self.looking(|machine| {
            Documents::new(machine.storage.clone(), machine.state.live.generation).find(key)
        })
    }

    /// Returns up to `limit` documents, at most 1,000, with keys that begin with `prefix` and are greater than `after`.
    /// The page is shorter if the documents fill 4 MiB.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn documents(
        &mut self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<DocumentPage, DocumentError> {
        self.looking(|machine| {
            Documents::new(machine.storage.clone(), machine.state.live.generation).list(prefix, after, limit)
        })
    }

    /// Whether the consumer's checkpoint has reached this position. Then its documents cover the event at this
    /// position.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn reached(&mut self, partition: usize, position: Position) -> Result<bool, StorageError> {
        self.looking(|machine| Ok(machine.state.live.checkpoint.position(partition) >= position))
    }

    /// The consumer's checkpoint.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn checkpoint(&mut self) -> Result<Checkpoint, StorageError> {
        self.looking(|machine| Ok(machine.state.live.checkpoint.clone()))
    }

    /// Reads something together with its state, both at one moment. Another process may replace the documents by
    /// rebuilt ones at any time.
    pub(super) fn looking<T, E: From<StorageError>>(
        &mut self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let storage = self.storage.clone();
        let (mut read, mut found) = (Some(read), None);
        let looked = storage.store().reading(&mut || {
            self.refresh()?;
            found = read.take().map(|read| read(self));
            Ok(())
        });
        self.settled(looked)?;
        found.unwrap_or_else(|| Err(StorageError::failed("the storage did not read the state").into()))
    }

    /// Whether there is a dead letter with one of these ids.
    fn has_letter(&self, state: &State, ids: &RangeInclusive<u64>) -> Result<bool, StorageError> {
        let (from, to) = letters(state, ids);
        let mut any = false;
        self.store().scan_letters(state.live.generation, from.saturating_sub(1), &mut |letter| {
            any = letter.id.get() <= to;
            ControlFlow::Break(())
        })?;
        Ok(any)
    }

    /// Changes the state for an operator. The duty to run becomes durable in the same transaction.
    fn operate(
        &mut self,
        run_at: Option<RecordedTime>,
        work: &mut dyn FnMut(&Self, &mut State) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        // The following run may last longer than until the alarm rings. The alarm is then set again.
        self.busy |= run_at.is_some();
        let altered = loop {
            let altered = self.refresh().and_then(|()| {
                self.commit(&mut |machine, state| {
                    work(machine, state)?;
                    run_at.map_or(Ok(()), |now| machine.arm_soon(now))
                })
            });
            // If another process has saved the state meanwhile, the change is made again to its state.
            if altered.is_err() || self.known {
                break altered;
            }
        };
        self.settled(altered)
    }
}

/// The first and the last of these ids, within the ids that dead letters ever had.
fn letters(state: &State, ids: &RangeInclusive<u64>) -> (u64, u64) {
    let last = state.letters;
    ((*ids.start()).min(last + 1), (*ids.end()).min(last))
}

fn resume(state: &mut State, now: RecordedTime) {
    if state.status == Running::Stopped {
        begin_new_series(state);
    }
    begin_at_once(state, now);
    state.status = Running::Running;
}

/// Makes every waiting attempt due now. The numbers of failures stay.
fn begin_at_once(state: &mut State, now: RecordedTime) {
    let State { live, rebuild, round, .. } = state;
    let rebuild = rebuild.as_mut().map(|track| &mut track.trouble);
    let round = round.as_mut().map(|round| &mut round.trouble);
    for trouble in [Some(&mut live.trouble), rebuild, round].into_iter().flatten() {
        trouble.until = trouble.until.min(now);
    }
}

/// Gives the failed events a new series of attempts.
fn begin_new_series(state: &mut State) {
    state.live.trouble = Trouble::default();
    if let Some(track) = &mut state.rebuild {
        track.trouble = Trouble::default();
    }
}
