//! The drivers one by one: which effects follow on which inputs, and in which order. `tests/sim` runs them together.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

mod aggregate;
mod alarm;
mod consumer;
#[path = "../sqlite/database.rs"]
#[allow(dead_code)]
mod database;
mod journal;
mod object;
mod owed;
#[path = "../commands/script.rs"]
#[allow(dead_code)]
mod script;
mod sending;
mod timers;

use std::cell::RefCell;
use std::rc::Rc;

use sillok::gateway::{Alarm, Turn};
use sillok::store::{RecordedTime, StorageError};

/// An alarm that remembers every time for which it was set.
#[derive(Debug, Clone, Default)]
pub struct Clock(pub Rc<RefCell<Vec<u64>>>);

impl Alarm for Clock {
    fn set(&self, at: RecordedTime) -> Result<(), StorageError> {
        self.0.borrow_mut().push(at.as_millis());
        Ok(())
    }
}

/// One turn at this time: what the driver gives, and its effects.
pub fn turn<T, E>(now: u64, input: impl FnOnce(&mut Turn<'_, E>) -> T) -> (T, Vec<E>) {
    let mut random = || 0;
    let mut turn = Turn::at(RecordedTime::from_millis(now), &mut random);
    let given = input(&mut turn);
    (given, turn.into_effects())
}
