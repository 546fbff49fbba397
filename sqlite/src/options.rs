//! How a file is opened.

use std::fmt::{Debug, Formatter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use sillok::ErrorCode;
use sillok::store::{RecordedTime, StorageError};

use crate::driver::{FileSql, failure};
use crate::engine::Engine;
use crate::error::SqliteError;
use crate::place::Place;
use crate::sqlite::Sqlite;

/// The wait for a lock of another connection, unless the options say otherwise. It is that of the npm package.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before a file that is locked is opened again.
const PAUSE: Duration = Duration::from_millis(10);

/// The clock of a store.
pub(crate) type Clock = Arc<dyn Fn() -> RecordedTime + Send + Sync>;

/// The options of a store. [`Sqlite::open`] and [`Sqlite::in_memory`] use the defaults.
///
/// ```
/// use std::time::Duration;
/// use sillok_sqlite::Options;
///
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(folder.path())?;
/// let bank = Options::default().busy_timeout(Duration::from_secs(30)).open("bank.db")?;
/// # drop(bank);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Options {
    busy_timeout: Duration,
    is_read_only: bool,
    clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_timeout: BUSY_TIMEOUT, is_read_only: false, clock: Arc::new(now) }
    }
}

impl Debug for Options {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let mut options = formatter.debug_struct("Options");
        options.field("busy_timeout", &self.busy_timeout).field("is_read_only", &self.is_read_only);
        options.finish_non_exhaustive()
    }
}

impl Options {
    /// Sets how long a call waits while another connection has the file locked. The default is 5 seconds. After that the call
    /// fails with `storage_busy`, and has changed nothing.
    #[must_use]
    pub fn busy_timeout(self, busy_timeout: Duration) -> Self {
        Self { busy_timeout, ..self }
    }

    /// Opens an existing file for reading only. Every write fails with `storage_read_only`.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { is_read_only: true, ..self }
    }

    /// Sets the clock of the store. The default is the clock of the system. A test sets it to see a timer ring without a wait.
    ///
    /// ```
    /// use sillok::store::{ExpectedVersion, JsonText, NewEvent, RecordedTime, StreamId};
    /// use sillok_sqlite::Options;
    ///
    /// let store = Options::default().clock(|| RecordedTime::from_millis(1_000)).in_memory()?;
    /// let opened = NewEvent::new("Opened", JsonText::null())?;
    /// let append = sillok::store::Append::to(StreamId::new("account-42")?, vec![opened]);
    /// assert_eq!(store.send_append(append)?.time, RecordedTime::from_millis(1_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> RecordedTime + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Opens a file, or creates it.
    ///
    /// # Errors
    /// [`SqliteError::Open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, SqliteError> {
        let path = path.as_ref().to_owned();
        Sqlite::start(move || {
            let opened = self.open_patiently(&path);
            let (connection, place) = opened.map_err(|error| SqliteError::Open { path, error })?;
            Ok(Engine::new(FileSql::new(connection, self.is_read_only), Some(place), self.clock))
        })
    }

    /// Opens a store in memory. It ends with the last clone of the [`Sqlite`].
    ///
    /// # Errors
    /// [`SqliteError::Storage`] if SQLite cannot open a database in memory.
    pub fn in_memory(self) -> Result<Sqlite, SqliteError> {
        Sqlite::start(move || {
            let connection = Connection::open_in_memory().map_err(|error| failure(&error))?;
            Ok(Engine::new(FileSql::new(connection, self.is_read_only), None, self.clock))
        })
    }

    /// Opens the file, and waits while another connection has it locked. SQLite itself does not wait for a change of its mode.
    fn open_patiently(&self, path: &Path) -> Result<(Connection, Place), StorageError> {
        let began = Instant::now();
        loop {
            match self.open_once(path) {
                Err(error)
                    if error.code() == ErrorCode::StorageBusy && began.elapsed() < self.busy_timeout =>
                {
                    sleep(PAUSE);
                }
                opened => return opened,
            }
        }
    }

    fn open_once(&self, path: &Path) -> Result<(Connection, Place), StorageError> {
        let access = if self.is_read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        // Without URI: a path is only a path.
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| connection.busy_timeout(self.busy_timeout).map(|()| connection))
            .map_err(|error| failure(&error))?;
        if !self.is_read_only {
            make_durable(&connection)?;
        }
        // SQLite opens the file, and the files that belong to it, only when it reads.
        let look = "SELECT count(*) FROM sqlite_master";
        connection.query_row(look, [], |_| Ok(())).map_err(|error| failure(&error))?;
        let path = connection.path().filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = path.ok_or_else(|| StorageError::failed("the path must be the name of a file"))?;
        Ok((connection, Place::of(&path)))
    }
}

/// Sets the database so that a commit returns only when it is on disk.
fn make_durable(connection: &Connection) -> Result<(), StorageError> {
    let set = |pragma: &str, value: &str| {
        connection
            .pragma_update_and_check(None, pragma, value, |row| row.get::<_, String>(0))
            .map_err(|error| failure(&error))
    };
    let mode = set("journal_mode", "WAL")?;
    if mode != "wal" {
        return Err(StorageError::failed(format!("its journal mode must be `wal`, and it is `{mode}`")));
    }
    // For macOS, where an ordinary sync leaves the bytes in the cache of the drive.
    for (pragma, value) in [("synchronous", "FULL"), ("fullfsync", "ON")] {
        connection.pragma_update(None, pragma, value).map_err(|error| failure(&error))?;
    }
    Ok(())
}

/// The time by the clock of the system.
fn now() -> RecordedTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    RecordedTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
