//! What an operator looks at and changes: timers, and commands that processes have sent.

use std::ops::ControlFlow;

use sillok::gateway::{cancel_pending, retry_pending};
use sillok::store::{DecisionLog, PendingCommand, PendingKey, PendingKind, StreamId, StreamLog};

use crate::error::SqliteError;
use crate::sqlite::Sqlite;

impl Sqlite {
    /// Reads up to `limit` timers of a stream, or the commands that it has sent and that are not answered, with keys greater than
    /// `after`. Each has its command, the time of its next attempt, and the last error. A stream has at most 1,000 of either.
    ///
    /// ```
    /// use sillok::store::PendingKind;
    /// use sillok_sqlite::Sqlite;
    ///
    /// let bank = Sqlite::in_memory()?;
    /// assert_eq!(bank.pending("account-42", PendingKind::Timer, None, 100)?, []);
    /// # Ok::<(), sillok_sqlite::SqliteError>(())
    /// ```
    ///
    /// # Errors
    /// [`SqliteError::Storage`]; [`SqliteError::InvalidStreamId`].
    pub fn pending(
        &self,
        stream: &str,
        kind: PendingKind,
        after: Option<PendingKey>,
        limit: usize,
    ) -> Result<Vec<PendingCommand>, SqliteError> {
        let (stream, after) = (StreamId::new(stream)?, after.unwrap_or_else(|| PendingKey::first(kind)));
        self.call(move |engine| {
            let mut found = Vec::new();
            engine.store.log().reading(|log| {
                log.scan_pending(&stream, &after, &mut |pending| {
                    if found.len() == limit {
                        return ControlFlow::Break(());
                    }
                    found.push(pending);
                    ControlFlow::Continue(())
                })
            })?;
            Ok(found)
        })
    }

    /// Removes a timer, or a sent command, which then gets no answer. Returns whether there was one.
    ///
    /// # Errors
    /// As of [`pending`](Self::pending).
    pub fn cancel_pending(&self, stream: &str, key: PendingKey) -> Result<bool, SqliteError> {
        let stream = StreamId::new(stream)?;
        self.write(move |engine| Ok(cancel_pending(&mut engine.store, &stream, &key)?))
    }

    /// Makes a timer or a sent command due at once that is parked, because its attempts have failed. Returns whether there was
    /// one.
    ///
    /// # Errors
    /// As of [`pending`](Self::pending).
    pub fn retry_pending(&self, stream: &str, key: PendingKey) -> Result<bool, SqliteError> {
        let stream = StreamId::new(stream)?;
        self.write(move |engine| {
            let now = engine.now();
            Ok(retry_pending(&mut engine.store, &stream, &key, now)?)
        })
    }
}
