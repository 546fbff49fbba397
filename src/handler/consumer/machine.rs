//! The machine: the next step of a consumer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::cut_off::CutOff;
use super::duty::BACKSTOP_MILLIS;
use super::failures::FailureReport;
use super::policy::{Kind, OpenError, Settings};
use super::window::Offers;
use crate::gateway::Alarm;
use crate::handler::feed::{FeedPage, Hand, Lane, Next, Read};
use crate::handler::projections::recent::RecentChanges;
use crate::handler::stored::memory::{ConsumerMemory, Memory};
use crate::handler::stored::state::{Round, Running, State, Track, Trouble};
use crate::handler::stored::storage::{ConsumerStore, Storage};
use crate::handler::stored::tables::Tables;
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

/// The most skipped events before the machine makes the checkpoint durable.
const UNSAVED_PASSED: u64 = 1000;

/// A named handler of events with a durable checkpoint. The [module](crate::handler) explains how to run it.
///
/// If the storage fails, the call returns the error. The machine then forgets everything that is not durable, and the
/// next call continues from the durable state.
#[derive(Debug)]
pub struct Consumer<S, A> {
    pub(in crate::handler) storage: Rc<Storage<S>>,
    pub(in crate::handler) settings: Settings,
    /// The durable state. In memory it also contains the progress of deliveries, and of pages without events.
    pub(in crate::handler) state: State,
    /// Whether `state` is up to date.
    pub(in crate::handler) known: bool,
    pub(in crate::handler) hand: Option<Hand>,
    /// The known outcomes of deliveries behind the front of the hand.
    pub(in crate::handler) offers: Offers,
    /// The attempt that was cut off in the last machine, until it is counted.
    pub(in crate::handler) cut_off: Option<CutOff>,
    /// The changes of the live documents that followers may still need.
    pub(in crate::handler) recent: RecentChanges,
    /// The keys of the live documents that the present transaction has changed, in their order.
    pub(in crate::handler) written: RefCell<Vec<Rc<str>>>,
    /// The failed attempts that [`Consumer::take_failures`] has not returned yet.
    pub(in crate::handler) failures: RefCell<Vec<FailureReport>>,
    /// The number of deliveries that the durable checkpoint does not contain.
    pub(in crate::handler) unsaved: usize,
    /// The number of skipped events that the durable checkpoint does not contain.
    pub(in crate::handler) passed: u64,
    /// For each partition, whether the feed may have more events for the live lane.
    pub(in crate::handler) pending: Vec<bool>,
    /// Whether rows of older generations may be left.
    pub(in crate::handler) untidy: bool,
    /// Whether the machine has compared the version of its code with the stored one.
    pub(in crate::handler) compared: bool,
    /// Whether the machine had work when it last ran.
    pub(in crate::handler) busy: bool,
    pub(in crate::handler) alarm: A,
    pub(in crate::handler) armed: Cell<Option<RecordedTime>>,
    /// The last requested page, and whether the consumer was woken after the request.
    pub(in crate::handler) asked: Option<(Read, bool)>,
    turn: usize,
    last_partition: usize,
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Opens the consumer of this name in the database `sql`. A new consumer begins at the place that `settings` names.
    /// It writes nothing before its first work.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(sql: S, alarm: A, settings: Settings) -> Result<Self, OpenError>
    where
        S: Clone,
    {
        let tables = Tables::new(sql, settings.name.as_str());
        Self::on(Storage::Tables(tables), alarm, settings)
    }

