//! The order of what a consumer does: what it waits for, what ends a run, and what is begun anew when the alarm rings.

use super::attempt::Outcome;
use super::machine::Consumer;
use super::outcome::Apply;
use super::policy::Window;
use super::run::{Run, Waits};
use super::waiting::Reaching;
use crate::gateway::turn::Calls;
use crate::gateway::{Alarm, CallId, Trouble, Turn};
use crate::handler::feed::{Delivery, FeedPage, Next, Read};
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError};

/// When a consumer that cannot be opened, or not interrupted in order, is looked at again, in milliseconds.
const UNOPENED_MILLIS: u64 = 10_000;
/// How long a new definition waits for deliveries under way, so that they are not repeated, in milliseconds.
const CHANGE_MILLIS: u64 = 1_000;

/// What a consumer wants done.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerEffect {
    /// Read this page of the feed, and give it as [`ConsumerInput::Read`].
    Read {
        /// The number of this call.
        call: CallId,
        /// The page.
        read: Read,
    },
    /// Deliver these events, all by one attempt, and give what came of it as [`ConsumerInput::Attempted`].
    Deliver {
        /// The number of this call.
        call: CallId,
        /// One event, or a batch.
        deliveries: Vec<Delivery>,
        /// How long the attempt may take, in milliseconds.
        millis: u64,
    },
    /// Call [`ConsumerDriver::project`] within this turn.
    Project,
    /// Give [`ConsumerInput::GoOn`] once this turn is over.
    Soon,
    /// Give [`ConsumerInput::Later`] after other requests had their turn.
    Later {
        /// The number of this call.
        call: CallId,
    },
    /// Give [`ConsumerInput::Ticked`] in so many milliseconds.
    Wait {
        /// How many.
        millis: u64,
    },
    /// Read for when the alarm is set, and give that as [`ConsumerInput::FoundAlarm`].
    FindAlarm {
        /// The number of this call.
        call: CallId,
    },
    /// A run has begun, or has ended.
    Running(bool),
    /// Nothing is being delivered: the consumer may be [changed](ConsumerDriver::redefine) within this turn.
    Change {
        /// The call of [`ConsumerDriver::change`] that waited for it.
        call: CallId,
    },
    /// Answer a [`reach`](ConsumerDriver::reach).
    Reached {
        /// The call that is answered.
        call: CallId,
        /// Whether the checkpoint has reached the position.
        outcome: Result<bool, StorageError>,
    },
    /// The work for which the alarm rang is done. Where it failed and could not be put off, the platform has to ring again.
    AlarmOver(Result<(), StorageError>),
    /// A line for the operator's log.
    Log(Trouble),
}

impl From<Trouble> for ConsumerEffect {
    fn from(trouble: Trouble) -> Self {
        Self::Log(trouble)
    }
}

/// What happens to a consumer beside requests.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerInput {
    /// It goes on after [`ConsumerEffect::Soon`].
    GoOn,
    /// It goes on after [`ConsumerEffect::Later`].
    Later {
        /// The number of the call.
        call: CallId,
    },
    /// A page of the feed was read, or could not be.
    Read {
        /// The number of the call.
        call: CallId,
        /// The page; nothing where it could not be read.
        page: Option<FeedPage>,
    },
    /// An attempt has ended, or its time is over.
    Attempted {
        /// The number of the call.
        call: CallId,
        /// What came of it.
        attempted: Attempted,
    },
    /// The alarm that [`ConsumerEffect::FindAlarm`] has found.
    FoundAlarm {
        /// The number of the call.
        call: CallId,
        /// For when it is set.
        alarm: Option<RecordedTime>,
    },
    /// The time of a [`ConsumerEffect::Wait`] is over.
    Ticked,
    /// The alarm rings. [`ConsumerEffect::AlarmOver`] ends it.
    Rang,
}

pub(super) type ConsumerTurn<'a> = Turn<'a, ConsumerEffect>;

