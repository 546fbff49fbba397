//! Handlers: the code of aggregates, and the consumers of events.
//!
//! A [`Decider`] is the code of an aggregate: it decides commands by the state, and folds events into the state. The
//! [machine of commands](crate::gateway::Commands) drives it.
//!
//! A consumer is a named handler of events with a durable checkpoint. A [`Consumer`] is a machine without any I/O of its own. It returns the [`Next`] step. Carry the step out, pass the
//! result to the machine, and ask again, until there is nothing to do:
//!
//! - pass a page of the feed to [`take_page`](Consumer::take_page);
//! - apply the events of a projection by [`project`](Consumer::project), in one transaction with the checkpoint: each
//!   event takes effect exactly once;
//! - deliver the events of a webhook, a queue or a reactor, one by one or as many at once as the [`Window`] allows.
//!   Pass each outcome to [`delivered`](Consumer::delivered). Each event is delivered at least once, under an id by
//!   which the receiver recognises repeats.
//!
//! A failed event is attempted again, with growing delays. After the last attempt it is given up as the [`Policy`]
//! says. An event that no attempt can handle is given up at once: the [`Outcome`] of an attempt says so. Call the
//! machine for one step after the other. While a page is read or an event is delivered, only
//! [`woken`](Consumer::woken), [`rang`](Consumer::rang) and the operations of administrators may come in between.

mod consumer;
mod deciders;
mod feed;
mod newest_events;
mod projections;
mod read_event;
mod stored;

pub use consumer::attempt::{Outcome, Refusals};
pub use consumer::consumer_name::{ConsumerName, InvalidConsumerName};
pub use consumer::dead_letters::{DeadLetter, DeadLetters, InvalidLetterId, LetterError, LetterId, Reason};
pub use consumer::defining::{DefinitionStep, RemovalStep, definition_steps, removal_steps};
pub use consumer::driver::{ConsumerDriver, look_again_at};
pub use consumer::duty::BACKSTOP_MILLIS;
pub use consumer::effects::{Attempted, ConsumerEffect, ConsumerInput};
pub use consumer::failures::{AfterFailure, FailureReport};
pub use consumer::following::{DocumentChange, FollowError, FollowedChange, FollowedDocuments};
pub use consumer::machine::Consumer;
pub use consumer::operate::RebuildError;
pub use consumer::operation::Operation;
pub use consumer::outcome::Apply;
pub use consumer::policy::{Kind, OnFailure, OpenError, Policy, Settings, Window};
pub use consumer::status::{RebuildStatus, Status};
pub use deciders::behaviour::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, DecideContext, Fault, SentCommand, TimerChange,
};
pub use deciders::command::{Command, FiredTimer, Input, InvalidCommand};
pub use deciders::decider::{CommandContext, Decider, UnknownEvents};
pub use deciders::decision::{Decision, InvalidPending, Refusal, reject};
#[cfg(feature = "testing")]
pub(crate) use deciders::event::read_back;
pub use deciders::event::{Event, Upcast, Upcasts};
pub use deciders::process::{Answer, Instance, NoSource, Process, ProcessBehaviour, not_taken};
pub use deciders::recorded::{EventPage, Executed, Loaded, Recorded};
pub use deciders::typed::TypedBehaviour;
pub use feed::{Delivery, FeedEvent, FeedPage, Lane, Next, Read};
pub use newest_events::newest_events;
pub use projections::document_key::{DocumentKey, InvalidDocumentKey};
pub use projections::documents::{DocumentError, DocumentPage, Documents};
pub use projections::projection::{Failed, Projection, TypedDocuments, apply};
pub use read_event::{read_event, read_upcast};
pub use stored::memory::ConsumerMemory;
pub use stored::state::{FailedEvent, LastError, Running};
