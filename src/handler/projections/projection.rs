//! Projections that are written in Rust.

use std::fmt::{Debug, Display, Formatter};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::documents::{DocumentError, Documents};
use crate::handler::consumer::attempt::{Outcome, Refusals};
use crate::handler::consumer::policy::Policy;
use crate::handler::feed::FeedEvent;
use crate::handler::read_event::read_event;
use crate::store::JsonText;
use crate::store::sqlite::Sql;

/// What events make of documents that can be asked for. Each event takes effect exactly once: the documents are kept in one
/// transaction with how far the projection has come.
///
/// A projection decides by the event and the documents alone, so that documents can be built anew at any time. Where it
/// fails, what it did is taken back, and the event is attempted again later, as the [`Policy`] says.
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
    /// What events are read as: anything that can be read from the JSON of a whole event, which has `stream`, `version`,
    /// `id`, `type`, `time`, `data`, `metadata` and `position`, in this order. An enum with
    /// `#[serde(tag = "type", content = "data")]` has a variant for each type of event.
    ///
    /// A number is read as what the type says, and a `Box<RawValue>` of `serde_json` has its digits as they were written. A
    /// variant without fields, `Closed` or `Closed {}`, is read from data that are `null`, as `{"type":"Closed"}` has them, and
    /// from `{}`.
    type Event: DeserializeOwned;

    /// What its documents are.
    type Document: Serialize + DeserializeOwned;

    /// The only category of streams to follow, such as `account` for `account-42`. By default all.
    const CATEGORY: Option<&'static str> = None;

    /// The only types of events to follow. By default all.
    const TYPES: &'static [&'static str] = &[];

    /// What is done about failures.
    const POLICY: Policy = Policy::DEFAULT;

    /// Does to `documents` what the event says. `source` tells where the event is from, and has all of it as JSON.
    ///
    /// # Errors
    /// Whatever is wrong, in words.
    fn apply(
        event: Self::Event,
        source: &FeedEvent,
        documents: &TypedDocuments<'_, Self::Document>,
    ) -> Result<(), Failed>;
}

/// Lets a projection do to documents what an event says: this is what [`Consumer::project`](super::Consumer::project) is
/// given. It fails where the event is not what the projection reads, or where the projection says so.
pub fn apply<P: Projection, S: Sql>(event: &FeedEvent, documents: &Documents<S>) -> Outcome {
    let refusals = Refusals::default();
    let documents = TypedDocuments { texts: documents, document: PhantomData, refusals: &refusals };
    refusals.outcome(read_event(event).and_then(|typed| P::apply(typed, event, &documents)))
}

/// Why an event could not be handled, in words. The `?` operator makes it of any error, and `into` of a text.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0
    }
}

// It is not itself displayed, so that the standard library's `From<T> for T` is another.
impl<E: Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The documents of a projection as the projection's own type, while one event is applied.
///
/// What is written is seen by later reads at once.
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

    /// Keeps a document of at most 1 MiB in place of any other under this key.
    ///
    /// # Errors
    /// [`DocumentError`]; the document is then as it was.
    pub fn put(&self, key: &str, document: &D) -> Result<(), DocumentError> {
        let text = serde_json::to_string(document).map_err(|error| mismatch(&error))?;
        self.noted(self.texts.put(key, &JsonText::trusted(&text)))
    }

    /// Removes the document of this key, if there is one.
    ///
    /// # Errors
    /// [`DocumentError`]; the document is then as it was.
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

/// [`Documents`] wherever they are kept: who writes a projection need not know.
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