/// What came of an attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// It ended for so many of the first events, which are done.
    Done(usize),
    /// It ended in another way. Of a batch this is the outcome of the first event; the others are attempted again.
    Ended(Outcome),
    /// It took longer than it may.
    Late,
}

/// A [`Consumer`] and the order of its effects. One object runs one.
///
/// A *run* begins when the consumer is woken, and lasts until there is nothing to do. There is one at a time. A run that gets no answer
/// for half a minute, beyond the time of an attempt, is taken for lost: the next input begins another, and late answers to the
/// first are ignored.
#[derive(Debug)]
pub struct ConsumerDriver<S, A> {
    machine: Consumer<S, A>,
    calls: Calls,
    run: Option<Run>,
    /// Whether the platform waits for the end of what the alarm rang for.
    ringing: bool,
    /// Whether the machine knows for when the alarm is set.
    started: bool,
    /// Who waits for the deliveries under way, so as to change the consumer, and until when.
    changes: Vec<(CallId, RecordedTime)>,
    pub(super) reaching: Reaching,
}

impl<S: Sql, A: Alarm> ConsumerDriver<S, A> {
    /// Drives this consumer.
    pub fn new(machine: Consumer<S, A>) -> Self {
        Self {
            machine,
            calls: Calls::default(),
            run: None,
            ringing: false,
            started: false,
            changes: Vec::new(),
            reaching: Reaching::default(),
        }
    }

    /// The consumer, to be looked at and operated. [`begin`](Self::begin) follows on what gives it something to do.
    pub fn machine(&mut self) -> &mut Consumer<S, A> {
        &mut self.machine
    }

    /// Takes it as a duty that there is something new in a partition of the feed. The duty is durable when this returns.
    ///
    /// # Errors
    /// [`StorageError`]; the duty is then not taken.
    pub fn woken(&mut self, turn: &mut ConsumerTurn<'_>, partition: usize) -> Result<(), StorageError> {
        self.machine.woken(partition, turn.now())?;
        self.begin(turn);
        Ok(())
    }

    /// Begins a run after this turn, unless one is under way.
    pub fn begin(&self, turn: &mut ConsumerTurn<'_>) {
        turn.push(ConsumerEffect::Soon);
    }

    /// Takes what has happened.
    pub fn input(&mut self, turn: &mut ConsumerTurn<'_>, input: ConsumerInput) {
        match input {
            ConsumerInput::GoOn => self.go_on(turn),
            ConsumerInput::Later { call } => {
                if self.waits_for(&Waits::Turn(call)) {
                    self.step(turn);
                }
            }
            ConsumerInput::Read { call, page } => self.read(turn, call, page),
            ConsumerInput::Attempted { call, attempted } => self.attempted(turn, call, attempted),
            ConsumerInput::FoundAlarm { call, alarm } => self.found_alarm(turn, call, alarm),
            ConsumerInput::Ticked => self.ticked(turn),
            ConsumerInput::Rang => self.rang(turn),
        }
    }

