//! Followers of a projection's documents: what they get, and where they continue.
//!
//! A follower gets all documents in pages, and then each change. It has a place: a mark, up to which it has the changes,
//! and the last key of the pages. A change of a document that is still to be listed is no change for it. So each message
//! has a place of its own, and a follower may be cut off after any message.

use std::fmt;

use thiserror::Error;

use super::machine::Consumer;
use crate::ErrorCode;
use crate::gateway::Alarm;
use crate::handler::projections::documents::{DocumentError, Documents};
use crate::handler::projections::recent::Mark;
use crate::store::limits::PAGE_EVENTS;
use crate::store::reads::page_budget::PageBudget;
use crate::store::sqlite::Sql;
use crate::store::{JsonText, StorageError};

/// A message to a follower of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentChange {
    /// Forget all documents: they follow again.
    Reset,
    /// The document of this key is there, or has changed.
    Put {
        /// The key.
        key: String,
        /// The document.
        document: JsonText,
    },
    /// There is no document of this key any more.
    Delete {
        /// The key.
        key: String,
    },
    /// The follower has exactly the documents of one moment.
    CaughtUp,
}

/// A message to a follower, and its place after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedChange {
    /// The message.
    pub change: DocumentChange,
    /// The place from which the follower continues after this message: an opaque text.
    pub checkpoint: String,
}

/// The next messages to a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedDocuments {
    /// The messages, in their order.
    pub changes: Vec<FollowedChange>,
    /// The place after all messages.
    pub checkpoint: String,
    /// The number of the last commit that was looked at. If `more` is false, the next messages need a later commit.
    pub revision: u64,
    /// Whether there are more messages now.
    pub more: bool,
}

/// The reason why documents cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FollowError {
    /// No follower of documents has ever got this place.
    #[error("the checkpoint does not belong to documents that are followed")]
    Checkpoint,
    /// The documents cannot be read.
    #[error(transparent)]
    Documents(#[from] DocumentError),
}

impl From<StorageError> for FollowError {
    fn from(error: StorageError) -> Self {
        Self::Documents(error.into())
    }
}

impl FollowError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Checkpoint => ErrorCode::InvalidCheckpoint,
            Self::Documents(error) => error.code(),
        }
    }
}

/// The place of a follower: the documents and changes that it has.
#[derive(Debug, Clone)]
struct Place {
    /// The last commit whose changes it has.
    mark: Mark,
    /// The last key of this commit that it has. `None` if it has all of them.
    within: Option<String>,
    /// The last key that was listed. `None` if it has all documents.
    listed: Option<String>,
}

impl Place {
    fn parse(text: &str, partitions: usize) -> Option<Self> {
        let (text, listed) = split(text, '/')?;
        let (text, within) = split(text, '~')?;
        Some(Self { mark: Mark::parse(text, partitions)?, within, listed })
    }

    fn has_listed(&self, key: &str) -> bool {
        self.listed.as_deref().is_none_or(|listed| key <= listed)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mark.fmt(formatter)?;
        for (separator, key) in [('~', &self.within), ('/', &self.listed)] {
            let Some(key) = key else { continue };
            write!(formatter, "{separator}")?;
            // A header and a URL carry hexadecimal digits unchanged.
            key.bytes().try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        }
        Ok(())
    }
}

/// Splits off the key after the separator, if there is one.
fn split(text: &str, separator: char) -> Option<(&str, Option<String>)> {
    match text.split_once(separator) {
        None => Some((text, None)),
        Some((text, key)) => Some((text, Some(from_hex(key)?))),
    }
}

fn from_hex(text: &str) -> Option<String> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let pairs = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2));
    let bytes: Option<Vec<u8>> = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    String::from_utf8(bytes.filter(|_| digits)?).ok()
}

/// The messages of one call, while they are collected.
struct Messages {
    place: Place,
    changes: Vec<FollowedChange>,
}

