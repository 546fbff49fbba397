//! The driver of a journal. It decides the order of the journal's effects: what it records together, which consumers it
//! wakes, and when it answers a forward.

use std::collections::VecDeque;

use super::effects::{JournalEffect, JournalInput};
use super::forward::Forward;
use super::located::{Located, Waiting};
use super::log::{Journal, RecordError};
use super::rounds::{Purpose, Round};
use super::wakes::Wakes;
use crate::gateway::Alarm;
use crate::gateway::turn::{CallId, Calls, Turn};
use crate::handler::ConsumerName;
use crate::store::limits::{PAGE_BYTES, PAGE_EVENTS};
use crate::store::sqlite::Sql;
use crate::store::{StorageError, StreamId, Version};

/// The most bytes of forwards that wait to be recorded. The journal refuses a forward beyond that, and the aggregate
/// tries again later, because other journals share the memory.
const WAITING_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes and the most forwards that one turn records. The turn ends with the forward that reaches one of them.
const TURN: (usize, usize) = (PAGE_BYTES, PAGE_EVENTS);
/// The time in which a consumer must answer a wake, in milliseconds. After that, the alarm wakes the consumer again.
const WAKE_MILLIS: u64 = 2_000;

type JournalTurn<'a> = Turn<'a, JournalEffect>;

/// A [`Journal`], its [`Wakes`], and the order of their effects. Each journal's object runs one driver.
///
/// - Forwards that arrive while a group is made durable become the next group. For any number of written streams, the
///   journal writes one row of commits for each wait for the storage.
/// - The journal answers a forward after the forward is durable and its consumers are awake or wait for the alarm.
///   Until then, the aggregate sends the forward again.
#[derive(Debug)]
pub struct JournalDriver<S, A> {
    journal: Journal<S>,
    wakes: Wakes<S, A>,
    calls: Calls,
    /// The forwards that wait to be recorded, with their sizes.
    forwards: VecDeque<(CallId, usize, Forward)>,
    /// The bytes of these forwards.
    bytes: usize,
    /// Whether a group is being recorded, or will be in the next turn.
    recording: bool,
    rounds: Vec<Round>,
    /// The forwards to answer when their group is durable.
    syncing: Vec<(CallId, Version)>,
    located: Located,
    looked: bool,
}

impl<S: Sql + Clone, A: Alarm> JournalDriver<S, A> {
    /// The journal in the database `sql`, which is one of `partitions` partitions, and the consumers that it wakes.
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
    /// The journal, for reads.
    ///
    /// # Errors
    /// [`RecordError::PartitionsChanged`] if the journal was begun with another number of partitions. Then a reader
    /// would look for some streams in the wrong partition.
    pub fn journal(&self) -> Result<&Journal<S>, RecordError> {
        self.journal.check_partitions()?;
        Ok(&self.journal)
    }

    /// Gives the journal to `read`, which returns a page and whether there is more. A consumer that has read to the end is woken
    /// for the next events.
    ///
    /// # Errors
    /// The errors of [`journal`](Self::journal) and of `read`.
    pub fn read_page<T, E: From<RecordError>>(
        &mut self,
        consumer: Option<&ConsumerName>,
        read: impl FnOnce(&Journal<S>) -> Result<(T, bool), E>,
    ) -> Result<T, E> {
        let (page, more) = read(self.journal()?)?;
        if let Some(consumer) = consumer {
            self.wakes.was_read(consumer, more);
        }
        Ok(page)
    }

    /// The consumers to wake.
    pub fn wakes(&mut self) -> &mut Wakes<S, A> {
        &mut self.wakes
    }

    /// Records a forward, together with the other waiting ones. [`JournalEffect::Recorded`] is the answer.
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

    /// Processes an input.
    pub fn input(&mut self, turn: &mut JournalTurn<'_>, input: JournalInput) {
        match input {
            JournalInput::Continue => self.record_group(turn),
            JournalInput::Woken { call, is_awake } => self.woken(turn, call, is_awake),
            JournalInput::Synced(synced) => self.synced(turn, synced),
            JournalInput::Expired { call } => self.look_again(turn, call, true),
            JournalInput::LookAgain { call } => self.look_again(turn, call, false),
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
                let error = turn.log("a group of commits could not be recorded", error);
                self.answer(turn, calls.into_iter().map(|call| (call, Err(error.clone()))));
                return;
            }
        };
        turn.push(JournalEffect::Grown(recorded.end));
        for call in self.located.of_streams(|stream| forwards.iter().any(|forward| forward.stream == *stream))
        {
            turn.push(JournalEffect::LookAgain { call });
        }
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
        let found = self.rounds.iter_mut().enumerate().find_map(|(at, round)| Some((at, round.take(call)?)));
        let Some((at, consumer)) = found else { return };
        let mut round = self.rounds.swap_remove(at);
        let noted = if is_awake {
            self.wakes.woken(&consumer);
            Ok(())
        } else {
            let (now, random) = (turn.now(), turn.random());
            self.wakes.not_woken(&consumer, now, random)
        };
        // Without an alarm the consumer may not wake. So the aggregate has to send its forward again.
        let noted = noted.map_err(|error| turn.log("the alarm could not be set", error));
        round.outcome = round.outcome.and(noted);
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

    /// Ends a round: each of its consumers is awake or waits for the alarm.
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
            // After an error, the next forward asks for the alarm again.
            (Purpose::LostAlarm, outcome) => self.looked = outcome.is_ok(),
        }
    }

    /// Answers the forwards of a group. Then the next group begins.
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

    /// The calls and the forwards of the next group.
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

/// Waits for an event to arrive in the journal.
impl<S: Sql, A: Alarm> JournalDriver<S, A> {
    /// Looks for the position of a stream's last event, once the journal has the stream up to a version. It waits at
    /// most `millis` milliseconds. [`JournalEffect::Located`] is the answer.
    pub fn locate(
        &mut self,
        turn: &mut JournalTurn<'_>,
        call: CallId,
        stream: StreamId,
        version: Version,
        millis: u64,
    ) {
        self.look_for(turn, Waiting { call, stream, version }, millis == 0);
        if self.located.waits(call) {
            turn.push(JournalEffect::Wait { call, millis });
        }
    }

    /// Looks again for one that waits. Each does so in a turn of its own, for which it pays.
    fn look_again(&mut self, turn: &mut JournalTurn<'_>, call: CallId, is_last: bool) {
        if let Some(waiting) = self.located.take(call) {
            self.look_for(turn, waiting, is_last);
        }
    }

    fn look_for(&mut self, turn: &mut JournalTurn<'_>, waiting: Waiting, is_last: bool) {
        turn.pays(waiting.call);
        let found =
            self.journal().and_then(|journal| Ok(journal.position_of(&waiting.stream, waiting.version)?));
        match found {
            Ok(None) if !is_last => self.located.add(waiting),
            outcome => turn.push(JournalEffect::Located { call: waiting.call, outcome }),
        }
    }
}
