//! The driver of a consumer. It decides the order of the consumer's effects: what it waits for, when a run ends, and
//! what it begins again when the alarm rings.

use super::attempt::Outcome;
use super::changing::Change;
use super::effects::{Attempted, ConsumerEffect, ConsumerInput};
use super::machine::Consumer;
use super::operation::Discard;
use super::outcome::Apply;
use super::policy::Window;
use super::run::{Run, Waits};
use super::waiting::Reaching;
use crate::gateway::turn::Calls;
use crate::gateway::{Alarm, CallId, Turn};
use crate::handler::feed::{Delivery, FeedPage, Next};
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

/// An attempt under way: the ids of its deliveries, and the time that it may take, in milliseconds.
#[derive(Debug)]
struct Attempt {
    call: CallId,
    ids: Vec<String>,
    millis: u64,
}

/// When the alarm rings again for a consumer that cannot be opened, or whose state cannot be read, in milliseconds.
const UNOPENED_MILLIS: u64 = 10_000;

pub(super) type ConsumerTurn<'a> = Turn<'a, ConsumerEffect>;

/// A [`Consumer`] and the order of its effects. One object runs one.
///
/// A *run* begins when the consumer is woken, and ends when there is nothing to do. There is one run at a time. If a
/// run gets no answer for half a minute, beyond the time of an attempt, it counts as lost. Then the next input begins
/// another run. A late page for the lost run is ignored. A late attempt still counts for events that are under way.
#[derive(Debug)]
pub struct ConsumerDriver<S, A> {
    pub(super) machine: Consumer<S, A>,
    pub(super) calls: Calls,
    pub(super) run: Option<Run>,
    /// The attempts under way, also those of a run that was taken for lost.
    attempts: Vec<Attempt>,
    /// Whether the platform waits for the end of what the alarm rang for.
    ringing: bool,
    /// Whether the machine knows for when the alarm is set.
    pub(super) started: bool,
    /// The changes of the consumer that wait for the deliveries under way.
    pub(super) changes: Vec<Change>,
    /// The discards that continue after other requests had their turn.
    pub(super) discards: Vec<Discard>,
    pub(super) reaching: Reaching,
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// A driver of this consumer.
    pub fn new(machine: Consumer<S, A>) -> Self {
        Self {
            machine,
            calls: Calls::default(),
            run: None,
            attempts: Vec::new(),
            ringing: false,
            started: false,
            changes: Vec::new(),
            discards: Vec::new(),
            reaching: Reaching::default(),
        }
    }

    /// The consumer, for reads. Use the methods of the driver for everything that causes work.
    pub fn machine(&mut self) -> &mut Consumer<S, A> {
        &mut self.machine
    }

    /// Takes on the duty to read new events in a partition of the feed. The duty is durable when this returns.
    ///
    /// # Errors
    /// [`StorageError`]. The consumer then has no duty.
    pub fn woken(&mut self, turn: &mut ConsumerTurn<'_>, partition: usize) -> Result<(), StorageError> {
        self.machine.woken(partition, turn.now())?;
        self.begin(turn);
        Ok(())
    }

    /// Begins a run after this turn, unless one is under way.
    pub(super) fn begin(&self, turn: &mut ConsumerTurn<'_>) {
        turn.push(ConsumerEffect::Soon);
    }

    /// Processes an input.
    pub fn input(&mut self, turn: &mut ConsumerTurn<'_>, input: ConsumerInput) {
        match input {
            ConsumerInput::Continue => self.begin_run(turn),
            ConsumerInput::Later { call } => {
                if self.waits_for(&Waits::Turn(call)) {
                    self.step(turn);
                } else {
                    self.continue_discard(turn, call);
                }
            }
            ConsumerInput::Read { call, page } => self.read(turn, call, page),
            ConsumerInput::Attempted { call, attempted } => self.attempted(turn, call, attempted),
            ConsumerInput::FoundAlarm { call, alarm } => self.found_alarm(turn, call, alarm),
            ConsumerInput::Expired { call } => {
                self.make_late_change(turn, call);
                self.expire(turn, call);
            }
            ConsumerInput::Rang => self.rang(turn),
        }
    }

