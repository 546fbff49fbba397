//! The state, documents and dead letters of consumers in memory.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::state::{Round, State};
use super::storage::{ConsumerStore, NextLetter};
use crate::handler::consumer::dead_letters::{DeadLetter, LetterError, Reason};
use crate::handler::consumer::policy::Kind;
use crate::sorted::Sorted;
use crate::store::limits::{LETTERS_LOOKED_AT, PAGE_LOOKED_AT, REMOVED_ROWS};
use crate::store::{RecordedTime, StorageError, StreamId};

/// The memory of the consumers of one store. Clones share the memory.
#[derive(Debug, Clone, Default)]
pub struct ConsumerMemory(Rc<RefCell<Rows>>);

/// The part of the memory that belongs to one consumer.
#[derive(Debug)]
pub(in crate::handler) struct Memory {
    rows: ConsumerMemory,
    consumer: Box<str>,
}

/// All rows in one map. A map for each kind of row would multiply the code. The parts of a key are separated by a
/// character that no name contains.
#[derive(Debug, Default)]
struct Rows {
    rows: Sorted<String, Row>,
    /// The rows before the transaction under way, if there is one.
    before: Option<Vec<(String, Option<Row>)>>,
}

#[derive(Debug)]
enum Row {
    State(State),
    Document(Rc<str>),
    Letter(DeadLetter),
    /// The id of a letter of the stream in the key.
    OfStream(u64),
}

impl ConsumerMemory {
    /// The number of documents and dead letters, including those of old generations that are not removed yet.
    #[must_use]
    pub fn rows(&self) -> usize {
        let rows = self.0.borrow();
        rows.rows.iter().filter(|(_, row)| matches!(row, Row::Document(_) | Row::Letter(_))).count()
    }
}

impl Rows {
    /// Sets or removes a row. Returns the old row.
    fn swap(&mut self, key: &str, row: Option<Row>) -> Option<Row> {
        match row {
            Some(row) => self.rows.insert(key.to_owned(), row),
            None => self.rows.remove(key),
        }
    }

    /// The rows that begin with `prefix`, from this key on.
    fn from<'a>(&'a self, key: String, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let rows = self.rows.from(&key).map(|(key, row)| (key.as_str(), row));
        rows.take_while(move |(key, _)| key.starts_with(prefix))
    }
}

impl Memory {
    pub(in crate::handler) fn new(memory: &ConsumerMemory, consumer: &str) -> Self {
        Self { rows: memory.clone(), consumer: consumer.into() }
    }

    fn state_key(&self) -> String {
        format!("{}\0state", self.consumer)
    }

    fn generation_key(&self, generation: u64) -> String {
        format!("{}\0{generation:016x}\0", self.consumer)
    }

    fn document_key(&self, generation: u64, key: &str) -> String {
        format!("{}d{key}", self.generation_key(generation))
    }

    fn letters_key(&self, generation: u64) -> String {
        format!("{}l", self.generation_key(generation))
    }

    fn letter_key(&self, generation: u64, id: u64) -> String {
        format!("{}l{id:016x}", self.generation_key(generation))
    }

    fn stream_key(&self, generation: u64, stream: &StreamId) -> String {
        format!("{}s{stream}\0", self.generation_key(generation))
    }

    fn write(&self, key: &str, row: Option<Row>) {
        let rows = &mut *self.rows.0.borrow_mut();
        let was = rows.swap(key, row);
        if let Some(before) = &mut rows.before {
            before.push((key.to_owned(), was));
        }
    }

    fn letter(&self, generation: u64, id: u64) -> Option<DeadLetter> {
        match self.rows.0.borrow().rows.get(&self.letter_key(generation, id)) {
            Some(Row::Letter(letter)) => Some(letter.clone()),
            _ => None,
        }
    }

    /// The first dead letter of a stream.
    fn first_of(&self, generation: u64, stream: &StreamId) -> Option<u64> {
        let prefix = self.stream_key(generation, stream);
        match self.rows.0.borrow().from(prefix.clone(), &prefix).next() {
            Some((_, Row::OfStream(id))) => Some(*id),
            _ => None,
        }
    }
}

