//! # A store and a projection
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use sillok::handler::{Event, Failed, FeedEvent, Projection, TypedDocuments};
//! use sillok::store::{
//!     Append, EventId, EventStore, ExpectedVersion, MemoryLog, ReadRange, RecordedTime, StreamId,
//! };
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(tag = "type", content = "data")]
//! enum AccountEvent {
//!     Deposited { cents: u64 },
//! }
//! impl Event for AccountEvent {}
//!
//! // The caller passes the time and the fresh ids.
//! let mut store = EventStore::new(MemoryLog::new());
//! let account = StreamId::new("account-42")?;
//! let deposits = [100, 30].map(|cents| AccountEvent::Deposited { cents }.to_new());
//! let [first, second] = deposits;
//! let (first, second) = (first?, second?);
//! let now = RecordedTime::from_millis(1_795_395_723_456);
//! let mut ids = (1..).map(|n| format!("event-{n}"));
//! let mut fresh_id = || EventId::new(&ids.next().unwrap_or_default()).unwrap_or_default();
//! let append = Append::to(account.clone(), vec![first.clone(), second.clone()]);
//! let appended = store.append(append.expecting(ExpectedVersion::NoStream), now, &mut fresh_id)?;
//! assert_eq!(appended.version.get(), 2);
//! let page = store.read(&account, &ReadRange::all())?;
//! assert_eq!(page.events[1].data.as_str(), r#"{"cents":30}"#);
//!
//! // A projection makes documents from the events of all streams.
//! struct Balances;
//!
//! impl Projection for Balances {
//!     type Event = AccountEvent;
//!     type Document = u64;
//!
//!     fn apply(
//!         event: AccountEvent,
//!         source: &FeedEvent,
//!         balances: &TypedDocuments<'_, u64>,
//!     ) -> Result<(), Failed> {
//!         let AccountEvent::Deposited { cents } = event;
//!         let balance = balances.get(source.stream.as_str())?.unwrap_or_default();
//!         Ok(balances.put(source.stream.as_str(), &(balance + cents))?)
//!     }
//! }
//! # #[cfg(feature = "testing")] {
//!
//! // The feature `testing` runs it without a store.
//! let balances = sillok::testing::projected::<Balances>(&[("account-42", first), ("account-42", second)])?;
//! assert_eq!(balances["account-42"], 130);
//! # }
//! # Ok::<(), Failed>(())
//! ```
//!
//! # The core
//!
//! Everything in this crate is a synchronous function over values and small ports. The caller passes time, fresh ids
//! and bytes as values. Nothing in this crate awaits, reads a clock or draws a random number. Nothing in it knows
//! Cloudflare, JavaScript or HTTP. Therefore the same code runs in a Durable Object, in Node, in a browser and in an
//! ordinary native program. The package `sillok-sqlite` is the store of such a program, and `sillok-worker` that of a
//! Worker.
//!
//! - [`store`]: streams of events. Append with an expected version; read by range and direction.
//! - [`handler`]: deciders, which are the code of aggregates; consumers of events, and how far each has come.
//! - [`gateway`]: the machines that decide commands, forward stored events to the journal and wake consumers.
//! - [`ErrorCode`]: the registry of error codes.
//! - `testing` (feature `testing`): tests of deciders and projections; the contract of every store, for authors of
//!   stores.

mod error_code;
pub mod gateway;
pub mod handler;
mod sorted;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use error_code::{ErrorCode, Retry};

/// The example of the package's page.
#[cfg(doctest)]
#[doc = include_str!("README.md")]
struct Readme;
