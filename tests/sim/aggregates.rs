//! The object of a stream, around the core's [`Aggregate`].

use sillok::gateway::partition_of;
use sillok::gateway::{Aggregate, ForgetError};
use sillok::store::sqlite::StreamTable;
use sillok::store::{AppendError, EventId, StorageError, StreamId, TruncateError};

use crate::breaks::Break;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Turn};
use crate::storage::{ObjectAlarm, Storage};
use crate::world::Plan;

pub struct AggregateShell {
    stream: StreamId,
    journal: Address,
    aggregate: Aggregate<StreamTable<Storage>, ObjectAlarm>,
    /// The forward that is on its way. What was given up when the alarm rang is no longer waited for: its answer may come
    /// long after it was sent once more, and would be taken for the answer to that.
    waits_for: Option<CallId>,
    /// Whether the alarm has rung and what is under way is what it rang for.
    ringing: bool,
    broken: Option<Break>,
}

impl AggregateShell {
    pub fn new(number: usize, plan: &Plan, storage: Storage, alarm: ObjectAlarm) -> Self {
        let stream = plan.streams[number].clone();
        let journal = Address::Journal(partition_of(&stream, plan.partitions));
        let aggregate = Aggregate::new(StreamTable::new(storage), alarm);
        Self { stream, journal, aggregate, waits_for: None, ringing: false, broken: plan.broken }
    }

    /// Sends what is next to the journal, unless something is on its way.
    fn forward(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        if self.waits_for.is_some() {
            return Ok(());
        }
        let Some(mut forward) = self.aggregate.next_forward(&self.stream)? else {
            self.rest(turn);
            return Ok(());
        };
        if let (Some(Break::GapAccepted), Some(first)) = (self.broken, forward.commits.first()) {
            forward.base = first.first_version.before(1).unwrap_or_default();
        }
        self.waits_for = Some(turn.call(self.journal, Request::Record(forward)));
        if self.broken == Some(Break::RingingOverAtOnce) {
            self.rest(turn);
        }
        Ok(())
    }

    /// Nothing more is sent now: what the alarm rang for is over.
    fn rest(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.ringing) {
            turn.alarm_is_over();
        }
    }

    /// Gives up what is under way, and begins anew.
    fn begin_anew(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        self.aggregate.rang(turn.now);
        self.waits_for = None;
        self.forward(turn)
    }

    fn called(&mut self, request: Request, turn: &mut Turn<'_>) -> Result<Reply, StorageError> {
        let forgotten = |outcome: Result<(), ForgetError>| match outcome {
            Err(ForgetError::Refused(TruncateError::Storage(error))) => Err(error),
            Err(ForgetError::NotForwarded) => Ok(Reply::Refused),
            _ => Ok(Reply::Done),
        };
        match request {
            Request::Append(append) => {
                let id = turn.jitter();
                let mut fresh_id = || EventId::new(&format!("id-{id}")).unwrap();
                match self.aggregate.append(append, turn.now, &mut fresh_id) {
                    Err(AppendError::Storage(error)) => Err(error),
                    outcome => Ok(Reply::Appended(outcome)),
                }
            }
            Request::Truncate(version) => {
                forgotten(self.aggregate.truncate(&self.stream, version, turn.now).map(|_| ()))
            }
            Request::Delete => forgotten(self.aggregate.delete(&self.stream, turn.now)),
            _ => Ok(Reply::Done),
        }
    }
}

impl Shell for AggregateShell {
    fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        match input {
            Input::Called { call, request } => {
                let reply = self.called(request, turn)?;
                turn.answer(call, reply);
                self.forward(turn)
            }
            Input::Answered { call, reply } => {
                if self.waits_for.take_if(|waits_for| *waits_for == call).is_none() {
                    return Ok(());
                }
                let jitter = turn.jitter();
                match reply {
                    Some(Reply::Recorded(version)) => self.aggregate.forwarded(version, turn.now, jitter)?,
                    _ => self.aggregate.not_forwarded(turn.now, jitter)?,
                }
                self.forward(turn)
            }
            Input::Started { alarm } => match alarm {
                Some(at) if self.aggregate.found_alarm(at, turn.now) => self.begin_anew(turn),
                _ => Ok(()),
            },
            Input::Rang => {
                self.ringing = true;
                self.begin_anew(turn)
            }
            Input::Ticked => Ok(()),
        }
    }
}