    /// Opens the consumer of this name in memory. The memory ends with its last clone.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_in_memory(memory: &ConsumerMemory, alarm: A, settings: Settings) -> Result<Self, OpenError> {
        let memory = Memory::new(memory, settings.name.as_str());
        Self::on(Storage::Memory(Box::new(memory)), alarm, settings)
    }

    fn on(storage: Storage<S>, alarm: A, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let state = storage.store().load()?.unwrap_or_else(|| State::start(&settings));
        if let Some(kind) = state.kind.filter(|kind| *kind != settings.kind) {
            return Err(OpenError::KindFixed { kind });
        }
        let followed = state.live.checkpoint.partitions();
        if followed != settings.partitions {
            return Err(OpenError::PartitionsChanged { followed });
        }
        Ok(Self {
            storage: Rc::new(storage),
            recent: RecentChanges::since(&state),
            written: RefCell::default(),
            failures: RefCell::default(),
            state,
            known: true,
            hand: None,
            offers: Offers::default(),
            cut_off: None,
            unsaved: 0,
            passed: 0,
            pending: vec![true; settings.partitions],
            untidy: true,
            compared: false,
            busy: false,
            alarm,
            armed: Cell::new(None),
            asked: None,
            turn: 0,
            last_partition: 0,
            settings,
        })
    }

    pub(in crate::handler) fn store(&self) -> &dyn ConsumerStore {
        self.storage.store()
    }

    /// Returns the next step.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn next(&mut self, now: RecordedTime) -> Result<Next, StorageError> {
        let next = self.decide(now);
        if let Ok(Next::Idle | Next::Wait { .. } | Next::Paused | Next::Stopped) = next {
            self.busy = false;
        }
        self.settled(next)
    }

    /// Takes a page of the feed into the hand. Drops a page that does not begin at the consumer's checkpoint.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn take_page(&mut self, page: FeedPage, now: RecordedTime) -> Result<(), StorageError> {
        let taken = self.put_in_hand(page, now);
        self.settled(taken)
    }

    fn decide(&mut self, now: RecordedTime) -> Result<Next, StorageError> {
        self.asked = None;
        // Another process may have saved the state, and may have resumed a consumer that this one paused.
        if self.hand.is_none() || self.state.status != Running::Running {
            self.refresh()?;
        }
        if !self.is_current(now)? {
            return Ok(Next::Idle);
        }
        if self.hand.is_none() {
            self.swap()?;
        }
        match self.state.status {
            Running::Running => {}
            Running::Paused => return Ok(Next::Paused),
            Running::Stopped => return Ok(Next::Stopped),
        }
        let mut looking = false;
        for _ in 0..3 {
            if let Some(next) = self.next_in_hand(now)? {
                return Ok(next);
            }
            // Another process has saved the state, or a late outcome has stopped the consumer.
            if !self.known || self.state.status != Running::Running {
                return self.decide(now);
            }
            // The lanes and the dead letters take turns, so that none of them waits without end.
            self.turn = (self.turn + 1) % 3;
            let read = match self.turn {
                0 => self.live_read(now),
                1 => self.rebuild_read(now),
                _ => {
                    looking = self.take_letter(now)?;
                    None
                }
            };
            if let Some(read) = read {
                self.asked = Some((read, false));
                return Ok(Next::Read(read));
            }
        }
        // The last turn may have taken a letter.
        match self.next_in_hand(now)? {
            Some(next) => Ok(next),
            None if looking => Ok(Next::Tidied),
            None if self.known => self.wait_or_idle(now),
            None => self.decide(now),
        }
    }

    /// The next step for the events in hand, if there are any.
    fn next_in_hand(&mut self, now: RecordedTime) -> Result<Option<Next>, StorageError> {
        if self.settings.kind == Kind::Projection {
            return Ok(self.hand.as_ref().map(|_| Next::Project));
        }
        self.offer(now)
    }

    fn live_read(&mut self, now: RecordedTime) -> Option<Read> {
        let track = &self.state.live;
        let partition = self.next_partition(track, now, |partition| self.is_pending(partition))?;
        self.last_partition = partition;
        Some(Read { partition, after: track.checkpoint.position(partition), lane: Lane::Live })
    }

    fn rebuild_read(&mut self, now: RecordedTime) -> Option<Read> {
        let track = self.state.rebuild.as_ref()?;
        let (built, live) = (&track.checkpoint, &self.state.live.checkpoint);
        let behind = |partition| built.position(partition) < live.position(partition);
        let partition = self.next_partition(track, now, behind)?;
        Some(Read { partition, after: built.position(partition), lane: Lane::Rebuild })
    }

    /// The next partition to read, among those for which `wanted` returns true. The partition of a failed event comes
    /// first. Otherwise the partitions take turns.
    fn next_partition(
        &self,
        track: &Track,
        now: RecordedTime,
        wanted: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if self.is_waiting(&track.trouble, now) {
            return None;
        }
        let Trouble { failures, until, partition: failed } = track.trouble;
        let troubled = failures > 0 || until > RecordedTime::default();
        if troubled && wanted(failed) {
            return Some(failed);
        }
        let count = self.settings.partitions;
        (1..=count).map(|step| (self.last_partition + step) % count).find(|partition| wanted(*partition))
    }

    fn is_pending(&self, partition: usize) -> bool {
        self.pending.get(partition).copied().unwrap_or_default()
    }

    /// Decides when no event can be handled now: removes old rows, or waits for the first due attempt.
    fn wait_or_idle(&mut self, now: RecordedTime) -> Result<Next, StorageError> {
        if self.untidy {
            self.untidy = self.store().tidy(&self.state)?;
        }
        if self.untidy {
            return Ok(Next::Tidied);
        }
        let State { live, rebuild, round, .. } = &self.state;
        let troubles = [
            Some(&live.trouble),
            rebuild.as_ref().map(|track| &track.trouble),
            round.as_ref().map(|round| &round.trouble),
        ];
        let waiting = troubles.into_iter().flatten().filter(|trouble| self.is_waiting(trouble, now));
        let Some(until) = waiting.map(|trouble| trouble.until).min() else { return Ok(Next::Idle) };
        if self.armed.get() != Some(until) {
            self.arm(until)?;
        }
        Ok(Next::Wait { until })
    }

    fn put_in_hand(&mut self, page: FeedPage, now: RecordedTime) -> Result<(), StorageError> {
        let FeedPage { read: Read { partition, after: from, lane }, events, after, more } = page;
        let asked = self.asked.take().filter(|(read, _)| *read == page.read);
        // An operator may have started a rebuild after the request.
        let is_current = self.hand.is_none() && self.state.track(lane).checkpoint.position(partition) == from;
        let Some((_, woken)) = asked.filter(|_| is_current) else { return Ok(()) };
        let moved = after > from;
        if lane == Lane::Live {
            // Events that arrived during the read may be missing on the page.
            self.set_pending(partition, (more && moved) || woken);
        } else if !moved {
            // The live lane is beyond the end of the feed, so the rebuild lane reads the feed again later.
            self.state.track_mut(lane).trouble.until = now.later(BACKSTOP_MILLIS);
        }
        if !moved {
            return Ok(());
        }
        if more || !events.is_empty() {
            self.busy = true;
            self.arm_soon(now)?;
        }
        self.offers.retain_only(partition, &events);
        let hand = Hand { lane, partition, events: events.into_iter(), after, letter: None };
        if hand.front().is_some() {
            self.hand = Some(hand);
            return Ok(());
        }
        // A checkpoint after a page without events becomes durable with the next event, or after many skipped events.
        // Otherwise a consumer that is evicted from memory between rare events would read all the others again each
        // time.
        self.state.advance(&hand, after);
        self.passed = self.passed.saturating_add(after.get().saturating_sub(from.get()));
        if more || self.passed >= UNSAVED_PASSED { self.commit(&mut |_, _| Ok(())) } else { Ok(()) }
    }

    /// Replaces the live generation by the rebuilt one, once the rebuild has caught up.
    fn swap(&mut self) -> Result<(), StorageError> {
        let live = &self.state.live.checkpoint;
        let reached = |built: &Track| {
            (0..live.partitions())
                .all(|partition| built.checkpoint.position(partition) >= live.position(partition))
        };
        if !self.state.rebuild.as_ref().is_some_and(reached) {
            return Ok(());
        }
        self.untidy = true;
        self.commit(&mut |_, state| {
            if let Some(built) = state.rebuild.take() {
                state.live = built;
                // A round under way starts again with the dead letters of the new generation.
                state.round = state.round.as_ref().map(|_| Round::start(state.letters));
            }
            Ok(())
        })
    }

    /// Reads the state again if it is unknown or another process has saved it.
    pub(in crate::handler) fn refresh(&mut self) -> Result<(), StorageError> {
        if !self.known || self.store().revision()? != self.state.revision {
            let state = self.store().load()?.unwrap_or_else(|| State::start(&self.settings));
            if state.kind.is_some_and(|kind| kind != self.settings.kind) {
                return Err(StorageError::failed("a consumer of another kind now has this name"));
            }
            self.recent.resume(&state);
            self.state = state;
            self.forget();
            self.known = true;
        }
        Ok(())
    }

    /// Forgets everything that is not durable.
    pub(super) fn forget(&mut self) {
        self.known = false;
        self.hand = None;
        self.offers = Offers::default();
        self.asked = None;
        self.unsaved = 0;
        self.passed = 0;
        self.untidy = true;
        self.pending.fill(true);
    }

    /// Returns the result of a call. After an error, it forgets everything that is not durable.
    pub(in crate::handler) fn settled<T>(
        &mut self,
        result: Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        if result.is_err() {
            self.forget();
            self.armed.set(None);
        }
        result
    }
}