    fn go_on(&mut self, turn: &mut ConsumerTurn<'_>) {
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
            let armed = self.put_off(turn, Some(error));
            return self.end_ringing(turn, armed);
        }
        if self.run.as_ref().is_some_and(|run| !run.is_lost(turn.now())) {
            // The run under way goes on. It is no longer this alarm's: where it is to be found again, another is set.
            self.end_ringing(turn, Ok(()));
        } else {
            self.go_on(turn);
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
        match self.machine.took(page, turn.now()) {
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

    /// Takes what came of an attempt. What is known of it is noted at once; the next step follows when all attempts have ended.
    fn attempted(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId, attempted: Attempted) {
        let Some(run) = &mut self.run else { return };
        let Some((ids, millis)) = run.ended(call) else { return };
        let (told, outcome) = match attempted {
            Attempted::Done(events) => (events, Outcome::Done),
            Attempted::Ended(Outcome::Done) => (ids.len(), Outcome::Done),
            Attempted::Ended(outcome) => (1, outcome),
            Attempted::Late => (1, Outcome::failed(format!("the attempt did not end within {millis} ms"))),
        };
        let now = turn.now();
        let noted = ids
            .iter()
            .take(told)
            .try_for_each(|id| self.machine.delivered(id, outcome.clone(), now, turn.jitter()));
        let Some(run) = &mut self.run else { return };
        if let Err(error) = noted {
            run.failed = Some(error);
        }
        if !run.is_delivering() {
            match run.failed.take() {
                Some(error) => self.interrupt(turn, Some(error)),
                None => self.step(turn),
            }
        }
    }

    /// Waits until nothing is being delivered, but no longer than a second. Then [`ConsumerEffect::Change`] comes.
    pub fn change(&mut self, turn: &mut ConsumerTurn<'_>, call: CallId) {
        if self.run.as_ref().is_some_and(Run::is_delivering) {
            self.changes.push((call, turn.now().later(CHANGE_MILLIS)));
            turn.push(ConsumerEffect::Wait { millis: CHANGE_MILLIS });
        } else {
            turn.push(ConsumerEffect::Change { call });
        }
    }

    /// Puts another machine in place of this one: the consumer was defined anew. `open` opens it, `write` stores the definition.
    ///
    /// # Errors
    /// What `open` and `write` fail with, and what storing the place of the old one does. The consumer is then as it was.
    pub fn redefine<E: From<StorageError>>(
        &mut self,
        turn: &mut ConsumerTurn<'_>,
        open: impl FnOnce() -> Result<Consumer<S, A>, E>,
        write: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        // What was delivered already is not to be delivered again.
        self.machine.save()?;
        let mut machine = open()?;
        write()?;
        // What kept the events from arriving may be mended.
        machine.renew(turn.now())?;
        self.machine = machine;
        self.started = false;
        self.look_again(turn, |_| true);
        Ok(())
    }

    fn ticked(&mut self, turn: &mut ConsumerTurn<'_>) {
        let now = turn.now();
        let over = |change: &mut (CallId, RecordedTime)| change.1 <= now;
        for (call, _) in self.changes.extract_if(.., over) {
            turn.push(ConsumerEffect::Change { call });
        }
        self.expire(turn);
    }

    /// Does what the machine wants next.
    fn step(&mut self, turn: &mut ConsumerTurn<'_>) {
        if !self.changes.is_empty() {
            for (call, _) in std::mem::take(&mut self.changes) {
                turn.push(ConsumerEffect::Change { call });
            }
            let call = self.calls.next();
            self.wait_for(turn, Waits::Turn(call), 0);
            turn.push(ConsumerEffect::Later { call });
            return;
        }
        let next = self.machine.next(turn.now());
        let next = next.and_then(|next| self.answer_reached(turn).map(|()| next));
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
            Ok(Next::Tidied) => {
                let call = self.calls.next();
                self.wait_for(turn, Waits::Turn(call), 0);
                turn.push(ConsumerEffect::Later { call });
            }
            Ok(Next::Wait { .. } | Next::Idle | Next::Paused | Next::Stopped) => self.rest(turn, Ok(())),
            Err(error) => self.interrupt(turn, Some(error)),
        }
    }

    /// Delivers each event by an attempt of its own, or a batch by one.
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
            under_way.push((call, ids, millis));
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

    /// The run was interrupted, by an error of the storage or for want of an answer.
    fn interrupt(&mut self, turn: &mut ConsumerTurn<'_>, error: Option<StorageError>) {
        let armed = self.put_off(turn, error);
        self.rest(turn, armed);
    }

    /// Has the alarm ring again: it may have been spent on what was interrupted.
    fn put_off(
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

    /// The run has ended.
    fn rest(&mut self, turn: &mut ConsumerTurn<'_>, ended: Result<(), StorageError>) {
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

/// Has the alarm ring again for a consumer that cannot be opened.
///
/// # Errors
/// [`StorageError`] where it cannot be set: the alarm that rang has to ring again.
pub fn look_again_at(alarm: &impl Alarm, now: RecordedTime) -> Result<(), StorageError> {
    alarm.set(now.later(UNOPENED_MILLIS))
}
