//! The documents of a projection, as its handler uses them.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use thiserror::Error;

use super::document_key::{DocumentKey, InvalidDocumentKey};
use crate::ErrorCode;
use crate::handler::stored::storage::Storage;
use crate::store::limits::{DOCUMENT_BYTES, PAGE_BYTES, PAGE_EVENTS};
use crate::store::reads::page_budget::PageBudget;
use crate::store::sqlite::Sql;
use crate::store::{JsonText, StorageError};

/// The reason why a document cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The key is not valid.
    #[error(transparent)]
    Key(#[from] InvalidDocumentKey),
    /// The document is larger than its limit.
    #[error("the document is {bytes} bytes long; the most is {DOCUMENT_BYTES}")]
    TooLarge {
        /// The length of the document, in bytes of JSON text.
        bytes: usize,
    },
    /// The document does not fit the projection's document type.
    #[error("the document is not of the projection's type: {reason}")]
    Mismatch {
        /// What does not fit.
        reason: String,
    },
    /// The handler has returned. It can write documents only while it runs.
    #[error("the handler has returned; documents can be used only while it runs")]
    Over,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl DocumentError {
    /// The stable code of this error, the same in Rust, JavaScript and HTTP.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Key(error) => error.code(),
            Self::TooLarge { .. } => ErrorCode::DocumentTooLarge,
            Self::Mismatch { .. } => ErrorCode::DocumentMismatch,
            Self::Over => ErrorCode::DocumentsOver,
            Self::Storage(error) => error.code(),
        }
    }
}

/// A page of documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentPage {
    /// The keys and documents, in the order of the keys.
    pub documents: Vec<(String, JsonText)>,
    /// The key after which the next page begins. `None` if this page is the last.
    pub next: Option<String>,
}

/// The documents of one generation while events are projected. Clones share the documents.
///
/// Later reads return a change at once. The changes are written to the storage together with the checkpoint. So a
/// document that many events of a page change is written once.
#[derive(Debug, Clone)]
pub struct Documents<S> {
    storage: Rc<Storage<S>>,
    generation: u64,
    changes: Rc<RefCell<Changes>>,
}

/// The new text of a document, or `None` for a deletion.
type Change = Option<Rc<str>>;

/// The changes that are not in the storage yet.
#[derive(Debug, Default)]
struct Changes {
    /// The changes in the order of their keys.
    entries: Vec<(Rc<str>, Change)>,
    /// The entries before the event in hand, to undo its changes. `None` stands for no entry.
    before: Vec<(Rc<str>, Option<Change>)>,
    bytes: usize,
    /// The keys that were written to the storage, in their order.
    written: Vec<Rc<str>>,
    /// The error of the storage, if it failed. Later actions of the handler are not reliable then.
    broken: Option<StorageError>,
    over: bool,
}

impl Changes {
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(entry, _)| (**entry).cmp(key))
    }

    /// Sets or removes an entry. Returns the old entry.
    fn set(&mut self, key: &Rc<str>, change: Option<Change>) -> Option<Change> {
        match (self.find(key), change) {
            (Ok(at), Some(change)) => {
                self.entries.get_mut(at).map(|(_, entry)| std::mem::replace(entry, change))
            }
            (Ok(at), None) => Some(self.entries.remove(at).1),
            (Err(at), Some(change)) => {
                self.entries.insert(at, (key.clone(), change));
                None
            }
            (Err(_), None) => None,
        }
    }
}

