//! The store. It decides in the same way over every log.

use std::ops::ControlFlow;

use crate::store::appends::append::{Append, AppendAllError, AppendError, Appended};
use crate::store::appends::expected_version::ExpectedVersion;
use crate::store::appends::idempotency_key::IdempotencyKey;
use crate::store::events::content;
use crate::store::events::event::{EventId, RecordedTime};
use crate::store::limits::APPENDS;
use crate::store::logs::commit::{Commit, CommitView};
use crate::store::logs::log::{Head, StorageError, StreamLog};
use crate::store::names::stream_id::StreamId;

/// Appends events and reads them by stream. It decides in the same way over every [`StreamLog`].
#[derive(Debug, Clone, Default)]
pub struct EventStore<L> {
    pub(super) log: L,
}

impl<L: StreamLog> EventStore<L> {
    /// A store that stores its commits in `log`.
    pub fn new(log: L) -> Self {
        Self { log }
    }

    /// The log that stores the commits.
    pub fn log(&self) -> &L {
        &self.log
    }

    pub(crate) fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    /// Appends the events to the stream, all or none, if the stream fulfils the condition.
    ///
    /// `now` is the time by the caller's clock. The store calls `fresh_id` once for each event without an id. An append
    /// under a used key writes nothing and returns the first answer, even if the stream has changed since.
    ///
    /// # Errors
    /// [`AppendError`]. Nothing was written, unless the error is [`AppendError::Storage`].
    pub fn append(
        &mut self,
        append: Append,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Appended, AppendError> {
        append.check_count()?;
        let mut draft = Draft::default();
        if let Some(head) = self.log.remembered(&append.stream) {
            // Only stored data may refuse an append. A remembered head may be out of date.
            if let Ok(commit) = append.plan(&head, now, || draft.encode(&append, fresh_id)) {
                if let Some(position) = self.log.insert_after(&append.stream, &head, &commit)? {
                    return Ok(append.answer(&commit, draft.fresh, Some(position)));
                }
                draft.events = Some(commit.events);
            }
        }
        let written = self.write(vec![(append, draft)], now, fresh_id);
        match written.map(|mut appended| appended.pop()) {
            Ok(Some(appended)) => Ok(appended),
            Ok(None) => Err(AppendError::NoEvents),
            Err(Refused(_, error)) => Err(error),
        }
    }

    /// Appends to several streams, to each of them or to none. Each stream may occur once.
    ///
    /// ```
    /// use sillok::store::{Append, EventId, EventStore, JsonText, MemoryLog, NewEvent, RecordedTime, StreamId};
    ///
    /// let mut store = EventStore::new(MemoryLog::new());
    /// let to = |name| Ok::<_, Box<dyn std::error::Error>>(Append::to(
    ///     StreamId::new(name)?,
    ///     vec![NewEvent::new("Opened", JsonText::null())?],
    /// ));
    /// let appends = vec![to("account-1")?, to("account-2")?];
    /// let appended = store.append_all(appends, RecordedTime::default(), &mut EventId::default)?;
    /// assert_eq!(appended.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AppendAllError`] names the append that was refused. Nothing was written. If the storage failed, a database has either
    /// all of the appends or none: repeat the call with the same keys.
    pub fn append_all(
        &mut self,
        appends: Vec<Append>,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Vec<Appended>, AppendAllError> {
        let count = appends.len();
        if count == 0 || count > APPENDS {
            return Err(AppendAllError::Count { count });
        }
        for (place, append) in appends.iter().enumerate() {
            append.check_count().map_err(|error| AppendAllError::Refused { place, error })?;
            if appends.iter().take(place).any(|earlier| earlier.stream == append.stream) {
                return Err(AppendAllError::SameStream { place });
            }
        }
        let mut drafts = Vec::with_capacity(count);
        for append in appends {
            drafts.push((append, Draft::default()));
        }
        self.write(drafts, now, fresh_id)
            .map_err(|Refused(place, error)| AppendAllError::Refused { place, error })
    }

    /// Decides on the appends and carries them out, without other writers. All are decided before the first is written,
    /// because a log in memory cannot take back a write.
    fn write(
        &mut self,
        drafts: Vec<(Append, Draft)>,
        now: RecordedTime,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Vec<Appended>, Refused> {
        self.log.exclusively(|log| {
            let mut planned = Vec::with_capacity(drafts.len());
            for (append, draft) in drafts {
                let plan = plan(log, append, now, draft, fresh_id);
                planned.push(plan.map_err(|error| Refused(planned.len(), error))?);
            }
            let mut written = Vec::with_capacity(planned.len());
            for plan in planned {
                let appended = plan.write(log).map_err(|error| Refused(written.len(), error))?;
                written.push(appended);
            }
            Ok(written)
        })
    }

    /// Whether an append with this condition and key would write events now. If not, it is a repeat, or it is refused.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn would_write(
        &self,
        stream: &StreamId,
        expected: ExpectedVersion,
        key: Option<&IdempotencyKey>,
    ) -> Result<bool, StorageError> {
        if self.log.head(stream)?.accepts(stream, expected).is_err() {
            return Ok(false);
        }
        let Some(key) = key else { return Ok(true) };
        let mut is_new = true;
        self.log.find(stream, key, &mut |_| {
            is_new = false;
            ControlFlow::Break(())
        })?;
        Ok(is_new)
    }

    /// The head of the stream.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.log.head(stream)
    }
}

/// The index of a refused append, and the reason.
struct Refused(usize, AppendError);

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self(0, error.into())
    }
}

