//! The store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sillok::gateway::StateAt;
use sillok::handler::{Command, Decider, Event, EventPage, Executed, Fault, Loaded, Process, Recorded};
use sillok::store::{
    Append, Appended, DirectoryPage, DirectoryRange, ExpectedVersion, FeedRange, Head, NewEvent, Page,
    Position, ReadRange, StreamId, StreamLog, Truncated, Verification, Version,
};

use crate::aggregates::Code;
use crate::changes::Changes;
use crate::consumers::Definition;
use crate::engine::Engine;
use crate::error::{ExecuteError, SqliteError};
use crate::feed::Feed;
use crate::options::Options;
use crate::outcome::typed;
use crate::reactors::Reactors;
use crate::thread::EngineThread;

/// An event store in a SQLite file, or in memory. The [crate's page](crate) has an example.
///
/// Clones share one connection, which lives in a thread of its own. A clone may be sent to other threads and used by all of them
/// at once. Each call waits for its answer. In an asynchronous program, call the store in a thread that may block, for example by
/// `spawn_blocking`. The file is closed when the last clone is dropped.
///
/// Several processes may use one file at the same time, and programs of Node with the npm package `sillok` too.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) thread: EngineThread,
    pub(crate) reactors: Reactors,
    pub(crate) changes: Changes,
}

