//! The thread of an engine, and the calls of other threads.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{self, JoinHandle, ThreadId};

use sillok::store::StorageError;

use crate::engine::Engine;
use crate::error::SqliteError;

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// A thread with an engine. When it is dropped, the thread ends after its last job and closes the file.
#[derive(Debug)]
pub(crate) struct EngineThread {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl EngineThread {
    /// Starts a thread, in which `open` makes the engine.
    pub(crate) fn start(
        open: impl FnOnce() -> Result<Engine, SqliteError> + Send + 'static,
    ) -> Result<Self, SqliteError> {
        let (jobs, received) = channel();
        let (reply, opened) = sync_channel(1);
        let run = move || match open() {
            Ok(engine) => {
                let _ = reply.send(Ok(()));
                work(engine, &received);
            }
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        };
        let thread = thread::Builder::new().name("sillok".to_owned()).spawn(run);
        let thread = thread.map_err(|error| StorageError::failed(error.to_string()))?;
        let id = thread.thread().id();
        let started = Self { jobs: Some(jobs), thread: Some(thread), id };
        opened.recv().map_err(|_| stopped())??;
        Ok(started)
    }

    /// Does a job in the thread, and waits for its answer.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        if thread::current().id() == self.id {
            return Err(SqliteError::InsideHandler);
        }
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |engine| {
            // A caller that is gone needs no answer.
            let _ = reply.send(engine.in_place(job));
        });
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(stopped().into());
        }
        answer.recv().map_err(|_| stopped())?
    }
}

impl Drop for EngineThread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread::current().id() != self.id
        {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

fn work(mut engine: Engine, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        job(&mut engine);
    }
}

fn stopped() -> StorageError {
    StorageError::failed("the engine has stopped, because it has panicked")
}
