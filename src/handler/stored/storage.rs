//! What consumers need of whatever keeps their state, documents and dead letters.

use std::fmt;
use std::ops::ControlFlow;

use super::state::{Round, State};
use super::tables::Tables;
use crate::handler::consumer::dead_letters::DeadLetter;
use crate::handler::consumer::policy::Kind;
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError, StreamId};

/// What one consumer keeps. Whoever keeps it decides nothing.
pub(in crate::handler) trait Kept {
    /// Runs `work` so that all it writes is written as one, or nothing where it fails.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>;

    /// Runs `work` so that all it reads is of one moment.
    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>;

    /// How often the state was saved.
    fn revision(&self) -> Result<u64, StorageError>;

    fn load(&self) -> Result<Option<State>, StorageError>;

    fn save(&self, state: &State) -> Result<(), StorageError>;

    /// Writes down, once, of which kind the consumer is.
    fn save_kind(&self, kind: Kind) -> Result<(), StorageError>;

    fn document(&self, generation: u64, key: &str) -> Result<Option<String>, StorageError>;

    /// Calls `visit` with the documents whose keys begin with `prefix` and are greater than `after`, in the order of keys.
    fn documents(
        &self,
        generation: u64,
        prefix: &str,
        after: &str,
        visit: &mut dyn FnMut(&str, &str) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;

    /// Keeps a document, or removes it where there is none.
    fn put(&self, generation: u64, key: &str, document: Option<&str>) -> Result<(), StorageError>;

    /// Removes some of what older generations left; `false` where nothing is left.
    fn tidy(&self, state: &State) -> Result<bool, StorageError>;

    fn put_letter(&self, generation: u64, letter: &DeadLetter) -> Result<(), StorageError>;

    /// Writes down one more series of attempts that failed.
    fn letter_failed(
        &self,
        place: (u64, u64),
        error: &str,
        attempts: u32,
        time: RecordedTime,
    ) -> Result<(), StorageError>;

    /// Removes the letters of these ids, the first and the last included, or the first
    /// [`REMOVED_ROWS`](crate::store::limits::REMOVED_ROWS) of them.
    fn remove_letters(&self, generation: u64, from: u64, to: u64) -> Result<(), StorageError>;

    /// Whether an event of the stream lies among the dead letters.
    fn holds(&self, generation: u64, stream: &StreamId) -> Result<bool, StorageError>;

    /// How many letters there are, counted up to [`PAGE_LOOKED_AT`](crate::store::limits::PAGE_LOOKED_AT).
    fn count_letters(&self, generation: u64) -> Result<u64, StorageError>;

    /// The letter whose turn it is in a round, in which streams may be kept in order: it is looked for among the next
    /// [`LETTERS_LOOKED_AT`](crate::store::limits::LETTERS_LOOKED_AT).
    fn next_letter(&self, generation: u64, round: &Round, in_order: bool)
    -> Result<NextLetter, StorageError>;

    /// Calls `visit` with the letters whose ids are greater than `after`, in the order of ids.
    fn scan_letters(
        &self,
        generation: u64,
        after: u64,
        visit: &mut dyn FnMut(DeadLetter) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;
}

/// What was found where the next letter of a round was looked for.
#[derive(Debug)]
pub(in crate::handler) enum NextLetter {
    /// It is this one.
    Found(DeadLetter),
    /// It is none of those up to this id; there may be one behind.
    Behind(u64),
    /// The round has come to its end.
    None,
}

impl fmt::Debug for dyn Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kept")
    }
}

/// Where a consumer keeps it: in tables or in memory. Everything above is the same for both.
#[derive(Debug)]
pub(in crate::handler) enum Storage<S> {
    Tables(Tables<S>),
    /// Boxed, so that a program that keeps all in tables does not carry the code of memory.
    Memory(Box<dyn Kept>),
}

impl<S: Sql> Storage<S> {
    pub(in crate::handler) fn kept(&self) -> &dyn Kept {
        match self {
            Self::Tables(tables) => tables,
            Self::Memory(memory) => &**memory,
        }
    }
}
