//! What consumers keep in memory.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::dead_letters::{DeadLetter, Reason};
use super::state::{Round, State};
use super::storage::Kept;
use crate::store::{RecordedTime, StorageError, StreamId};

/// The memory of the consumers of one store. Clones are the same memory.
#[derive(Debug, Clone, Default)]
pub struct ConsumerMemory(Rc<RefCell<BTreeMap<Box<str>, Memory>>>);

/// The memory, as one consumer sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Rc<RefCell<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    state: Option<State>,
    /// By generation.
    documents: BTreeMap<u64, BTreeMap<Box<str>, Rc<str>>>,
    /// By generation and id.
    letters: BTreeMap<(u64, u64), DeadLetter>,
    /// Generation, stream and id of each letter.
    by_stream: BTreeSet<(u64, StreamId, u64)>,
    /// What rows were before the transaction under way, if one is.
    before: Option<Vec<Before>>,
}

/// What a row was before it was written.
#[derive(Debug)]
enum Before {
    State(Option<State>),
    Document(u64, Box<str>, Option<Rc<str>>),
    Letter(u64, u64, Option<DeadLetter>),
}

impl ConsumerMemory {
    /// How many documents and dead letters there are, those of generations included that are about to be removed.
    #[must_use]
    pub fn rows(&self) -> usize {
        let consumers = self.0.borrow();
        consumers.values().map(|memory| memory.0.borrow().count()).sum()
    }
}

impl Rows {
    fn count(&self) -> usize {
        self.documents.values().map(BTreeMap::len).sum::<usize>() + self.letters.len()
    }

    /// Makes a row what it is to be, and gives what it was.
    fn swap(&mut self, row: Before) -> Before {
        match row {
            Before::State(state) => Before::State(std::mem::replace(&mut self.state, state)),
            Before::Document(generation, key, document) => {
                let documents = self.documents.entry(generation).or_default();
                let was = match document {
                    Some(document) => documents.insert(key.clone(), document),
                    None => documents.remove(&key),
                };
                Before::Document(generation, key, was)
            }
            Before::Letter(generation, id, letter) => {
                let place = |letter: &DeadLetter| (generation, letter.event.stream.clone(), id);
                let was = self.letters.remove(&(generation, id));
                if let Some(was) = &was {
                    self.by_stream.remove(&place(was));
                }
                if let Some(letter) = letter {
                    self.by_stream.insert(place(&letter));
                    self.letters.insert((generation, id), letter);
                }
                Before::Letter(generation, id, was)
            }
        }
    }

    fn write(&mut self, row: Before) {
        let was = self.swap(row);
        if let Some(before) = &mut self.before {
            before.push(was);
        }
    }

    fn letters(&self, generation: u64, after: u64) -> impl Iterator<Item = &DeadLetter> {
        let range = (Excluded((generation, after)), Included((generation, u64::MAX)));
        self.letters.range(range).map(|(_, letter)| letter)
    }

    /// The first letter of a stream.
    fn first_of(&self, generation: u64, stream: &StreamId) -> Option<u64> {
        let (_, first, id) = self.by_stream.range((generation, stream.clone(), 0)..).next()?;
        (first == stream).then_some(*id)
    }
}

impl Memory {
    pub(super) fn new(memory: &ConsumerMemory, consumer: &str) -> Self {
        memory.0.borrow_mut().entry(consumer.into()).or_default().clone()
    }

    fn write(&self, row: Before) {
        self.0.borrow_mut().write(row);
    }
}

