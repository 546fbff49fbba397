//! The order of what a journal does: what it records together, whom it wakes, and what it answers only after that.

use std::collections::VecDeque;

use super::forward::Forward;
use super::located::{Located, Waiting};
use super::log::{Journal, RecordError};
use super::rounds::{Purpose, Round};
use super::wakes::Wakes;
use crate::gateway::Alarm;
use crate::gateway::turn::{CallId, Calls, Trouble, Turn};
use crate::handler::ConsumerName;
use crate::store::limits::{PAGE_BYTES, PAGE_EVENTS};
use crate::store::sqlite::Sql;
use crate::store::{Position, RecordedTime, StorageError, StreamId, Version};

/// The most bytes of forwards that wait to be recorded. A forward that finds no room is refused, and its aggregate tries again
/// later: other journals share the memory.
const WAITING_BYTES: usize = 16 * 1024 * 1024;
/// What is recorded in one turn ends with the forward that fills so many bytes, or is the last of so many.
const TURN: (usize, usize) = (PAGE_BYTES, PAGE_EVENTS);
/// How long a consumer may take to answer that it is awake, in milliseconds. One that takes longer is left to the alarm.
const WAKE_MILLIS: u64 = 2_000;

/// What a journal wants done.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalEffect {
    /// Wake this consumer, and say by [`JournalInput::Woken`] whether it has answered within its time.
    Wake {
        /// The number of this call.
        call: CallId,
        /// The consumer.
        consumer: ConsumerName,
        /// How long to wait for its answer, in milliseconds.
        millis: u64,
    },
    /// Make durable what was written, then give [`JournalInput::Synced`].
    Sync,
    /// Give [`JournalInput::GoOn`] once this turn is over.
    Soon,
    /// Give [`JournalInput::Ticked`] in so many milliseconds.
    Wait {
        /// How many.
        millis: u64,
    },
    /// Read for when the alarm is set, and give that as [`JournalInput::FoundAlarm`].
    FindAlarm,
    /// The journal has grown to this position: the followers of the feed read on.
    Grown(Position),
    /// Answer a [`record`](JournalDriver::record).
    Recorded {
        /// The call that is answered.
        call: CallId,
        /// Up to which version the journal has the stream, or why nothing was recorded.
        outcome: Result<Version, RecordError>,
    },
    /// Answer a [`locate`](JournalDriver::locate).
    Located {
        /// The call that is answered.
        call: CallId,
        /// The position of the stream's last event; nothing where the journal does not have the version.
        outcome: Result<Option<Position>, RecordError>,
    },
    /// The work for which the alarm rang is done. Where it failed and could not be put off, the platform has to ring again.
    AlarmOver(Result<(), StorageError>),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for JournalEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// What happens to a journal beside requests.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalInput {
    /// It goes on after [`JournalEffect::Soon`].
    GoOn,
    /// A consumer was called.
    Woken {
        /// The number of the call.
        call: CallId,
        /// Whether it has answered within its time.
        is_awake: bool,
    },
    /// What was written is durable, or is not.
    Synced(Result<(), StorageError>),
    /// The time of a [`JournalEffect::Wait`] is over.
    Ticked,
    /// The alarm that [`JournalEffect::FindAlarm`] has found. One that is long overdue was lost.
    FoundAlarm(Option<RecordedTime>),
    /// The alarm rings: consumers that could not be woken are called again. [`JournalEffect::AlarmOver`] ends it.
    Rang,
}

type JournalTurn<'a> = Turn<'a, JournalEffect>;

/// A [`Journal`], its [`Wakes`], and the order of their effects. One object runs one.
///
/// - Forwards that arrive while a group is made durable become the next group. However many streams are written to, the journal
///   writes one row of commits for each time that the storage is waited for.
/// - A forward is answered after its consumers were woken, or left to the alarm, and after it is durable: until then its aggregate
///   sends it again.
#[derive(Debug)]
pub struct JournalDriver<S, A> {
    journal: Journal<S>,
    wakes: Wakes<S, A>,
    calls: Calls,
    /// Forwards that wait to be recorded, with their sizes.
    forwards: VecDeque<(CallId, usize, Forward)>,
    /// The bytes of these.
    bytes: usize,
    /// Whether a group is being recorded, or is to be.
    recording: bool,
    rounds: Vec<Round>,
    /// What is answered once it is durable.
    syncing: Vec<(CallId, Version)>,
    located: Located,
    looked: bool,
}