impl<S: Sql> Documents<S> {
    /// The document of this key, if there is one.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn get(&self, key: &str) -> Result<Option<JsonText>, DocumentError> {
        self.find(&self.checked(key)?)
    }

    /// The document of this key, if there is one.
    pub(in crate::handler) fn find(&self, key: &DocumentKey) -> Result<Option<JsonText>, DocumentError> {
        let changes = self.changes.borrow();
        if let Some((_, change)) = changes.find(key.as_str()).ok().and_then(|at| changes.entries.get(at)) {
            return Ok(change.as_deref().map(JsonText::trusted));
        }
        drop(changes);
        let found = self.noted(self.storage.store().document(self.generation, key.as_str()))?;
        Ok(found.as_deref().map(JsonText::trusted))
    }

    /// Stores a document under this key, in place of an earlier one.
    ///
    /// # Errors
    /// [`DocumentError`]. The document is then unchanged.
    pub fn put(&self, key: &str, document: &JsonText) -> Result<(), DocumentError> {
        let bytes = document.as_str().len();
        if bytes > DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { bytes });
        }
        self.change(key, Some(document.as_str().into()))
    }

    /// Deletes the document of this key, if there is one.
    ///
    /// # Errors
    /// [`DocumentError`]. The document is then unchanged.
    pub fn delete(&self, key: &str) -> Result<(), DocumentError> {
        self.change(key, None)
    }

    /// Returns up to `limit` documents, at most 1,000, with keys that begin with `prefix` and are greater than `after`.
    /// The page is shorter if the documents fill 4 MiB.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<DocumentPage, DocumentError> {
        let changes = self.changes.borrow();
        if changes.over {
            return Err(DocumentError::Over);
        }
        if limit == 0 {
            return Ok(DocumentPage { documents: Vec::new(), next: None });
        }
        let budget = PageBudget::of(limit.min(PAGE_EVENTS));
        let mut page = Listing { documents: Vec::new(), budget, last: None, next: None };
        let written = changes.entries.iter().filter(|(key, _)| key.starts_with(prefix) && **key > *after);
        let mut written = written.peekable();
        let listed = self.storage.store().documents(self.generation, prefix, after, &mut |key, document| {
            while let Some((key, change)) = written.next_if(|(written, _)| **written < *key) {
                page.add(key, change.as_deref())?;
            }
            // The stored text of a changed document does not count.
            match written.next_if(|(written, _)| **written == *key) {
                Some((key, change)) => page.add(key, change.as_deref()),
                None => page.add(key, Some(document)),
            }
        });
        let _spent = written.try_for_each(|(key, change)| page.add(key, change.as_deref()));
        drop(changes);
        self.noted(listed)?;
        Ok(DocumentPage { documents: page.documents, next: page.next })
    }

    pub(in crate::handler) fn new(storage: Rc<Storage<S>>, generation: u64) -> Self {
        Self { storage, generation, changes: Rc::default() }
    }

    /// Accepts the changes of an event, after its handler has returned.
    pub(in crate::handler) fn accept(&self) -> Result<(), StorageError> {
        self.settled()?;
        self.changes.borrow_mut().before.clear();
        // This bounds the memory for any number of changes.
        if self.changes.borrow().bytes >= PAGE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Undoes the changes of an event whose handler has failed.
    pub(in crate::handler) fn undo(&self) -> Result<(), StorageError> {
        self.settled()?;
        let mut changes = self.changes.borrow_mut();
        while let Some((key, before)) = changes.before.pop() {
            changes.set(&key, before);
        }
        Ok(())
    }

    /// Writes the changes to the storage.
    pub(in crate::handler) fn flush(&self) -> Result<(), StorageError> {
        let mut changes = self.changes.borrow_mut();
        changes.bytes = 0;
        for (key, change) in std::mem::take(&mut changes.entries) {
            self.storage.store().put(self.generation, &key, change.as_deref())?;
            if let Err(at) = changes.written.binary_search(&key) {
                changes.written.insert(at, key);
            }
        }
        Ok(())
    }

    /// Takes the keys that were written to the storage, in their order.
    pub(in crate::handler) fn take_written(&self) -> Vec<Rc<str>> {
        std::mem::take(&mut self.changes.borrow_mut().written)
    }

    /// Refuses every use from now on.
    pub(in crate::handler) fn close(&self) {
        self.changes.borrow_mut().over = true;
    }

    /// Checks a key: handlers pass keys as texts.
    fn checked(&self, key: &str) -> Result<DocumentKey, DocumentError> {
        if self.changes.borrow().over {
            return Err(DocumentError::Over);
        }
        Ok(DocumentKey::new(key)?)
    }

    fn change(&self, key: &str, change: Change) -> Result<(), DocumentError> {
        let key = self.checked(key)?;
        let mut changes = self.changes.borrow_mut();
        changes.bytes += key.as_str().len() + change.as_ref().map_or(0, |text| text.len());
        let key = Rc::from(key.as_str());
        let before = changes.set(&key, Some(change));
        changes.before.push((key, before));
        Ok(())
    }

    /// Remembers an error of the storage, even if the handler ignores it.
    fn noted<T>(&self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        if let Err(error) = &result {
            self.changes.borrow_mut().broken = Some(error.clone());
        }
        result
    }

    fn settled(&self) -> Result<(), StorageError> {
        self.changes.borrow_mut().broken.take().map_or(Ok(()), Err)
    }
}

/// A page while it is filled.
struct Listing {
    documents: Vec<(String, JsonText)>,
    budget: PageBudget,
    /// The last key that the page looked at.
    last: Option<String>,
    next: Option<String>,
}

impl Listing {
    /// Adds a document, or skips a deleted one. Breaks if the page has ended before it.
    fn add(&mut self, key: &str, document: Option<&str>) -> ControlFlow<()> {
        if self.budget.is_spent() {
            self.next = self.last.clone();
            return ControlFlow::Break(());
        }
        self.budget.look_at(1, key.len() + document.map_or(0, str::len));
        self.last = Some(key.to_owned());
        if let Some(document) = document {
            self.budget.take();
            self.documents.push((key.to_owned(), JsonText::trusted(document)));
        }
        ControlFlow::Continue(())
    }
}