    fn begin_run(&mut self, turn: &mut ConsumerTurn<'_>) {
        let now = turn.now();
        match &self.run {
            Some(run) if !run.is_lost(now) => return,
            Some(_) => {}
            None => turn.push(ConsumerEffect::Running(true)),
        }
        self.run = Some(Run::new(now));
        if self.started {
            self.step(turn);
        } else {
            let call = self.calls.next();
            self.wait_for(turn, Waits::Alarm(call), 0);
            turn.push(ConsumerEffect::FindAlarm { call });
        }
    }

    fn rang(&mut self, turn: &mut ConsumerTurn<'_>) {
        self.started = true;
        self.ringing = true;
        if let Err(error) = self.machine.rang(turn.now()) {
            let armed = self.postpone(turn, Some(error));
            return self.end_ringing(turn, armed);
        }
        if self.run.as_ref().is_some_and(|run| !run.is_lost(turn.now())) {
            // The run under way continues, but the alarm does not wait for its end. Another alarm is set, so that the
            // run is found again after a crash.
            self.end_ringing(turn, Ok(()));
        } else {
            self.begin_run(turn);
        }
    }

    fn found_alarm(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId, alarm: Option<RecordedTime>) {
        if !self.waits_for(&Waits::Alarm(call)) {
            return;
        }
        if !std::mem::replace(&mut self.started, true)
            && let Err(error) = self.machine.started(alarm, turn.now())
        {
            return self.interrupt(turn, Some(error));
        }
        self.step(turn);
    }

    fn read(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId, page: Option<FeedPage>) {
        if !self.waits_for(&Waits::Page(call)) {
            return;
        }
        let Some(page) = page else { return self.interrupt(turn, None) };
        match self.machine.take_page(page, turn.now()) {
            Ok(()) => self.step(turn),
            Err(error) => self.interrupt(turn, Some(error)),
        }
    }

    /// Applies the page in hand, after [`ConsumerEffect::Project`].
    pub fn project<O: Into<Outcome>>(&mut self, turn: &mut ConsumerTurn<'_>, apply: Apply<'_, S, O>) {
        if !self.waits_for(&Waits::Projection) {
            return;
        }
        let (now, jitter) = (turn.now(), turn.jitter());
        match self.machine.project(now, jitter, apply) {
            Ok(()) => self.step(turn),
            Err(error) => self.interrupt(turn, Some(error)),
        }
    }

    /// Processes the result of an attempt. It stores the outcomes at once, and takes the next step after all attempts
    /// have ended.
    fn attempted(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId, attempted: Attempted) {
        let Some(at) = self.attempts.iter().position(|attempt| attempt.call == call) else { return };
        let Attempt { ids, millis, .. } = self.attempts.swap_remove(at);
        let (events, outcome) = match attempted {
            Attempted::Done(events) => (events, Outcome::Done),
            Attempted::Ended(outcome) => (1, outcome),
            Attempted::Late => (1, Outcome::failed(format!("the attempt did not end within {millis} ms"))),
        };
        let now = turn.now();
        // Of an event that is no longer offered the machine takes no note.
        let noted = ids
            .iter()
            .take(events)
            .try_for_each(|id| self.machine.delivered(id, outcome.clone(), now, turn.jitter()));
        self.report(turn);
        let Some(run) = &mut self.run else { return };
        if let Err(error) = noted {
            run.failed = Some(error);
        }
        if run.has_ended(call) {
            match run.failed.take() {
                Some(error) => self.interrupt(turn, Some(error)),
                None => self.step(turn),
            }
        }
    }