impl<S: Sql + Clone, A: Alarm> JournalDriver<S, A> {
    /// The journal in the database `sql`, one of so many partitions, and the consumers that it wakes.
    pub fn new(sql: S, alarm: A, partitions: usize) -> Self {
        Self {
            journal: Journal::new(sql.clone(), partitions),
            wakes: Wakes::new(sql, alarm),
            calls: Calls::default(),
            forwards: VecDeque::new(),
            bytes: 0,
            recording: false,
            rounds: Vec::new(),
            syncing: Vec::new(),
            located: Located::default(),
            looked: false,
        }
    }
}

impl<S: Sql, A: Alarm> JournalDriver<S, A> {
    /// The journal, to be read.
    ///
    /// # Errors
    /// [`RecordError::PartitionsChanged`] where it was begun with another number of partitions: then some streams would be looked
    /// for where they are not.
    pub fn journal(&self) -> Result<&Journal<S>, RecordError> {
        self.journal.check_partitions()?;
        Ok(&self.journal)
    }

    /// Who is woken.
    pub fn wakes(&mut self) -> &mut Wakes<S, A> {
        &mut self.wakes
    }

    /// Records a forward, together with those that wait. [`JournalEffect::Recorded`] answers.
    pub fn record(&mut self, turn: &mut JournalTurn<'_>, call: CallId, forward: Forward) {
        if !std::mem::replace(&mut self.looked, true) {
            turn.push(JournalEffect::FindAlarm);
        }
        let size = forward.size();
        if self.bytes > 0 && self.bytes + size > WAITING_BYTES {
            turn.push(JournalEffect::Recorded { call, outcome: Err(RecordError::Overloaded) });
            return;
        }
        self.bytes += size;
        self.forwards.push_back((call, size, forward));
        if !std::mem::replace(&mut self.recording, true) {
            turn.push(JournalEffect::Soon);
        }
    }

    /// Takes what has happened.
    pub fn input(&mut self, turn: &mut JournalTurn<'_>, input: JournalInput) {
        match input {
            JournalInput::GoOn => self.record_group(turn),
            JournalInput::Woken { call, is_awake } => self.woken(turn, call, is_awake),
            JournalInput::Synced(synced) => self.synced(turn, synced),
            JournalInput::Ticked => self.expire(turn),
            JournalInput::FoundAlarm(alarm) => {
                if alarm.is_some_and(|at| self.wakes.found_alarm(at, turn.now())) {
                    self.ring(turn, Purpose::LostAlarm);
                }
            }
            JournalInput::Rang => self.ring(turn, Purpose::Alarm),
        }
    }

    fn record_group(&mut self, turn: &mut JournalTurn<'_>) {
        let (calls, forwards) = self.next_group();
        if forwards.is_empty() {
            self.recording = false;
            return;
        }
        let recorded = match self.journal.record(&forwards) {
            Ok(recorded) => recorded,
            Err(error) => {
                if let RecordError::Storage(error) = &error {
                    turn.log("a group of commits could not be recorded", error.clone());
                }
                self.answer(turn, calls.into_iter().map(|call| (call, Err(error.clone()))));
                return;
            }
        };
        turn.push(JournalEffect::Grown(recorded.end));
        self.locate_again(turn, |waiting| forwards.iter().any(|forward| forward.stream == waiting.stream));
        let answers = calls.into_iter().zip(recorded.versions).collect();
        match self.wakes.to_wake(turn.now()) {
            Ok(names) => self.wake(turn, names, Purpose::Recorded(answers)),
            Err(error) => {
                let error = turn.log("the consumers to wake could not be read", error);
                self.answer(turn, answers.into_iter().map(|(call, _)| (call, Err(error.clone().into()))));
            }
        }
    }

    fn woken(&mut self, turn: &mut JournalTurn<'_>, call: CallId, is_awake: bool) {
        let Some(at) = self.rounds.iter().position(|round| round.has_called(call)) else { return };
        let mut round = self.rounds.swap_remove(at);
        if let Some(at) = round.called.iter().position(|(called, _)| *called == call) {
            let (_, consumer) = round.called.swap_remove(at);
            let noted = if is_awake {
                self.wakes.woken(&consumer);
                Ok(())
            } else {
                let (now, random) = (turn.now(), turn.random());
                self.wakes.not_woken(&consumer, now, random)
            };
            // A consumer for which no alarm is set may sleep on: whoever asked has to ask again.
            round.outcome =
                round.outcome.and(noted.map_err(|error| turn.log("the alarm could not be set", error)));
        }
        self.end_or_keep(turn, round);
    }