impl Kept for Memory {
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.0.borrow_mut().before = Some(Vec::new());
        let outcome = work();
        let mut rows = self.0.borrow_mut();
        let before = rows.before.take().unwrap_or_default();
        if outcome.is_err() {
            for row in before.into_iter().rev() {
                rows.swap(row);
            }
        }
        outcome
    }

    fn revision(&self) -> Result<u64, StorageError> {
        Ok(self.0.borrow().state.as_ref().map_or(0, |state| state.revision))
    }

    fn load(&self) -> Result<Option<State>, StorageError> {
        Ok(self.0.borrow().state.clone())
    }

    fn save(&self, state: &State) -> Result<(), StorageError> {
        self.write(Before::State(Some(state.clone())));
        Ok(())
    }

    fn document(&self, generation: u64, key: &str) -> Result<Option<String>, StorageError> {
        let rows = self.0.borrow();
        let found = rows.documents.get(&generation).and_then(|documents| documents.get(key));
        Ok(found.map(|document| document.as_ref().to_owned()))
    }

    fn documents(
        &self,
        generation: u64,
        prefix: &str,
        after: &str,
        visit: &mut dyn FnMut(&str, &str) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let rows = self.0.borrow();
        let from = if after < prefix { Included(prefix) } else { Excluded(after) };
        let documents = rows.documents.get(&generation).into_iter();
        for (key, document) in documents.flat_map(|documents| documents.range::<str, _>((from, Unbounded))) {
            if !key.starts_with(prefix) || visit(key, document).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn put(&self, generation: u64, key: &str, document: Option<&str>) -> Result<(), StorageError> {
        self.write(Before::Document(generation, key.into(), document.map(Rc::from)));
        Ok(())
    }

    /// All at once: to forget takes no time here.
    fn tidy(&self, state: &State) -> Result<bool, StorageError> {
        let rows = &mut *self.0.borrow_mut();
        let (live, rebuild) = (state.live.generation, state.rebuild.as_ref().map(|track| track.generation));
        let kept = |generation: u64| generation == live || Some(generation) == rebuild;
        rows.documents.retain(|generation, _| kept(*generation));
        rows.letters.retain(|(generation, _), _| kept(*generation));
        rows.by_stream.retain(|(generation, ..)| kept(*generation));
        Ok(false)
    }

    fn put_letter(&self, generation: u64, letter: &DeadLetter) -> Result<(), StorageError> {
        self.write(Before::Letter(generation, letter.id, Some(letter.clone())));
        Ok(())
    }

    fn letter_failed(
        &self,
        (generation, id): (u64, u64),
        error: &str,
        attempts: u32,
        time: RecordedTime,
    ) -> Result<(), StorageError> {
        let found = self.0.borrow().letters.get(&(generation, id)).cloned();
        if let Some(letter) = found {
            let (error, attempts) = (error.to_owned(), letter.attempts + u64::from(attempts));
            let letter = DeadLetter { reason: Reason::Failed, error, attempts, time, ..letter };
            self.write(Before::Letter(generation, id, Some(letter)));
        }
        Ok(())
    }

    fn remove_letter(&self, generation: u64, id: u64) -> Result<(), StorageError> {
        self.write(Before::Letter(generation, id, None));
        Ok(())
    }

    fn holds(&self, generation: u64, stream: &StreamId) -> Result<bool, StorageError> {
        Ok(self.0.borrow().first_of(generation, stream).is_some())
    }

    fn count_letters(&self, generation: u64) -> Result<u64, StorageError> {
        let count = self.0.borrow().letters(generation, 0).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn next_letter(
        &self,
        generation: u64,
        round: &Round,
        in_order: bool,
    ) -> Result<Option<DeadLetter>, StorageError> {
        let rows = self.0.borrow();
        let has_turn = |letter: &&DeadLetter| {
            (letter.id <= round.to || letter.reason == Reason::Held)
                && (!in_order || rows.first_of(generation, &letter.event.stream) == Some(letter.id))
        };
        Ok(rows.letters(generation, round.after).find(has_turn).cloned())
    }

    fn scan_letters(
        &self,
        generation: u64,
        after: u64,
        visit: &mut dyn FnMut(DeadLetter) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        for letter in self.0.borrow().letters(generation, after) {
            if visit(letter.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }
}
