//! Timers and sent commands. The core chooses the next one, and the engine carries it out.

use sillok::gateway::{DueCommands, DueWork, FailedAttempt, Sending, Step, note_failure};
use sillok::handler::Answer;
use sillok::store::{PendingKey, StreamId, StreamLog};

use crate::engine::{Engine, fresh_id, random};
use crate::error::SqliteError;
use crate::progress::Progress;

/// The due commands of a store.
#[derive(Debug, Default)]
pub(crate) struct Pending(DueCommands);

impl Engine {
    /// Attempts the next timer or sent command that is due.
    pub(crate) fn attempt_pending(&mut self) -> Result<Progress, SqliteError> {
        let now = self.now();
        let (due, aggregates) = (&mut self.pending.0, &self.aggregates);
        let is_registered = |stream: &StreamId| aggregates.has(stream);
        match self.store.log().reading(|log| due.next(log, &is_registered, now))? {
            DueWork::Fire(stream, key) => {
                let fired = self.fire(&stream, &key);
                self.ended(&stream, &key, fired)
            }
            DueWork::Send(stream, key, sending) => {
                let sent = self.send(&stream, &key, &sending);
                self.ended(&stream, &key, sent)
            }
            DueWork::Unreadable(stream, key) => {
                let noted = self.note(&stream, &key, &FailedAttempt::unreadable());
                self.ended(&stream, &key, noted)
            }
            DueWork::More => Ok(Progress::Worked),
            DueWork::Wait(until) => Ok(Progress::Until(until)),
            DueWork::Idle => Ok(Progress::Idle),
        }
    }

    fn ended(
        &mut self,
        stream: &StreamId,
        key: &PendingKey,
        attempted: Result<(), SqliteError>,
    ) -> Result<Progress, SqliteError> {
        self.pending.0.ended(stream, key);
        attempted.map(|()| Progress::Worked)
    }

    /// Decides a timer, or the answer that is stored with a sent command.
    fn fire(&mut self, stream: &StreamId, key: &PendingKey) -> Result<(), SqliteError> {
        let (now, jitter) = (self.now(), random());
        let commands = self.aggregates.commands(stream)?;
        while commands.fire(&mut self.store, stream, key, now, jitter, &mut fresh_id)? == Step::More {}
        Ok(())
    }

    /// Sends a command to its receiver, and passes the answer to the process.
    fn send(&mut self, stream: &StreamId, key: &PendingKey, sending: &Sending) -> Result<(), SqliteError> {
        let answer = match self.execute(&sending.receiver, &sending.command) {
            Ok(executed) => Answer::from(&executed),
            Err(error) => {
                let failure = FailedAttempt { code: error.code(), detail: error.to_string() };
                return self.note(stream, key, &failure);
            }
        };
        let (now, jitter) = (self.now(), random());
        let commands = self.aggregates.commands(stream)?;
        let store = &mut self.store;
        while commands.answered(store, stream, key, &answer, now, jitter, &mut fresh_id)? == Step::More {}
        Ok(())
    }

    fn note(
        &mut self,
        stream: &StreamId,
        key: &PendingKey,
        failure: &FailedAttempt,
    ) -> Result<(), SqliteError> {
        let now = self.now();
        Ok(note_failure(&mut self.store, stream, key, failure, now, random())?)
    }
}
