//! Consumers: what is promised of projections and deliveries, whichever call fails and whatever dies.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

#[path = "../sqlite/database.rs"]
mod database;
mod delivery;
mod documents;
mod duty;
mod faults;
mod letters;
mod open;
mod projection;
mod random;
mod rebuild;
mod world;
