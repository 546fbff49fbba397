//! The documents of projections, and the operations on consumers.

use std::ops::RangeInclusive;

use sillok::handler::{DeadLetters, DocumentError, DocumentKey, DocumentPage, LetterId, Projection, Status};

use crate::error::SqliteError;
use crate::sqlite::Sqlite;

/// A page of the documents of a projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents<D> {
    /// The documents with their keys, in the order of the keys.
    pub documents: Vec<(String, D)>,
    /// The key after which the next page begins. `None` on the last page.
    pub next: Option<String>,
}

impl Sqlite {
    /// The document of this key in the projection with this name, if there is one.
    ///
    /// # Errors
    /// [`SqliteError::NoConsumer`] if the projection is not registered; [`SqliteError::InvalidDocumentKey`];
    /// [`SqliteError::Document`] if the document is not of the projection's type.
    pub fn document<P: Projection>(&self, name: &str, key: &str) -> Result<Option<P::Document>, SqliteError> {
        let (name, key) = (name.to_owned(), DocumentKey::new(key)?);
        let found = self.call(move |engine| Ok(engine.consumers.named(&name)?.machine.document(&key)?))?;
        let read = found.map(|text| serde_json::from_str(text.as_str())).transpose();
        Ok(read.map_err(|error| mismatch(&error))?)
    }

    /// Returns up to `limit` documents, at most 1,000, with keys that begin with `prefix` and are greater than `after`. The page
    /// is shorter if the documents fill 4 MiB. Read on after the `next` of the page.
    ///
    /// # Errors
    /// As of [`document`](Self::document).
    pub fn documents<P: Projection>(
        &self,
        name: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Documents<P::Document>, SqliteError> {
        let (name, prefix, after) = (name.to_owned(), prefix.to_owned(), after.to_owned());
        let DocumentPage { documents, next } = self.call(move |engine| {
            Ok(engine.consumers.named(&name)?.machine.documents(&prefix, &after, limit)?)
        })?;
        let read = |(key, text): (String, sillok::store::JsonText)| {
            Ok((key, serde_json::from_str(text.as_str()).map_err(|error| mismatch(&error))?))
        };
        let documents = documents.into_iter().map(read).collect::<Result<_, DocumentError>>()?;
        Ok(Documents { documents, next })
    }

    /// The status of a consumer: its checkpoint, its last error, and the number of its dead letters.
    ///
    /// # Errors
    /// [`SqliteError::NoConsumer`]; [`SqliteError::Storage`].
    pub fn status(&self, name: &str) -> Result<Status, SqliteError> {
        let name = name.to_owned();
        self.call(move |engine| Ok(engine.consumers.named(&name)?.machine.status()?))
    }

    /// Pauses a consumer at its checkpoint.
    ///
    /// # Errors
    /// As of [`status`](Self::status).
    pub fn pause(&self, name: &str) -> Result<(), SqliteError> {
        let name = name.to_owned();
        self.call(move |engine| Ok(engine.consumers.named(&name)?.machine.pause()?))
    }

    /// Resumes a consumer. The next [`catch_up`](Self::catch_up) runs it.
    ///
    /// # Errors
    /// As of [`status`](Self::status).
    pub fn resume(&self, name: &str) -> Result<(), SqliteError> {
        let name = name.to_owned();
        self.write(move |engine| {
            let now = engine.now();
            Ok(engine.consumers.named(&name)?.machine.resume(now)?)
        })
    }

    /// Attempts the dead letters of a consumer again, in their order.
    ///
    /// # Errors
    /// As of [`status`](Self::status).
    pub fn retry(&self, name: &str) -> Result<(), SqliteError> {
        let name = name.to_owned();
        self.write(move |engine| {
            let now = engine.now();
            Ok(engine.consumers.named(&name)?.machine.retry(now)?)
        })
    }

    /// Makes the documents of a projection again, beside those that readers see until the rebuild has caught up.
    ///
    /// # Errors
    /// As of [`status`](Self::status); [`SqliteError::Rebuild`] if the consumer is not a projection.
    pub fn rebuild(&self, name: &str) -> Result<(), SqliteError> {
        let name = name.to_owned();
        self.write(move |engine| {
            let now = engine.now();
            Ok(engine.consumers.named(&name)?.machine.rebuild(now)?)
        })
    }

    /// Reads a page of the dead letters of a consumer, with ids greater than `after`.
    ///
    /// # Errors
    /// As of [`status`](Self::status).
    pub fn dead_letters(
        &self,
        name: &str,
        after: LetterId,
        limit: usize,
    ) -> Result<DeadLetters, SqliteError> {
        let name = name.to_owned();
        self.call(move |engine| {
            Ok(engine.consumers.named(&name)?.machine.dead_letters(after.get(), limit)?)
        })
    }

    /// Discards the dead letters with these ids. Returns whether there was one.
    ///
    /// # Errors
    /// As of [`status`](Self::status).
    pub fn discard(&self, name: &str, ids: RangeInclusive<LetterId>) -> Result<bool, SqliteError> {
        let (name, mut any) = (name.to_owned(), false);
        self.call(move |engine| {
            let machine = &mut engine.consumers.named(&name)?.machine;
            // Each call discards some hundreds.
            while machine.discard(ids.start().get()..=ids.end().get())? {
                any = true;
            }
            Ok(any)
        })
    }
}

fn mismatch(error: &serde_json::Error) -> DocumentError {
    DocumentError::Mismatch { reason: error.to_string() }
}
