//! Projections in Rust.

use std::fmt::{Debug, Display, Formatter};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::documents::{DocumentError, Documents};
use crate::handler::consumer::attempt::{Outcome, Refusals};
use crate::handler::consumer::policy::Policy;
use crate::handler::deciders::event::Upcasts;
use crate::handler::feed::FeedEvent;
use crate::handler::read_event::read_upcast;
use crate::store::JsonText;
use crate::store::sqlite::Sql;

/// A function from events to documents. Each event takes effect exactly once, because the documents are stored in one
/// transaction with the projection's checkpoint.
///
/// A projection must depend only on the event and the documents, so that it can be rebuilt at any time. If it fails,
/// its changes are undone, and the event is attempted again, as the [`Policy`] says.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sillok::handler::{Failed, FeedEvent, Projection, TypedDocuments};
///
/// /// As `{"type":"Deposited","data":{"amount":100}}` is read.
/// #[derive(Deserialize)]
/// #[serde(tag = "type", content = "data")]
/// enum AccountEvent {
///     Deposited { amount: u64 },
///     Closed {},
/// }
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Balance {
///     amount: u64,
/// }
///
/// struct Balances;
///
/// impl Projection for Balances {
///     type Event = AccountEvent;
///     type Document = Balance;
///     const CATEGORY: Option<&str> = Some("account");
///     const TYPES: &[&str] = &["Deposited", "Closed"];
///
///     fn apply(
///         event: AccountEvent,
///         source: &FeedEvent,
///         balances: &TypedDocuments<'_, Balance>,
///     ) -> Result<(), Failed> {
///         let account = source.stream.as_str();
///         match event {
///             AccountEvent::Deposited { amount } => {
///                 let balance = balances.get(account)?.unwrap_or_default();
///                 balances.put(account, &Balance { amount: balance.amount + amount })?;
///             }
///             AccountEvent::Closed {} => balances.delete(account)?,
///         }
///         Ok(())
///     }
/// }
/// # #[cfg(feature = "testing")] {
///
/// // And a test of it:
/// use sillok::store::{JsonText, NewEvent};
/// use sillok::testing::projected;
///
/// let deposited = NewEvent::new("Deposited", JsonText::parse(r#"{"amount":100}"#)?)?;
/// let documents = projected::<Balances>(&[("account-42", deposited.clone()), ("account-42", deposited.clone())])?;
/// assert_eq!(documents["account-42"].amount, 200);
/// for nothing in ["null", "{}"] {
///     let closed = NewEvent::new("Closed", JsonText::parse(nothing)?)?;
///     let documents = projected::<Balances>(&[("account-42", deposited.clone()), ("account-42", closed)])?;
///     assert!(documents.is_empty());
/// }
/// # }
/// # Ok::<(), Failed>(())
/// ```
pub trait Projection {
    /// The type of an event: any type that can be deserialised from the JSON of a whole event. This JSON has `stream`,
    /// `version`, `id`, `type`, `time`, `data`, `metadata` and `position`, in this order. An enum with `#[serde(tag =
    /// "type", content = "data")]` has a variant for each event type.
    ///
    /// A number is read into the type of its field. A `Box<RawValue>` of `serde_json` has the digits as they were
    /// written. A variant without fields, `Closed` or `Closed {}`, is read from `null` data, as in `{"type":"Closed"}`,
    /// and from `{}`.
    type Event: DeserializeOwned;

    /// The type of the documents.
    type Document: Serialize + DeserializeOwned;

    /// The only category of streams to follow, such as `account` for `account-42`. The default is all categories.
    const CATEGORY: Option<&'static str> = None;

    /// The only event types to follow. The default is all types.
    const TYPES: &'static [&'static str] = &[];

    /// The conversions of older events: `AccountEvent::UPCASTS` if [`Event`](Self::Event) is the [`Event`] of an
    /// aggregate. With conversions, an event of a newer schema version fails. Without them, events are read as they are
    /// stored.
    ///
    /// [`Event`]: crate::handler::Event
    const UPCASTS: Upcasts = &[];

    /// The rules for failures.
    const POLICY: Policy = Policy::DEFAULT;

    /// The version of the code that makes the documents. If you change what the documents contain, also change the
    /// version: the projection then makes all documents again from the first event, beside the present ones. Readers
    /// see the present ones until the new ones have caught up. A lower version also causes a rebuild, so a rollback
    /// needs nothing else.
    const VERSION: u32 = 1;

    /// Applies the event to `documents`. `source` names the origin of the event, and has the whole event as JSON.
    ///
    /// # Errors
    /// A message that says what is wrong.
    fn apply(
        event: Self::Event,
        source: &FeedEvent,
        documents: &TypedDocuments<'_, Self::Document>,
    ) -> Result<(), Failed>;
}