/// The events of an append as they are stored, and the ids that they got from the store.
#[derive(Default)]
struct Draft {
    events: Option<Box<str>>,
    fresh: Vec<EventId>,
}

impl Draft {
    /// The events as they are stored. They get their ids once, also if they are planned twice.
    fn encode(
        &mut self,
        append: &Append,
        fresh_id: &mut dyn FnMut() -> EventId,
    ) -> Result<Box<str>, AppendError> {
        if let Some(events) = self.events.take() {
            return Ok(events);
        }
        let fresh = &mut self.fresh;
        fresh.clear();
        append.encode(&mut || {
            let id = fresh_id();
            fresh.push(id.clone());
            id
        })
    }
}

/// A decided append.
enum Plan {
    /// An earlier append under the same key has written the events.
    Replayed(Appended),
    /// The events are to be written.
    New(Append, Commit, Vec<EventId>),
}

impl Plan {
    /// Writes the events, if they are new.
    fn write<L: StreamLog>(self, log: &mut L) -> Result<Appended, AppendError> {
        match self {
            Self::Replayed(appended) => Ok(appended),
            Self::New(append, commit, fresh) => {
                let mut appended = append.answer(&commit, fresh, None);
                appended.position = log.insert(&append.stream, commit)?;
                Ok(appended)
            }
        }
    }
}

/// Decides on an append, in a log without other writers at this time.
fn plan<L: StreamLog>(
    log: &L,
    append: Append,
    now: RecordedTime,
    mut draft: Draft,
    fresh_id: &mut dyn FnMut() -> EventId,
) -> Result<Plan, AppendError> {
    if let Some(appended) = replay(log, &append)? {
        return Ok(Plan::Replayed(appended));
    }
    let commit = append.plan(&log.head(&append.stream)?, now, || draft.encode(&append, fresh_id))?;
    Ok(Plan::New(append, commit, draft.fresh))
}

/// The first answer to an append under this key, if there was one.
fn replay<L: StreamLog>(log: &L, append: &Append) -> Result<Option<Appended>, AppendError> {
    let Some(key) = &append.key else {
        return Ok(None);
    };
    let mut replayed = Ok(None);
    log.find(&append.stream, key, &mut |commit| {
        replayed = recall(append, &commit).map(Some);
        ControlFlow::Break(())
    })?;
    replayed
}

/// The answer of the append that made this commit. The append must be a reaction, or must have the same events.
fn recall(append: &Append, commit: &CommitView<'_>) -> Result<Appended, AppendError> {
    let stored = content::decode(commit)?;
    let stream = append.stream.clone();
    if append.cause.is_none() && !stored.are(&append.events) {
        return Err(AppendError::IdempotencyKeyReused { stream });
    }
    let mut ids = Vec::with_capacity(stored.events.len());
    commit.visit_events(&mut |event| ids.push(EventId::new(event.id).unwrap_or_default()))?;
    Ok(Appended {
        stream,
        first_version: stored.first_version,
        version: commit.version,
        time: commit.time,
        hash: commit.hash,
        ids,
        position: commit.position,
        replayed: true,
    })
}
