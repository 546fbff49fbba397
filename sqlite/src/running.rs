//! Running the consumers, the timers and the sent commands of a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sillok::ErrorCode;
use sillok::handler::{Delivery, Outcome, Projection};
use sillok::store::{Position, RecordedTime, StorageError};

use crate::consumers::Definition;
use crate::engine::Engine;
use crate::error::SqliteError;
use crate::progress::Progress;
use crate::reactor::{Reactor, ReactorContext, reacting};
use crate::sqlite::Sqlite;

/// The longest wait of a running store before it looks for due work, and the pause after it found the file locked.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

impl Sqlite {
    /// Registers a projection under a name: 1 to 200 bytes of UTF-8 without control characters. Its documents are stored in the
    /// file, in one transaction with its checkpoint. [`catch_up`](Self::catch_up) or [`run`](Self::run) brings them up to date.
    ///
    /// # Errors
    /// [`SqliteError::Registered`] if the name is in use; [`SqliteError::Consumer`], such as `consumer_kind_fixed`;
    /// [`SqliteError::InvalidConsumerName`]; [`SqliteError::InvalidCategory`]; [`SqliteError::InvalidEventType`].
    pub fn projection<P: Projection>(&self, name: &str) -> Result<(), SqliteError> {
        let name = name.to_owned();
        self.call(move |engine| engine.register(&name, &Definition::projection::<P>()).map(drop))
    }

    /// Registers a reactor under a name: 1 to 200 bytes of UTF-8 without control characters. The [`Reactor`] has an example.
    ///
    /// # Errors
    /// As of [`projection`](Self::projection); [`SqliteError::InvalidCheckpoint`].
    pub fn reactor<R: Reactor>(&self, name: &str, reactor: R) -> Result<(), SqliteError> {
        let owned = name.to_owned();
        let name = self.call(move |engine| engine.register(&owned, &Definition::reactor::<R>()))?;
        self.shared.reactors.add(name, reacting(reactor));
        Ok(())
    }

    /// Runs all registered consumers, timers and sent commands until nothing is left to do now. Returns the time of the next
    /// attempt or of the next timer, if there is one. Events that are appended later need another call.
    ///
    /// Only one thread runs the consumers at a time. Other threads wait for it, and then look for work themselves.
    ///
    /// # Errors
    /// [`SqliteError::Storage`]; [`SqliteError::InsideHandler`] if a reactor makes the call. The failure of a handler is no error:
    /// [`status`](Self::status) has it.
    pub fn catch_up(&self) -> Result<Option<RecordedTime>, SqliteError> {
        let _turn = self.shared.reactors.turn()?;
        loop {
            let (consumers, end) = self.call(|engine| {
                engine.wake()?;
                Ok((engine.consumers.count(), engine.end()?))
            })?;
            let mut next = None;
            for place in 0..consumers {
                while may_have_more(self.step(place)?, &mut next) {}
            }
            while may_have_more(self.call(Engine::attempt_pending)?, &mut next) {}
            // The events of a reactor or of a timer are for the consumers too.
            if self.end()? == end {
                return Ok(next);
            }
        }
    }

    /// Does the next step of a consumer. A reactor runs in this thread, so that it may use the store.
    fn step(&self, place: usize) -> Result<Progress, SqliteError> {
        let stepped = self.call(move |engine| {
            let progress = engine.step(place)?;
            Ok((progress, engine.name_of(place)))
        })?;
        let (Progress::Deliver(delivery), Some(name)) = stepped else { return Ok(stepped.0) };
        let outcome = match self.shared.reactors.named(&name) {
            Some(react) => react(&ReactorContext::new(self, &delivery)),
            // It is registered in this moment by another thread.
            None => return Ok(Progress::Idle),
        };
        self.take_outcome(place, delivery, outcome)
    }

    fn take_outcome(
        &self,
        place: usize,
        delivery: Delivery,
        outcome: Outcome,
    ) -> Result<Progress, SqliteError> {
        self.call(move |engine| {
            engine.delivered(place, &delivery.id, outcome)?;
            Ok(Progress::Worked)
        })
    }

    /// Runs the consumers, timers and sent commands in a thread of their own, until the returned value is dropped or
    /// [stopped](Running::stop). New events of this store are handled at once, those of other processes within a tenth of a
    /// second. Register everything before.
    ///
    /// ```
    /// use sillok_sqlite::Sqlite;
    ///
    /// let bank = Sqlite::in_memory()?;
    /// let running = bank.run()?;
    /// // The program does its work, and then:
    /// running.stop()?;
    /// # Ok::<(), sillok_sqlite::SqliteError>(())
    /// ```
    ///
    /// # Errors
    /// [`SqliteError::Storage`] if the system starts no further thread.
    pub fn run(&self) -> Result<Running, SqliteError> {
        let (store, is_over) = (self.clone(), Arc::new(AtomicBool::new(false)));
        let until = Arc::clone(&is_over);
        let run = move || store.run_until(&until);
        let thread = thread::Builder::new().name("sillok-run".to_owned()).spawn(run);
        let thread = thread.map_err(|error| StorageError::failed(error.to_string()))?;
        Ok(Running { store: self.clone(), is_over, thread: Some(thread) })
    }

    fn run_until(&self, is_over: &AtomicBool) -> Result<(), SqliteError> {
        let is_over = || is_over.load(Ordering::Acquire);
        let mut after = Position::START;
        while !is_over() {
            let due = match self.run_once(&mut after) {
                // Another process has the file locked. It is patient work, which nobody waits for.
                Err(error) if error.code() == ErrorCode::StorageBusy => PAUSE,
                ran => ran?,
            };
            self.shared.changes.wait(due, || Ok(is_over() || self.end()? > after))?;
        }
        Ok(())
    }

    /// Catches up. Returns how long there is nothing to do.
    fn run_once(&self, after: &mut Position) -> Result<Duration, SqliteError> {
        let (end, now) = self.call(|engine| Ok((engine.end()?, engine.now())))?;
        let next = self.catch_up()?;
        *after = end;
        let millis = next.map(|next| next.as_millis().saturating_sub(now.as_millis()));
        Ok(millis.map_or(LONGEST_WAIT, Duration::from_millis).min(LONGEST_WAIT))
    }
}

/// Takes what a step has come to. Returns whether there may be another step.
fn may_have_more(progress: Progress, next: &mut Option<RecordedTime>) -> bool {
    match progress {
        Progress::Worked | Progress::Deliver(_) => true,
        Progress::Until(until) => {
            *next = Some(next.map_or(until, |next| next.min(until)));
            false
        }
        Progress::Idle => false,
    }
}

/// A store whose consumers run in a thread of their own. [`Sqlite::run`] makes it. The thread ends when this value is dropped.
#[derive(Debug)]
#[must_use = "the consumers stop when this value is dropped"]
pub struct Running {
    store: Sqlite,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), SqliteError>>>,
}

impl Running {
    /// Ends the thread after its present step.
    ///
    /// # Errors
    /// The [`SqliteError`] that has ended the thread before.
    pub fn stop(mut self) -> Result<(), SqliteError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), SqliteError> {
        self.is_over.store(true, Ordering::Release);
        self.store.shared.changes.note();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let stopped = StorageError::failed("the thread of the consumers has panicked");
        thread.join().unwrap_or_else(|_| Err(stopped.into()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Who wants the error calls `stop`.
        let _ = self.end();
    }
}