impl Sqlite {
    /// Opens a file, or creates it. A commit returns when it is on disk. [`Options`] have the further settings.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(folder.path())?;
    /// use sillok_sqlite::Sqlite;
    ///
    /// let bank = Sqlite::open("bank.db")?;
    /// assert_eq!(bank.end()?.get(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SqliteError::Open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Options::default().open(path)
    }

    /// Opens a store in memory. It ends with its last clone.
    ///
    /// # Errors
    /// [`SqliteError::Storage`] if SQLite cannot open a database in memory.
    pub fn in_memory() -> Result<Self, SqliteError> {
        Options::default().in_memory()
    }

    pub(crate) fn start(
        open: impl FnOnce() -> Result<Engine, SqliteError> + Send + 'static,
    ) -> Result<Self, SqliteError> {
        let thread = EngineThread::start(open)?;
        let (reactors, changes) = (Reactors::default(), Changes::default());
        Ok(Self { shared: Arc::new(Shared { thread, reactors, changes }) })
    }

    /// Reads within the thread of the engine.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        self.shared.thread.call(job)
    }

    /// Writes within the thread of the engine, and wakes the threads that wait for events.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let written = self.call(job);
        self.shared.changes.note();
        written
    }

    /// Registers an aggregate. From then on, the store decides the commands to the streams of its
    /// [category](Decider::CATEGORY), and its timers.
    ///
    /// # Errors
    /// [`SqliteError::Registered`] if the category has an aggregate; [`SqliteError::InvalidCategory`].
    pub fn aggregate<D: Decider>(&self) -> Result<(), SqliteError> {
        self.call(|engine| engine.aggregates.register(Code::of::<D>()))
    }

    /// Registers a process. Each stream of its [category](Decider::CATEGORY) is an instance. If the process takes events of other
    /// streams, it is also a consumer with the name of its category.
    ///
    /// # Errors
    /// [`SqliteError::Registered`] if the category or the name is in use; [`SqliteError::Consumer`].
    pub fn process<P: Process>(&self) -> Result<(), SqliteError> {
        self.call(|engine| {
            engine.aggregates.register(Code::of_process::<P>())?;
            if P::SOURCE_TYPES.is_empty() {
                return Ok(());
            }
            engine.register(P::CATEGORY, &Definition::process::<P>()).map(drop)
        })
    }

    /// Appends events to a stream, all or none, with the newest schema version of their types. For a key, metadata or ids use
    /// [`send_append`](Self::send_append).
    ///
    /// If the category of the stream has an aggregate, nothing decides the events. Prefer [`execute`](Self::execute).
    ///
    /// # Errors
    /// [`SqliteError::Append`], such as `wrong_expected_version`; [`SqliteError::Code`] if an event has no form in JSON;
    /// [`SqliteError::InvalidStreamId`]; [`SqliteError::Storage`].
    pub fn append<E: Event>(
        &self,
        stream: &str,
        events: &[E],
        expected: ExpectedVersion,
    ) -> Result<Appended, SqliteError> {
        self.send_append(Append::to(StreamId::new(stream)?, new_events(events)?).expecting(expected))
    }

    /// Sends an append, with everything that an [`Append`] can have.
    ///
    /// ```
    /// use sillok::store::{Append, IdempotencyKey, JsonText, NewEvent, StreamId};
    /// use sillok_sqlite::Sqlite;
    ///
    /// let notes = Sqlite::in_memory()?;
    /// let noted = NewEvent::new("Noted", JsonText::parse(r#"{"text":"hello"}"#)?)?;
    /// let append = Append::to(StreamId::new("notes")?, vec![noted]).keyed(IdempotencyKey::new("n-1")?);
    /// assert!(!notes.send_append(append.clone())?.replayed);
    /// assert!(notes.send_append(append)?.replayed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SqliteError::Append`].
    pub fn send_append(&self, append: Append) -> Result<Appended, SqliteError> {
        self.write(|engine| engine.append(append))
    }

    /// Reads one page of a stream. Each event is converted to its newest schema version. Read on with the `next` of the page.
    ///
    /// # Errors
    /// [`SqliteError::Read`]; [`SqliteError::Code`] with `unknown_event` if the enum has no variant for an event, with
    /// `event_too_new`, or with `decider_failed` if an event does not have the shape of its variant.
    pub fn read<E: Event>(&self, stream: &str, range: &ReadRange) -> Result<EventPage<E>, SqliteError> {
        let Page { version, first_version, events, next } = self.read_page(stream, range)?;
        let events = events.iter().map(|event| Recorded::read(&event.view(), &event.stream));
        Ok(EventPage { version, first_version, events: events.collect::<Result<_, _>>()?, next })
    }

    /// Reads one page of a stream, with the events as JSON.
    ///
    /// # Errors
    /// [`SqliteError::Read`]; [`SqliteError::InvalidStreamId`].
    pub fn read_page(&self, stream: &str, range: &ReadRange) -> Result<Page, SqliteError> {
        let (stream, range) = (StreamId::new(stream)?, range.clone());
        self.call(move |engine| {
            let log = engine.store.log().clone();
            log.reading(|_| Ok(engine.store.read(&stream, &range)?))
        })
    }

    /// The end of a stream: its version, and the first version that readers can see.
    ///
    /// # Errors
    /// [`SqliteError::Storage`]; [`SqliteError::InvalidStreamId`].
    pub fn head(&self, stream: &str) -> Result<Head, SqliteError> {
        let stream = StreamId::new(stream)?;
        self.call(move |engine| Ok(engine.store.head(&stream)?))
    }

    /// Reads one page of the events of all streams, in the order in which they were stored. Read on after the `after` of the page.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sillok::store::{Append, FeedRange, JsonText, NewEvent, Position, StreamId};
    /// use sillok_sqlite::Sqlite;
    ///
    /// let store = Sqlite::in_memory()?;
    /// let opened = NewEvent::new("Opened", JsonText::null())?;
    /// store.send_append(Append::to(StreamId::new("account-42")?, vec![opened]))?;
    ///
    /// let mut after = Position::START;
    /// // A program that follows the events does this for ever.
    /// while store.wait(after, Duration::from_millis(10))? {
    ///     let feed = store.read_all(&FeedRange::after(after))?;
    ///     assert_eq!(feed.events[0].stream.as_str(), "account-42");
    ///     after = feed.after;
    /// }
    /// assert_eq!(after, store.end()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SqliteError::Storage`].
    pub fn read_all(&self, range: &FeedRange) -> Result<Feed, SqliteError> {
        let range = range.clone();
        self.call(move |engine| Ok(engine.feed(&range)?))
    }

    /// The position of the last event that was ever stored.
    ///
    /// # Errors
    /// [`SqliteError::Storage`].
    pub fn end(&self) -> Result<Position, SqliteError> {
        self.call(|engine| Ok(engine.end()?))
    }

    /// Waits until there is an event after this position. Returns `false` if there is none within this time. It sees the events of
    /// this store at once, and those of other processes within a tenth of a second.
    ///
    /// # Errors
    /// [`SqliteError::Storage`].
    pub fn wait(&self, after: Position, time: Duration) -> Result<bool, SqliteError> {
        self.shared.changes.wait(time, || Ok(self.end()? > after))
    }

    /// Reads one page of the directory of streams.
    ///
    /// # Errors
    /// [`SqliteError::Storage`].
    pub fn streams(&self, range: &DirectoryRange) -> Result<DirectoryPage, SqliteError> {
        let range = range.clone();
        self.call(move |engine| {
            let log = engine.store.log().clone();
            log.reading(|_| Ok(engine.store.streams(&range)?))
        })
    }

    /// Verifies that no commit of a stream was altered.
    ///
    /// # Errors
    /// [`SqliteError::Storage`]; [`SqliteError::InvalidStreamId`]. An altered commit is no error: see [`Verification::broken`].
    pub fn verify(&self, stream: &str) -> Result<Verification, SqliteError> {
        let stream = StreamId::new(stream)?;
        self.call(move |engine| {
            let log = engine.store.log().clone();
            log.reading(|_| Ok(engine.store.verify(&stream)?))
        })
    }

    /// Forgets the events of a stream before a version.
    ///
    /// # Errors
    /// [`SqliteError::Truncate`]; [`SqliteError::InvalidStreamId`].
    pub fn truncate(&self, stream: &str, before: Version) -> Result<Truncated, SqliteError> {
        let stream = StreamId::new(stream)?;
        self.write(move |engine| {
            let truncated = engine.store.truncate(&stream, before)?;
            while engine.store.remove_forgotten(&stream)? {}
            Ok(truncated)
        })
    }

    /// Deletes a stream. This cannot be undone.
    ///
    /// # Errors
    /// [`SqliteError::Storage`]; [`SqliteError::InvalidStreamId`].
    pub fn delete(&self, stream: &str) -> Result<(), SqliteError> {
        let stream = StreamId::new(stream)?;
        self.write(move |engine| {
            engine.store.delete(&stream)?;
            while engine.store.remove_forgotten(&stream)? {}
            Ok(())
        })
    }

    /// Executes a command, which the registered aggregate decides. For an id, a condition, metadata or a dry run use
    /// [`send_command`](Self::send_command).
    ///
    /// # Errors
    /// [`ExecuteError::Rejected`] if the rules refuse the command. [`SqliteError::NoAggregate`] if the aggregate is not registered;
    /// [`SqliteError::WrongCategory`]; [`SqliteError::Command`].
    pub fn execute<D: Decider>(
        &self,
        stream: &str,
        command: &D::Command,
    ) -> Result<Executed<D::Event>, ExecuteError<D::Rejection>> {
        self.send_command::<D>(&stream_of::<D>(stream)?, Command::of(command)?)
    }

    /// Sends a command, with everything that a [`Command`] can have.
    ///
    /// # Errors
    /// As of [`execute`](Self::execute).
    pub fn send_command<D: Decider>(
        &self,
        stream: &StreamId,
        command: Command,
    ) -> Result<Executed<D::Event>, ExecuteError<D::Rejection>> {
        let receiver = stream_of::<D>(stream.as_str())?;
        let executed = self.write(move |engine| {
            engine.aggregates.check::<D>()?;
            engine.execute(&receiver, &command)
        })?;
        typed::<D>(&executed)
    }

    /// Loads the state of an aggregate.
    ///
    /// # Errors
    /// [`SqliteError::NoAggregate`] if the aggregate is not registered; [`SqliteError::WrongCategory`]; [`SqliteError::Command`],
    /// such as `state_unavailable`.
    pub fn load<D: Decider>(&self, stream: &str) -> Result<Loaded<D::State>, SqliteError> {
        self.load_state::<D>(stream, None)
    }

    /// Loads the state of an aggregate at a version or a time.
    ///
    /// # Errors
    /// As of [`load`](Self::load).
    pub fn load_at<D: Decider>(&self, stream: &str, at: StateAt) -> Result<Loaded<D::State>, SqliteError> {
        self.load_state::<D>(stream, Some(at))
    }

    fn load_state<D: Decider>(
        &self,
        stream: &str,
        at: Option<StateAt>,
    ) -> Result<Loaded<D::State>, SqliteError> {
        let stream = stream_of::<D>(stream)?;
        let (state, version) = self.call(move |engine| {
            engine.aggregates.check::<D>()?;
            engine.state(&stream, at)
        })?;
        Ok(Loaded::read(&state, version)?)
    }
}

/// Events that can be appended.
pub(crate) fn new_events<E: Event>(events: &[E]) -> Result<Vec<NewEvent>, Fault> {
    events.iter().map(Event::to_new).collect()
}

/// The stream, which must be of the category of the aggregate.
pub(crate) fn stream_of<D: Decider>(stream: &str) -> Result<StreamId, SqliteError> {
    let id = StreamId::new(stream)?;
    if id.category() != D::CATEGORY {
        return Err(SqliteError::WrongCategory { stream: stream.to_owned(), category: D::CATEGORY });
    }
    Ok(id)
}
