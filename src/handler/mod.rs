//! What reacts to events: consumers, each with a durable checkpoint.
//!
//! A [`Consumer`] is a machine without any I/O of its own. It says what it wants [`Next`], whoever runs it does that and
//! tells it what came of it, and so on until there is nothing to do:
//!
//! - a page of the feed is handed over by [`took`](Consumer::took);
//! - the events of a projection are applied by [`project`](Consumer::project), in one transaction with the checkpoint:
//!   each takes effect exactly once;
//! - the events of a webhook, a queue or a reactor are delivered one by one, or so many at once as the [`Window`] allows,
//!   and what came of each is told by [`delivered`](Consumer::delivered): each is delivered at least once, under an id that
//!   tells repeats.
//!
//! An event that fails is attempted again later, ever more rarely, and at last given up in the way that the [`Policy`]
//! says. An event at which no attempt can succeed is given up at once: the [`Outcome`] of an attempt
//! tells them apart. One call of the machine follows on the other: while a page is read or an event delivered, only
//! [`woken`](Consumer::woken), [`rang`](Consumer::rang) and what operators say may come between.

mod consumer;
mod feed;
mod projections;
mod read_event;
mod stored;

pub use consumer::attempt::{Outcome, Refusals};
pub use consumer::consumer_name::{ConsumerName, InvalidConsumerName};
pub use consumer::dead_letters::{DeadLetter, DeadLetters, InvalidLetterId, LetterId, Reason};
pub use consumer::driver::{ConsumerDriver, look_again_at};
pub use consumer::duty::BACKSTOP_MILLIS;
pub use consumer::effects::{Attempted, ConsumerEffect, ConsumerInput};
pub use consumer::machine::Consumer;
pub use consumer::operate::{RebuildError, Status};
pub use consumer::outcome::Apply;
pub use consumer::policy::{Kind, OnFailure, OpenError, Policy, Settings, Window};
pub use feed::{Delivery, FeedEvent, FeedPage, Lane, Next, Read};
pub use projections::document_key::{DocumentKey, InvalidDocumentKey};
pub use projections::documents::{DocumentError, DocumentPage, Documents};
pub use projections::projection::{Failed, Projection, TypedDocuments, apply};
pub use read_event::read_event;
pub use stored::memory::ConsumerMemory;
pub use stored::state::{LastError, Running};
