//! The store over SQLite. It fulfils the contract, stores exactly the pinned bytes, loses nothing when any call fails,
//! and agrees with a reference.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

mod database;
mod databases;
mod decisions;
mod faults;
mod formats;
mod hostile;
mod model;
mod origins;
mod pending;
mod pending_faults;
#[path = "../sim/random.rs"]
#[allow(dead_code)]
mod random;
mod rollback;
mod shared;
mod sizes;
mod stored;

use database::Database;
use databases::Databases;
use sillok::store::EventStore;
use sillok::store::sqlite::{StreamTable, StreamsTable};

/// One stream in each database, as aggregates have them.
mod one_stream {
    use super::*;

    sillok::store_contract!(#[test], EventStore::new(Databases::default()));
    sillok::decision_contract!(#[test], EventStore::new(StreamTable::new(Database::in_memory())));
}

/// Many streams in one database, as in a file.
mod many_streams {
    use super::*;

    sillok::store_contract!(#[test], EventStore::new(StreamsTable::new(Database::in_memory())));
    sillok::feed_contract!(#[test], EventStore::new(StreamsTable::new(Database::in_memory())));
    sillok::decision_contract!(#[test], EventStore::new(StreamsTable::new(Database::in_memory())));
    sillok::pending_contract!(#[test], EventStore::new(StreamsTable::new(Database::in_memory())));
}
