//! The object of a stream, around the core's [`Aggregate`].

use sillok::gateway::{Aggregate, ForgetError};
use sillok::store::sqlite::StreamTable;
use sillok::store::{AppendError, EventId, StorageError, StreamId, TruncateError, partition_of};

use crate::breaks::Break;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Shell, Turn};
use crate::storage::{ObjectAlarm, Storage};
use crate::world::Plan;

pub struct AggregateShell {
    stream: StreamId,
    journal: Address,
    aggregate: Aggregate<StreamTable<Storage>, ObjectAlarm>,
    /// The forward that the ringing of the alarm waits for: only then is it over.
    ringing: Option<CallId>,
    broken: Option<Break>,
}

impl AggregateShell {
    pub fn new(number: usize, plan: &Plan, storage: Storage, alarm: ObjectAlarm) -> Self {
        let stream = plan.streams[number].clone();
        let journal = Address::Journal(partition_of(&stream, plan.partitions));
        let aggregate = Aggregate::new(StreamTable::new(storage), alarm);
        Self { stream, journal, aggregate, ringing: None, broken: plan.broken }
    }

    /// Sends what is next to the journal.
    fn forward(&mut self, turn: &mut Turn<'_>) -> Result<Option<CallId>, StorageError> {
        let Some(mut forward) = self.aggregate.next_forward(&self.stream)? else { return Ok(None) };
        if let (Some(Break::GapAccepted), Some(first)) = (self.broken, forward.commits.first()) {
            forward.base = first.first_version.before(1).unwrap_or_default();
        }
        Ok(Some(turn.call(self.journal, Request::Record(forward))))
    }

    /// The same while the alarm rings, until there is nothing more to send.
    fn forward_ringing(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        self.ringing = self.forward(turn)?;
        if self.ringing.is_none() || self.broken == Some(Break::RingingOverAtOnce) {
            turn.alarm_is_over();
        }
        Ok(())
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
                self.forward(turn)?;
            }
            Input::Answered { call, reply } => {
                let jitter = turn.jitter();
                let arrived = match reply {
                    Some(Reply::Recorded(version)) => {
                        self.aggregate.forwarded(version, turn.now, jitter)?;
                        true
                    }
                    _ => {
                        self.aggregate.not_forwarded(turn.now, jitter)?;
                        false
                    }
                };
                match self.ringing == Some(call) {
                    true if arrived => self.forward_ringing(turn)?,
                    true => turn.alarm_is_over(),
                    false if arrived => {
                        self.forward(turn)?;
                    }
                    false => {}
                }
            }
            Input::Started { alarm } => {
                if let Some(at) = alarm
                    && self.aggregate.found_alarm(at, turn.now)
                {
                    self.aggregate.rang(turn.now);
                    self.forward(turn)?;
                }
            }
            Input::Rang => {
                self.aggregate.rang(turn.now);
                self.forward_ringing(turn)?;
            }
            Input::Ticked => {}
        }
        Ok(())
    }
}
