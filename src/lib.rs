//! The core of Sillok: an event store whose history only grows.
//!
//! Everything here is a synchronous function over values and small ports. Time, fresh ids and bytes
//! come in as values; nothing in this crate awaits, reads a clock, draws a random number or knows
//! that Cloudflare, JavaScript or HTTP exist. So the same code runs in a Durable Object, in Node, in
//! a browser and in an ordinary native test.
//!
//! - [`store`]: streams of events: append with an expected version, read by range and direction.
//! - [`handler`]: what reacts to events, and how far it has come.
//! - [`gateway`]: what connects the two: the duty to forward what was stored, and who is woken by it.
//! - [`ErrorCode`]: the registry of error codes.
//! - [`testing`] (feature `testing`): the contract every store must keep, for whoever writes one.
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
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use error_code::{ErrorCode, Retry};