/// Applies an event to the documents by a projection. Pass this function to
/// [`Consumer::project`](crate::handler::Consumer::project). It fails if the event does not fit the projection's type, or if the
/// projection fails.
pub fn apply<P: Projection, S: Sql>(event: &FeedEvent, documents: &Documents<S>) -> Outcome {
    let refusals = Refusals::default();
    let documents = TypedDocuments { texts: documents, document: PhantomData, refusals: &refusals };
    refusals.outcome(read_upcast(event, P::UPCASTS).and_then(|typed| P::apply(typed, event, &documents)))
}

/// The message of a handler that could not handle an event. The `?` operator makes it from any error, and `into` makes
/// it from a text.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0
    }
}

// It does not implement `Display`, so that this conversion differs from the standard library's `From<T> for T`.
impl<E: Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The documents of a projection in the projection's own type, while one event is applied.
///
/// Later reads return a change at once.
pub struct TypedDocuments<'a, D> {
    texts: &'a dyn Texts,
    document: PhantomData<fn() -> D>,
    refusals: &'a Refusals,
}

impl<D> Debug for TypedDocuments<'_, D> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TypedDocuments")
    }
}

impl<D: Serialize + DeserializeOwned> TypedDocuments<'_, D> {
    /// The document of this key, if there is one. A key has 1 to 200 bytes of UTF-8.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn get(&self, key: &str) -> Result<Option<D>, DocumentError> {
        let read = |text: JsonText| serde_json::from_str(text.as_str()).map_err(|error| mismatch(&error));
        self.noted(self.texts.get(key))?.map(read).transpose()
    }

    /// Stores a document of at most 1 MiB under this key, in place of an earlier one.
    ///
    /// # Errors
    /// [`DocumentError`]. The document is then unchanged.
    pub fn put(&self, key: &str, document: &D) -> Result<(), DocumentError> {
        let text = serde_json::to_string(document).map_err(|error| mismatch(&error))?;
        self.noted(self.texts.put(key, &JsonText::trusted(&text)))
    }

    /// Deletes the document of this key, if there is one.
    ///
    /// # Errors
    /// [`DocumentError`]. The document is then unchanged.
    pub fn delete(&self, key: &str) -> Result<(), DocumentError> {
        self.noted(self.texts.delete(key))
    }

    fn noted<T>(&self, done: Result<T, DocumentError>) -> Result<T, DocumentError> {
        done.inspect_err(|error| self.refusals.note(error.code(), error))
    }
}

fn mismatch(error: &serde_json::Error) -> DocumentError {
    DocumentError::Mismatch { reason: error.to_string() }
}

/// [`Documents`] over any storage. A projection does not depend on the type of the storage.
trait Texts {
    fn get(&self, key: &str) -> Result<Option<JsonText>, DocumentError>;
    fn put(&self, key: &str, document: &JsonText) -> Result<(), DocumentError>;
    fn delete(&self, key: &str) -> Result<(), DocumentError>;
}

impl<S: Sql> Texts for Documents<S> {
    fn get(&self, key: &str) -> Result<Option<JsonText>, DocumentError> {
        self.get(key)
    }

    fn put(&self, key: &str, document: &JsonText) -> Result<(), DocumentError> {
        self.put(key, document)
    }

    fn delete(&self, key: &str) -> Result<(), DocumentError> {
        self.delete(key)
    }
}