impl Messages {
    fn push(&mut self, change: DocumentChange) {
        self.changes.push(FollowedChange { change, checkpoint: self.place.to_string() });
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Returns the next messages to a follower of the documents whose keys begin with `prefix`. The first message to a
    /// new follower is [`Reset`](DocumentChange::Reset). `after` is the place that the follower has reached: the
    /// checkpoint of a message. If the changes since then are not known any more, or other documents were built, the
    /// follower gets a `Reset` again. After the last document, and after the changes of each commit, it gets
    /// [`CaughtUp`](DocumentChange::CaughtUp). `begins` says that the follower has just connected. It then gets
    /// `CaughtUp` also without a change.
    ///
    /// Each call returns at most 1,000 changes and then at most 1,000 documents, each of at most 4 MiB together. Changes
    /// are remembered in memory only: see [`RECENT_CHANGES_BYTES`](crate::store::limits::RECENT_CHANGES_BYTES).
    ///
    /// # Errors
    /// [`FollowError`].
    pub fn follow(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        begins: bool,
    ) -> Result<FollowedDocuments, FollowError> {
        let partitions = self.settings.partitions;
        let parsed = |text| Place::parse(text, partitions).ok_or(FollowError::Checkpoint);
        let place = after.map(parsed).transpose()?;
        self.looking(|machine| machine.messages(prefix, place, begins))
    }

    /// The revision of the last commit, if followers have not been told of it yet.
    pub(in crate::handler) fn take_news(&mut self) -> Option<u64> {
        self.recent.take_news()
    }

    fn messages(
        &self,
        prefix: &str,
        place: Option<Place>,
        begins: bool,
    ) -> Result<FollowedDocuments, FollowError> {
        let known = place.filter(|place| self.recent.know(&place.mark, place.within.is_none()));
        let mut owed =
            begins || known.as_ref().is_none_or(|place| place.within.is_some() || place.listed.is_some());
        let mut messages = match known {
            Some(place) => Messages { place, changes: Vec::new() },
            None => {
                let mark = self.recent.end().clone();
                let place = Place { mark, within: None, listed: Some(String::new()) };
                let mut messages = Messages { place, changes: Vec::new() };
                messages.push(DocumentChange::Reset);
                messages
            }
        };
        let is_complete = self.add_changes(prefix, &mut messages)? && self.add_page(prefix, &mut messages)?;
        owed |= !messages.changes.is_empty();
        if is_complete && owed {
            messages.push(DocumentChange::CaughtUp);
        }
        let Messages { place, changes } = messages;
        let (checkpoint, revision) = (place.to_string(), place.mark.revision);
        Ok(FollowedDocuments { changes, checkpoint, revision, more: !is_complete })
    }

    /// Adds the changes of documents that the follower has. Returns whether these are all.
    fn add_changes(&self, prefix: &str, messages: &mut Messages) -> Result<bool, FollowError> {
        let generation = self.state.live.generation;
        let Place { mark, within, .. } = messages.place.clone();
        let mut budget = PageBudget::of(PAGE_EVENTS);
        for (mark, key) in self.recent.after(&mark, within.as_deref()) {
            if budget.is_spent() {
                return Ok(false);
            }
            if !key.starts_with(prefix) || !messages.place.has_listed(key) {
                continue;
            }
            let document = self.store().document(generation, key)?;
            budget.look_at(1, key.len() + document.as_ref().map_or(0, String::len));
            budget.take();
            messages.place.mark = mark.clone();
            messages.place.within = Some(key.to_owned());
            let key = key.to_owned();
            messages.push(match document {
                Some(document) => DocumentChange::Put { key, document: JsonText::trusted(&document) },
                None => DocumentChange::Delete { key },
            });
        }
        messages.place.mark = self.recent.end().clone();
        messages.place.within = None;
        Ok(true)
    }

    /// Adds a page of the documents that are still to be listed. Returns whether it is the last one.
    fn add_page(&self, prefix: &str, messages: &mut Messages) -> Result<bool, FollowError> {
        let Some(after) = messages.place.listed.clone() else { return Ok(true) };
        let documents = Documents::new(self.storage.clone(), self.state.live.generation);
        let page = documents.list(prefix, &after, PAGE_EVENTS)?;
        for (key, document) in page.documents {
            messages.place.listed = Some(key.clone());
            messages.push(DocumentChange::Put { key, document });
        }
        messages.place.listed = page.next;
        Ok(messages.place.listed.is_none())
    }
}
