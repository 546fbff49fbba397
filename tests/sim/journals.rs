//! The object of a partition of the journal, around the core's [`Journal`] and [`Wakes`].

use std::collections::BTreeMap;

use sillok::gateway::Wakes;
use sillok::gateway::{Forward, Journal, RecordError};
use sillok::handler::{ConsumerName, FeedEvent, FeedPage, Read};
use sillok::store::{Category, EventId, EventType, FeedRange, StorageError, StreamId, Version, visit_feed};

use crate::breaks::Break;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Turn};
use crate::storage::{ObjectAlarm, Storage};
use crate::world::Plan;

/// What is recorded together waits for more for so many milliseconds at most.
const GATHERING_MILLIS: u64 = 10;
/// Pages are small, so that there are many.
const PAGE_EVENTS: u64 = 5;

pub struct JournalShell {
    partition: usize,
    journal: Journal<Storage>,
    wakes: Wakes<Storage, ObjectAlarm>,
    /// What is to be recorded next.
    gathered: Vec<(CallId, Forward)>,
    rounds: Vec<Round>,
    broken: Option<Break>,
}

/// Who is being woken, and what is answered when everyone was.
#[derive(Default)]
struct Round {
    called: BTreeMap<CallId, usize>,
    answers: Vec<(CallId, Version)>,
    ringing: bool,
}

impl JournalShell {
    pub fn new(partition: usize, plan: &Plan, storage: Storage, alarm: ObjectAlarm) -> Self {
        Self {
            partition,
            journal: Journal::new(storage.clone(), plan.partitions),
            wakes: Wakes::new(storage, alarm),
            gathered: Vec::new(),
            rounds: Vec::new(),
            broken: plan.broken,
        }
    }

    fn called(&mut self, call: CallId, request: Request, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        match request {
            Request::Record(forward) => {
                if self.gathered.is_empty() {
                    turn.tick_within(GATHERING_MILLIS);
                }
                self.gathered.push((call, forward));
            }
            Request::Register { consumer } => {
                self.wakes.register(&name_of(consumer))?;
                turn.answer(call, Reply::Done);
            }
            Request::ReadFeed { consumer, category, read } => {
                let page = self.page(read, category)?;
                self.wakes.was_read(&name_of(consumer), page.more);
                turn.answer(call, Reply::Feed(page));
            }
            _ => turn.answer(call, Reply::Done),
        }
        Ok(())
    }

    fn page(&self, read: Read, category: Option<Category>) -> Result<FeedPage, StorageError> {
        let all = FeedRange::after(read.after).limited(PAGE_EVENTS).unwrap();
        let range = match category {
            Some(category) => all.of_category(category),
            None => all,
        };
        let mut events = Vec::new();
        let end = visit_feed(&self.journal, &range, &mut |found| {
            events.push(FeedEvent {
                position: found.position,
                stream: StreamId::new(found.stream).unwrap(),
                version: found.event.version,
                id: EventId::new(found.event.id).unwrap(),
                event_type: EventType::new(found.event.event_type).unwrap(),
                json: found.event.data.to_owned(),
            });
        })?;
        Ok(FeedPage { read, events, after: end.checkpoint, more: end.more })
    }

    fn record(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let (calls, forwards): (Vec<_>, Vec<_>) = self.gathered.drain(..).unzip();
        let recorded = match self.journal.record(&forwards) {
            Ok(recorded) => recorded,
            Err(RecordError::Storage(error)) => return Err(error),
            Err(refused) => panic!("refused: {refused}"),
        };
        let answers = calls.into_iter().zip(recorded.versions).collect();
        let asleep = self.wakes.to_wake(turn.now)?;
        self.wake(asleep, Round { answers, ..Round::default() }, turn);
        Ok(())
    }

    fn ring(&mut self, ringing: bool, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let due = self.wakes.rang(turn.now)?;
        self.wake(due, Round { ringing, ..Round::default() }, turn);
        Ok(())
    }

    fn wake(&mut self, names: Vec<ConsumerName>, mut round: Round, turn: &mut Turn<'_>) {
        for name in names {
            let consumer = number_of(&name);
            round.called.insert(
                turn.call(Address::Consumer(consumer), Request::Wake { partition: self.partition }),
                consumer,
            );
        }
        self.rounds.push(round);
        self.end_rounds(turn);
    }

    fn answered(&mut self, call: CallId, woken: bool, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        for round in &mut self.rounds {
            let Some(consumer) = round.called.remove(&call) else { continue };
            if woken || self.broken == Some(Break::WakeFailureForgotten) {
                self.wakes.woken(&name_of(consumer));
            } else {
                let jitter = turn.jitter();
                self.wakes.not_woken(&name_of(consumer), turn.now, jitter)?;
            }
        }
        self.end_rounds(turn);
        Ok(())
    }

    /// Answers the forwards whose consumers all were woken, or are going to be by the alarm.
    fn end_rounds(&mut self, turn: &mut Turn<'_>) {
        for round in self.rounds.extract_if(.., |round| round.called.is_empty()) {
            for (call, version) in round.answers {
                turn.answer(call, Reply::Recorded(version));
            }
            if round.ringing {
                turn.alarm_is_over();
            }
        }
    }
}

impl Shell for JournalShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        match input {
            Input::Called { call, request } => self.called(call, request, turn),
            Input::Answered { call, reply } => self.answered(call, reply.is_some(), turn),
            Input::Ticked => self.record(turn),
            Input::Rang => self.ring(true, turn),
            // One that should have rung long ago was lost.
            Input::Started { alarm } => match alarm {
                Some(at) if self.wakes.found_alarm(at, turn.now) => self.ring(false, turn),
                _ => Ok(()),
            },
        }
    }
}

/// A consumer is registered under its name.
pub fn name_of(consumer: usize) -> ConsumerName {
    ConsumerName::new(&format!("consumer-{consumer}")).unwrap()
}

fn number_of(name: &ConsumerName) -> usize {
    name.as_str().trim_start_matches("consumer-").parse().unwrap()
}
