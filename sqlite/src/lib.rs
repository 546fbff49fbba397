#![doc = include_str!("../README.md")]
#![doc = ""]
//! # The parts
//!
//! - [`Sqlite`] is the store: appends and reads, commands and states, documents, and what runs consumers and timers.
//! - [`Options`] are how a file is opened: the wait for its lock, read-only, the clock.
//! - [`Reactor`] acts on events. [`Projection`](sillok::handler::Projection), [`Decider`](sillok::handler::Decider) and
//!   [`Process`](sillok::handler::Process) are traits of the core.
//! - [`SqliteError`] has a stable [code](SqliteError::code) for every error.

mod aggregates;
mod caught;
mod changes;
mod consumers;
mod documents;
mod driver;
mod engine;
mod error;
mod feed;
mod operating;
mod options;
mod outcome;
mod pending;
mod place;
mod progress;
mod reactor;
mod reactors;
mod running;
mod sqlite;
mod thread;

pub use documents::Documents;
pub use error::{ExecuteError, SqliteError};
pub use feed::Feed;
pub use options::Options;
pub use reactor::{Reactor, ReactorContext};
pub use running::Running;
pub use sillok::handler::{EventPage, Executed, Loaded, Recorded};
pub use sqlite::Sqlite;

/// The example in Rust of the project's page.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectPage;