    /// Does what the machine wants next.
    fn step(&mut self, turn: &mut ConsumerTurn<'_>) {
        if self.make_changes(turn) {
            return self.let_others(turn);
        }
        let next = self.machine.next(turn.now());
        self.report(turn);
        let next = next.and_then(|next| self.answer_reached(turn).map(|()| next));
        if let Some(revision) = self.machine.take_news() {
            turn.push(ConsumerEffect::DocumentsChanged(revision));
        }
        match next {
            Ok(Next::Read(read)) => {
                let call = self.calls.next();
                self.wait_for(turn, Waits::Page(call), 0);
                turn.push(ConsumerEffect::Read { call, read });
            }
            Ok(Next::Project) => {
                self.wait_for(turn, Waits::Projection, 0);
                turn.push(ConsumerEffect::Project);
            }
            Ok(Next::Deliver(deliveries)) => self.deliver(turn, deliveries),
            Ok(Next::Tidied) => self.let_others(turn),
            Ok(Next::Wait { .. } | Next::Idle | Next::Paused | Next::Stopped) => self.end_run(turn, Ok(())),
            Err(error) => self.interrupt(turn, Some(error)),
        }
    }

    /// Reports the failed attempts.
    fn report(&mut self, turn: &mut ConsumerTurn<'_>) {
        for report in self.machine.take_failures() {
            turn.push(ConsumerEffect::Failed(report));
        }
    }

    /// Takes the next step after other requests had their turn.
    fn let_others(&mut self, turn: &mut ConsumerTurn<'_>) {
        let call = self.calls.next();
        self.wait_for(turn, Waits::Turn(call), 0);
        turn.push(ConsumerEffect::Later { call });
    }

    /// Delivers each event in an attempt of its own, or a batch in one attempt.
    fn deliver(&mut self, turn: &mut ConsumerTurn<'_>, deliveries: Vec<Delivery>) {
        let millis = self.machine.settings.policy.timeout;
        let attempts: Vec<Vec<Delivery>> = match self.machine.settings.window {
            Window::Streams(_) => deliveries.into_iter().map(|delivery| vec![delivery]).collect(),
            Window::Batch(_) => vec![deliveries],
        };
        let mut under_way = Vec::with_capacity(attempts.len());
        for deliveries in attempts {
            let call = self.calls.next();
            let ids = deliveries.iter().map(|delivery| delivery.id.clone()).collect();
            self.attempts.push(Attempt { call, ids, millis });
            under_way.push(call);
            turn.push(ConsumerEffect::Deliver { call, deliveries, millis });
        }
        self.wait_for(turn, Waits::Deliveries(under_way), millis);
    }

    fn wait_for(&mut self, turn: &ConsumerTurn<'_>, waits: Waits, millis: u64) {
        if let Some(run) = &mut self.run {
            run.wait_for(waits, turn.now(), millis);
        }
    }

    fn waits_for(&self, waits: &Waits) -> bool {
        self.run.as_ref().is_some_and(|run| run.waits == *waits)
    }

    /// Interrupts the run, after an error of the storage or without an answer.
    fn interrupt(&mut self, turn: &mut ConsumerTurn<'_>, error: Option<StorageError>) {
        let armed = self.postpone(turn, error);
        self.end_run(turn, armed);
    }

    /// Sets the alarm again, because the interrupted work may have used it up.
    fn postpone(
        &mut self,
        turn: &mut ConsumerTurn<'_>,
        error: Option<StorageError>,
    ) -> Result<(), StorageError> {
        if let Some(error) = error {
            turn.log("a consumer was interrupted", error);
        }
        let now = turn.now();
        let armed = self.machine.missed(now).or_else(|_| look_again_at(&self.machine.alarm, now));
        armed.map_err(|error| turn.log("the alarm could not be set", error))
    }

    /// Ends the run.
    fn end_run(&mut self, turn: &mut ConsumerTurn<'_>, ended: Result<(), StorageError>) {
        if self.run.take().is_some() {
            turn.push(ConsumerEffect::Running(false));
        }
        self.end_ringing(turn, ended);
    }

    fn end_ringing(&mut self, turn: &mut ConsumerTurn<'_>, ended: Result<(), StorageError>) {
        if std::mem::take(&mut self.ringing) {
            turn.push(ConsumerEffect::AlarmOver(ended));
        }
    }
}

/// Sets the alarm again for a consumer that cannot be opened.
///
/// # Errors
/// [`StorageError`] if the alarm cannot be set. Then the platform must ring the alarm again.
pub fn look_again_at(alarm: &impl Alarm, now: RecordedTime) -> Result<(), StorageError> {
    alarm.set(now.later(UNOPENED_MILLIS))
}
