//! Recording by groups: what arrives while the storage is busy making a group durable becomes the next one. So however
//! many streams are written to, the journal writes one row of commits for each time that the storage is waited for.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::oneshot;
use sillok::ErrorCode;
use sillok::gateway::Forward;
use sillok::store::Version;
use sillok::store::limits::{PAGE_BYTES, PAGE_EVENTS};
use sillok_bridge::Failure;
use worker::console_error;

use super::Keeper;
use super::reading::record_failure;
use super::rpc::ForwardMessage;
use crate::objects::{Receipt, nudges, spawn};

/// The most bytes of events that wait to be recorded. What does not find room is refused, and its aggregate tries again
/// later: the memory is shared with other journals.
const WAITING_BYTES: usize = 16 * 1024 * 1024;
/// What is recorded in one turn ends with the forward that fills so many bytes, or is the last of so many.
const TURN: (usize, usize) = (PAGE_BYTES, PAGE_EVENTS);

/// What waits to be recorded.
#[derive(Debug, Default)]
pub(super) struct Recording {
    waiting: RefCell<VecDeque<(Forward, usize, Answer)>>,
    bytes: Cell<usize>,
    running: Cell<bool>,
}

type Answer = oneshot::Sender<Result<Version, Failure>>;

impl Recording {
    /// What is recorded next, and who is answered then.
    fn next_turn(&self) -> Option<(Vec<Forward>, Vec<Answer>)> {
        let (most_bytes, most) = TURN;
        let (mut waiting, mut bytes) = (self.waiting.borrow_mut(), 0);
        let (mut forwards, mut answers) = (Vec::new(), Vec::new());
        while bytes < most_bytes && forwards.len() < most {
            let Some((forward, size, answer)) = waiting.pop_front() else { break };
            bytes += size;
            forwards.push(forward);
            answers.push(answer);
        }
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
        (!forwards.is_empty()).then_some((forwards, answers))
    }
}
/// Up to which versions the journal has the streams of a group. They can be answered only once those whom it concerns were
/// woken and what was written is durable: until then the aggregates have to remind.
#[must_use]
struct Unanswered(Vec<Version>);

impl Keeper {
    /// Records a forward with whatever else waits. The answer is kept back by the output gate until it is durable. What it
    /// has cost is no part of it, as it is shared.
    pub(super) async fn record(self: Rc<Self>, message: ForwardMessage) -> (Result<u64, Failure>, Receipt) {
        (self.recorded(message).await.map(Version::get), Receipt::default())
    }

    async fn recorded(self: &Rc<Self>, message: ForwardMessage) -> Result<Version, Failure> {
        let Recording { waiting, bytes, running } = &self.recording;
        let size = bytes.get() + message.size();
        if size > WAITING_BYTES && bytes.get() > 0 {
            return Err(Failure::new(ErrorCode::Overloaded, "the journal has more to record than it can"));
        }
        let (answer, answered) = oneshot::channel();
        let own = message.size();
        waiting.borrow_mut().push_back((message.forward()?, own, answer));
        bytes.set(size);
        if !running.replace(true) {
            let keeper = Rc::clone(self);
            spawn(async move { keeper.record_groups().await });
        }
        answered.await.unwrap_or_else(|_| Err(Failure::new(ErrorCode::Internal, "the forward was dropped")))
    }

    async fn record_groups(self: &Rc<Self>) {
        while let Some((forwards, answers)) = self.recording.next_turn() {
            let recorded = self.record_group(&forwards);
            drop(forwards);
            let versions = match recorded {
                Ok(recorded) => self.passed_on(recorded).await,
                Err(failure) => Err(failure),
            };
            for (place, answer) in answers.into_iter().enumerate() {
                let version = |versions: &Vec<Version>| versions.get(place).copied().unwrap_or_default();
                // Whoever has gone needs no word of it.
                let _ = answer.send(versions.as_ref().map(version).map_err(Failure::clone));
            }
        }
        self.recording.running.set(false);
    }

    fn record_group(&self, forwards: &[Forward]) -> Result<Unanswered, Failure> {
        let mut journal = self.journal.borrow_mut();
        let journal = journal.as_mut().map_err(|failure| failure.clone())?;
        let recorded = journal.record(forwards);
        self.meter.take();
        let recorded = recorded.map_err(|error| {
            console_error!("the journal could not record: {error}");
            record_failure(&error)
        })?;
        nudges::nudge(&self.state, recorded.end.get());
        self.waiting.tell(forwards);
        Ok(Unanswered(recorded.versions))
    }

    /// What may be answered, once whoever has to know of what was recorded has made it a duty of its own.
    async fn passed_on(self: &Rc<Self>, Unanswered(versions): Unanswered) -> Result<Vec<Version>, Failure> {
        self.wake().await?;
        self.state.storage().sync().await.map_err(|error| {
            console_error!("what was recorded may not be durable: {error}");
            Failure::new(ErrorCode::StorageFailed, error.to_string())
        })?;
        Ok(versions)
    }
}
