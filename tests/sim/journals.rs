//! The object of a partition of the journal. It carries out the effects of the core's [`JournalDriver`].

use std::collections::BTreeMap;

use sillok::gateway::{CallId as Number, JournalDriver, JournalEffect, JournalInput, RecordError};
use sillok::handler::{ConsumerName, FeedEvent, FeedPage, Read};
use sillok::store::{
    Category, EventId, EventType, FeedRange, RecordedTime, StorageError, StreamId, visit_feed,
};

use crate::breaks::Break;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Tick, Turn};
use crate::plan::Plan;
use crate::storage::{ObjectAlarm, Storage};

/// The size of a page. It is small, so that there are many pages.
const PAGE_EVENTS: u64 = 5;

pub struct JournalShell {
    partition: usize,
    driver: JournalDriver<Storage, ObjectAlarm>,
    storage: Storage,
    /// The calls that wake consumers, with the driver's numbers for them.
    calls: BTreeMap<CallId, Number>,
    /// The input that follows at the end of a time.
    ticks: BTreeMap<Tick, JournalInput>,
    /// How many forwards and readers wait for their answers.
    waiting: usize,
    broken: Option<Break>,
}

impl JournalShell {
    pub fn new(partition: usize, plan: &Plan, storage: Storage, alarm: ObjectAlarm) -> Self {
        let driver = JournalDriver::new(storage.clone(), alarm, plan.partitions);
        let (calls, ticks) = (BTreeMap::new(), BTreeMap::new());
        Self { partition, driver, storage, calls, ticks, waiting: 0, broken: plan.broken }
    }

    fn called(&mut self, call: CallId, request: Request, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        match request {
            Request::Record(forward) => {
                self.waiting += 1;
                let ((), effects) = turn.drive(|core| self.driver.record(core, Number::new(call), forward));
                return self.carry_out(effects, turn);
            }
            Request::Register { consumer } => {
                self.driver.wakes().register(&name_of(consumer))?;
                turn.answer(call, Reply::Done);
            }
            Request::ReadFeed { consumer, category, read } => {
                let page = self.page(&name_of(consumer), read, category).map_err(storage_error)?;
                turn.answer(call, Reply::Feed(page));
            }
            Request::Locate { stream, version, millis } => {
                self.waiting += 1;
                let ((), effects) = turn.drive(|core| {
                    self.driver.locate(core, Number::new(call), stream, version, millis);
                });
                return self.carry_out(effects, turn);
            }
            other => panic!("{other:?} is not for a journal"),
        }
        Ok(())
    }

    fn page(
        &mut self,
        consumer: &ConsumerName,
        read: Read,
        category: Option<Category>,
    ) -> Result<FeedPage, RecordError> {
        let all = FeedRange::after(read.after).limited(PAGE_EVENTS).unwrap();
        let range = match category {
            Some(category) => all.of_category(category),
            None => all,
        };
        self.driver.read_page(Some(consumer), |journal| {
            let mut events = Vec::new();
            let end = visit_feed(journal, &range, &mut |found| {
                events.push(FeedEvent {
                    position: found.position,
                    stream: StreamId::new(found.stream).unwrap(),
                    version: found.event.version,
                    id: EventId::new(found.event.id).unwrap(),
                    event_type: EventType::new(found.event.event_type).unwrap(),
                    json: found.event.data.to_owned(),
                });
            })?;
            Ok((FeedPage { read, events, after: end.checkpoint, more: end.more }, end.more))
        })
    }

    fn woken(&mut self, call: CallId, is_awake: bool) -> Option<JournalInput> {
        let call = self.calls.remove(&call)?;
        let is_awake = is_awake || self.broken == Some(Break::WakeFailureForgotten);
        Some(JournalInput::Woken { call, is_awake })
    }

    fn carry_out(&mut self, effects: Vec<JournalEffect>, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        for effect in effects {
            match effect {
                JournalEffect::Wake { call, consumer, .. } => {
                    let to = Address::Consumer(number_of(&consumer));
                    let sent = turn.call(to, Request::Wake { partition: self.partition });
                    self.calls.insert(sent, call);
                }
                JournalEffect::Sync => {
                    // A disk may refuse. What was written is then durable or not.
                    let fails = !turn.kind && turn.random.chance(20);
                    let synced = if fails { Err(StorageError::failed("the disk")) } else { Ok(()) };
                    self.ticks.insert(turn.tick_in(1), JournalInput::Synced(synced));
                }
                JournalEffect::Soon => {
                    self.ticks.insert(turn.tick_in(0), JournalInput::Continue);
                }
                JournalEffect::FindAlarm => {
                    let alarm = self.storage.alarm().map(RecordedTime::from_millis);
                    self.ticks.insert(turn.tick_in(1), JournalInput::FoundAlarm(alarm));
                }
                JournalEffect::Recorded { call, outcome } => {
                    self.waiting -= 1;
                    match outcome {
                        Ok(version) => turn.answer(call.get(), Reply::Recorded(version)),
                        Err(_) => turn.answer(call.get(), Reply::Refused),
                    }
                }
                JournalEffect::Wait { call, millis } => {
                    self.ticks.insert(turn.tick_in(millis), JournalInput::Expired { call });
                }
                JournalEffect::LookAgain { call } => {
                    self.ticks.insert(turn.tick_in(0), JournalInput::LookAgain { call });
                }
                JournalEffect::Located { call, outcome } => {
                    self.waiting -= 1;
                    match outcome {
                        Ok(_) => turn.answer(call.get(), Reply::Found),
                        Err(_) => turn.answer(call.get(), Reply::Refused),
                    }
                }
                JournalEffect::AlarmOver(over) => {
                    over?;
                    turn.alarm_is_over();
                }
                // Nobody follows, and nobody reads the log.
                JournalEffect::Grown(_) | JournalEffect::Log(_) => {}
                other => panic!("{other:?} is not carried out"),
            }
        }
        Ok(())
    }
}

impl Shell for JournalShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let input = match input {
            Input::Called { call, request } => return self.called(call, request, turn),
            Input::Answered { call, reply } => self.woken(call, reply.is_some()),
            Input::Rang => Some(JournalInput::Rang),
            Input::Ticked(tick) => self.ticks.remove(&tick),
        };
        let Some(input) = input else { return Ok(()) };
        let ((), effects) = turn.drive(|core| self.driver.input(core, input));
        self.carry_out(effects, turn)
    }

    fn unanswered(&self) -> usize {
        self.waiting
    }
}

/// Returns the error of the storage. No other error is possible here.
fn storage_error(error: RecordError) -> StorageError {
    match error {
        RecordError::Storage(error) => error,
        refused => panic!("refused: {refused}"),
    }
}

/// The name under which a consumer is registered.
pub fn name_of(consumer: usize) -> ConsumerName {
    ConsumerName::new(&format!("consumer-{consumer}")).unwrap()
}

fn number_of(name: &ConsumerName) -> usize {
    name.as_str().trim_start_matches("consumer-").parse().unwrap()
}
