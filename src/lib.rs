//! The core of Sillok: an event store whose history only grows.
//!
//! Everything in this crate is a synchronous function over values and small ports. The caller passes time, fresh ids
//! and bytes as values. Nothing in this crate awaits, reads a clock or draws a random number. Nothing in it knows
//! Cloudflare, JavaScript or HTTP. Therefore the same code runs in a Durable Object, in Node, in a browser and in an
//! ordinary native test.
//!
//! - [`store`]: streams of events. Append with an expected version; read by range and direction.
//! - [`handler`]: deciders, which are the code of aggregates; consumers of events, and how far each has come.
//! - [`gateway`]: the machines that decide commands, forward stored events to the journal and wake consumers.
//! - [`ErrorCode`]: the registry of error codes.
//! - [`testing`] (feature `testing`): tests of deciders and projections; the contract of every store, for authors of
//!   stores.
//!
//! ```
//! use sillok::store::{
//!     Append, EventId, EventStore, ExpectedVersion, JsonText, MemoryLog, NewEvent, ReadRange, RecordedTime, StreamId,
//! };
//!
//! let mut store = EventStore::new(MemoryLog::new());
//! let account = StreamId::new("account-42")?;
//! let opened = NewEvent::new("Opened", JsonText::parse(r#"{"owner":"Ada"}"#)?)?;
//!
//! let mut ids = (1..).map(|n| format!("event-{n}"));
//! let mut fresh_id = || EventId::new(&ids.next().unwrap_or_default()).unwrap_or_default();
//! let now = RecordedTime::from_millis(1_795_395_723_456);
//! let append = Append::to(account.clone(), vec![opened]).expecting(ExpectedVersion::NoStream);
//! let appended = store.append(append, now, &mut fresh_id)?;
//! assert_eq!(appended.version.get(), 1);
//!
//! let page = store.read(&account, &ReadRange::all())?;
//! assert_eq!(page.events[0].data.as_str(), r#"{"owner":"Ada"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error_code;
pub mod gateway;
pub mod handler;
mod sorted;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use error_code::{ErrorCode, Retry};