impl ConsumerStore for Memory {
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.rows.0.borrow_mut().before = Some(Vec::new());
        let outcome = work();
        let mut rows = self.rows.0.borrow_mut();
        let before = rows.before.take().unwrap_or_default();
        if outcome.is_err() {
            for (key, row) in before.into_iter().rev() {
                rows.swap(&key, row);
            }
        }
        outcome
    }

    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        work() // nobody else writes meanwhile
    }

    fn revision(&self) -> Result<u64, StorageError> {
        match self.rows.0.borrow().rows.get(&self.state_key()) {
            Some(Row::State(state)) => Ok(state.revision),
            _ => Ok(0),
        }
    }

    fn load(&self) -> Result<Option<State>, StorageError> {
        match self.rows.0.borrow().rows.get(&self.state_key()) {
            Some(Row::State(state)) => Ok(Some(state.clone())),
            _ => Ok(None),
        }
    }

    fn save(&self, state: &State) -> Result<(), StorageError> {
        self.write(&self.state_key(), Some(Row::State(state.clone())));
        Ok(())
    }

    fn save_kind(&self, _: Kind) -> Result<(), StorageError> {
        Ok(()) // the state has it
    }

    fn save_version(&self, _: u32) -> Result<(), StorageError> {
        Ok(()) // the state has it
    }

    fn document(&self, generation: u64, key: &str) -> Result<Option<String>, StorageError> {
        match self.rows.0.borrow().rows.get(&self.document_key(generation, key)) {
            Some(Row::Document(document)) => Ok(Some(document.as_ref().to_owned())),
            _ => Ok(None),
        }
    }

    fn documents(
        &self,
        generation: u64,
        prefix: &str,
        after: &str,
        visit: &mut dyn FnMut(&str, &str) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let all = self.document_key(generation, "");
        let from = self.document_key(generation, prefix.max(after));
        let wanted = self.document_key(generation, prefix);
        for (key, row) in self.rows.0.borrow().from(from, &wanted) {
            let key = key.get(all.len()..).unwrap_or_default();
            if let Row::Document(document) = row
                && key > after
                && visit(key, document).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn put(&self, generation: u64, key: &str, document: Option<&str>) -> Result<(), StorageError> {
        let row = document.map(|document| Row::Document(document.into()));
        self.write(&self.document_key(generation, key), row);
        Ok(())
    }

    fn tidy(&self, state: &State) -> Result<bool, StorageError> {
        let live = state.live.generation;
        let rebuild = state.rebuild.as_ref().map_or(live, |track| track.generation);
        let mut left = Vec::new();
        for (from, to) in [(0, live), (live + 1, rebuild)] {
            if from < to {
                let rows = &self.rows.0.borrow().rows;
                let to = self.generation_key(to);
                let range = rows.from(&self.generation_key(from)).take_while(|(key, _)| **key < to);
                left.extend(range.take(REMOVED_ROWS - left.len()).map(|(key, _)| key.clone()));
            }
        }
        for key in &left {
            self.write(key, None);
        }
        Ok(!left.is_empty())
    }

    fn put_letter(&self, generation: u64, letter: &DeadLetter) -> Result<(), StorageError> {
        let of_stream =
            format!("{}{:016x}", self.stream_key(generation, &letter.event.stream), letter.id.get());
        self.write(&of_stream, Some(Row::OfStream(letter.id.get())));
        self.write(&self.letter_key(generation, letter.id.get()), Some(Row::Letter(letter.clone())));
        Ok(())
    }

    fn letter_failed(
        &self,
        (generation, id): (u64, u64),
        error: &LetterError,
        attempts: u32,
        time: RecordedTime,
    ) -> Result<(), StorageError> {
        if let Some(letter) = self.letter(generation, id) {
            let (error, attempts) = (error.clone(), letter.attempts + u64::from(attempts));
            let letter = DeadLetter { reason: Reason::Failed, error, attempts, time, ..letter };
            self.write(&self.letter_key(generation, id), Some(Row::Letter(letter)));
        }
        Ok(())
    }

    fn remove_letters(&self, generation: u64, from: u64, to: u64) -> Result<(), StorageError> {
        let mut removed = Vec::new();
        self.scan_letters(generation, from.saturating_sub(1), &mut |letter| {
            if letter.id.get() > to || removed.len() == REMOVED_ROWS {
                return ControlFlow::Break(());
            }
            removed.push((letter.id.get(), letter.event.stream));
            ControlFlow::Continue(())
        })?;
        for (id, stream) in removed {
            self.write(&format!("{}{id:016x}", self.stream_key(generation, &stream)), None);
            self.write(&self.letter_key(generation, id), None);
        }
        Ok(())
    }

    fn holds(&self, generation: u64, stream: &StreamId) -> Result<bool, StorageError> {
        Ok(self.first_of(generation, stream).is_some())
    }

    fn count_letters(&self, generation: u64) -> Result<u64, StorageError> {
        let prefix = self.letters_key(generation);
        let count = self.rows.0.borrow().from(prefix.clone(), &prefix).take(PAGE_LOOKED_AT).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn next_letter(
        &self,
        generation: u64,
        round: &Round,
        in_order: bool,
    ) -> Result<NextLetter, StorageError> {
        let (mut next, mut left) = (NextLetter::None, LETTERS_LOOKED_AT);
        self.scan_letters(generation, round.after, &mut |letter| {
            left -= 1;
            let wanted = letter.id.get() <= round.to || letter.reason == Reason::Held;
            if wanted
                && (!in_order || self.first_of(generation, &letter.event.stream) == Some(letter.id.get()))
            {
                next = NextLetter::Found(letter);
                return ControlFlow::Break(());
            }
            if left == 0 {
                next = NextLetter::Behind(letter.id.get());
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(next)
    }

    fn scan_letters(
        &self,
        generation: u64,
        after: u64,
        visit: &mut dyn FnMut(DeadLetter) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let prefix = self.letters_key(generation);
        for (_, row) in self.rows.0.borrow().from(self.letter_key(generation, after), &prefix) {
            if let Row::Letter(letter) = row
                && letter.id.get() > after
                && visit(letter.clone()).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}