    fn synced(&mut self, turn: &mut JournalTurn<'_>, synced: Result<(), StorageError>) {
        let synced = synced.map_err(|error| turn.log("the recorded commits may not be durable", error));
        let answers = std::mem::take(&mut self.syncing).into_iter();
        self.answer(
            turn,
            answers.map(|(call, version)| (call, synced.clone().map(|()| version).map_err(Into::into))),
        );
    }

    fn ring(&mut self, turn: &mut JournalTurn<'_>, purpose: Purpose) {
        match self.wakes.rang(turn.now()) {
            Ok(names) => self.wake(turn, names, purpose),
            Err(error) => {
                let outcome = Err(turn.log("the consumers to wake could not be read", error));
                self.end(turn, Round { outcome, ..Round::of(purpose) });
            }
        }
    }

    fn wake(&mut self, turn: &mut JournalTurn<'_>, names: Vec<ConsumerName>, purpose: Purpose) {
        let mut round = Round::of(purpose);
        for consumer in names {
            let call = self.calls.next();
            round.called.push((call, consumer.clone()));
            turn.push(JournalEffect::Wake { call, consumer, millis: WAKE_MILLIS });
        }
        self.end_or_keep(turn, round);
    }

    fn end_or_keep(&mut self, turn: &mut JournalTurn<'_>, round: Round) {
        if round.called.is_empty() { self.end(turn, round) } else { self.rounds.push(round) }
    }

    /// All consumers of the round are awake, or left to the alarm.
    fn end(&mut self, turn: &mut JournalTurn<'_>, Round { purpose, outcome, .. }: Round) {
        match (purpose, outcome) {
            (Purpose::Recorded(answers), Ok(())) => {
                self.syncing = answers;
                turn.push(JournalEffect::Sync);
            }
            (Purpose::Recorded(answers), Err(error)) => {
                self.answer(turn, answers.into_iter().map(|(call, _)| (call, Err(error.clone().into()))));
            }
            (Purpose::Alarm, outcome) => turn.push(JournalEffect::AlarmOver(outcome)),
            // The alarm is looked at again with the next forward.
            (Purpose::LostAlarm, outcome) => self.looked = outcome.is_ok(),
        }
    }

    /// Answers the forwards of a group. The next group follows.
    fn answer(
        &mut self,
        turn: &mut JournalTurn<'_>,
        answers: impl Iterator<Item = (CallId, Result<Version, RecordError>)>,
    ) {
        for (call, outcome) in answers {
            turn.push(JournalEffect::Recorded { call, outcome });
        }
        turn.push(JournalEffect::Soon);
    }

    /// What is recorded together, and who is answered then.
    fn next_group(&mut self) -> (Vec<CallId>, Vec<Forward>) {
        let (most_bytes, most) = TURN;
        let (mut bytes, mut group) = (0, (Vec::new(), Vec::new()));
        while bytes < most_bytes && group.0.len() < most {
            let Some((call, size, forward)) = self.forwards.pop_front() else { break };
            bytes += size;
            group.0.push(call);
            group.1.push(forward);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        group
    }
}

/// Waiting for an event to come to the journal.
impl<S: Sql, A: Alarm> JournalDriver<S, A> {
    /// Looks where a stream's last event is, once the journal has the stream up to a version. It waits for that so many
    /// milliseconds. [`JournalEffect::Located`] answers.
    pub fn locate(
        &mut self,
        turn: &mut JournalTurn<'_>,
        call: CallId,
        stream: StreamId,
        version: Version,
        millis: u64,
    ) {
        turn.pays(call);
        let waiting = Waiting { call, stream, version, until: turn.now().later(millis) };
        self.look_for(turn, waiting, millis == 0);
        if self.located.waits(call) {
            turn.push(JournalEffect::Wait { millis });
        }
    }

    fn expire(&mut self, turn: &mut JournalTurn<'_>) {
        let now = turn.now();
        for waiting in self.located.take(|waiting| waiting.until <= now) {
            self.look_for(turn, waiting, true);
        }
    }

    fn locate_again(&mut self, turn: &mut JournalTurn<'_>, is_to_look: impl Fn(&Waiting) -> bool) {
        for waiting in self.located.take(is_to_look) {
            self.look_for(turn, waiting, false);
        }
    }

    fn look_for(&mut self, turn: &mut JournalTurn<'_>, waiting: Waiting, is_last: bool) {
        let found =
            self.journal().and_then(|journal| Ok(journal.position_of(&waiting.stream, waiting.version)?));
        match found {
            Ok(None) if !is_last => self.located.add(waiting),
            outcome => turn.push(JournalEffect::Located { call: waiting.call, outcome }),
        }
    }
}
