//! The port to the storage of a consumer's state, documents and dead letters.

use std::fmt;
use std::ops::ControlFlow;

use super::state::{Round, State};
use super::tables::Tables;
use crate::handler::consumer::dead_letters::{DeadLetter, LetterError};
use crate::handler::consumer::policy::Kind;
use crate::store::sqlite::Sql;
use crate::store::{RecordedTime, StorageError, StreamId};

/// The storage of one consumer. An implementation decides nothing.
pub(in crate::handler) trait ConsumerStore {
    /// Runs `work` and writes everything that it writes, or nothing if it fails.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>;

    /// Runs `work` so that all its reads see the storage at one moment.
    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>;

    /// The number of times that the state was saved.
    fn revision(&self) -> Result<u64, StorageError>;

    fn load(&self) -> Result<Option<State>, StorageError>;

    fn save(&self, state: &State) -> Result<(), StorageError>;

    /// Stores the kind of the consumer, once.
    fn save_kind(&self, kind: Kind) -> Result<(), StorageError>;

    /// Stores the version of the code that makes the documents, in place of an earlier one.
    fn save_version(&self, version: u32) -> Result<(), StorageError>;

    fn document(&self, generation: u64, key: &str) -> Result<Option<String>, StorageError>;

    /// Calls `visit` with the documents whose keys begin with `prefix` and are greater than `after`, in the order of
    /// the keys.
    fn documents(
        &self,
        generation: u64,
        prefix: &str,
        after: &str,
        visit: &mut dyn FnMut(&str, &str) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;

    /// Stores a document. Deletes it if `document` is `None`.
    fn put(&self, generation: u64, key: &str, document: Option<&str>) -> Result<(), StorageError>;

    /// Removes some rows of older generations. Returns `false` if no row is left.
    fn tidy(&self, state: &State) -> Result<bool, StorageError>;

    fn put_letter(&self, generation: u64, letter: &DeadLetter) -> Result<(), StorageError>;

    /// Adds the failed attempts of another series to a dead letter.
    fn letter_failed(
        &self,
        place: (u64, u64),
        error: &LetterError,
        attempts: u32,
        time: RecordedTime,
    ) -> Result<(), StorageError>;

    /// Removes the letters with these ids, including the first and the last, but at most
    /// [`REMOVED_ROWS`](crate::store::limits::REMOVED_ROWS) of them.
    fn remove_letters(&self, generation: u64, from: u64, to: u64) -> Result<(), StorageError>;

    /// Whether an event of the stream is a dead letter.
    fn holds(&self, generation: u64, stream: &StreamId) -> Result<bool, StorageError>;

    /// The number of dead letters, counted up to [`PAGE_LOOKED_AT`](crate::store::limits::PAGE_LOOKED_AT).
    fn count_letters(&self, generation: u64) -> Result<u64, StorageError>;

    /// Looks for the next letter of a round, among the next
    /// [`LETTERS_LOOKED_AT`](crate::store::limits::LETTERS_LOOKED_AT) letters. `in_order` says that the letters of each
    /// stream must succeed in their order.
    fn next_letter(&self, generation: u64, round: &Round, in_order: bool)
    -> Result<NextLetter, StorageError>;

    /// Calls `visit` with the letters whose ids are greater than `after`, in the order of the ids.
    fn scan_letters(
        &self,
        generation: u64,
        after: u64,
        visit: &mut dyn FnMut(DeadLetter) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;
}

/// The result of the search for the next letter of a round.
#[derive(Debug)]
pub(in crate::handler) enum NextLetter {
    /// The next letter.
    Found(DeadLetter),
    /// No letter up to this id is the next one. There may be one after it.
    Behind(u64),
    /// The round has ended.
    None,
}

impl fmt::Debug for dyn ConsumerStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ConsumerStore")
    }
}

/// The storage of a consumer: tables or memory. All other code is the same for both.
#[derive(Debug)]
pub(in crate::handler) enum Storage<S> {
    Tables(Tables<S>),
    /// It is boxed, so that a program that uses only tables does not contain the code of the memory.
    Memory(Box<dyn ConsumerStore>),
}

impl<S: Sql> Storage<S> {
    pub(in crate::handler) fn store(&self) -> &dyn ConsumerStore {
        match self {
            Self::Tables(tables) => tables,
            Self::Memory(memory) => &**memory,
        }
    }
}
