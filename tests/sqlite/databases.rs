//! Many streams, each in a database of its own.

use std::collections::HashMap;

use crate::database::Database;
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    Base, Commit, Direction, Head, IdempotencyKey, Position, StorageError, StreamId, StreamLog, Version,
    Visit,
};

/// A database for each stream, as aggregates have them.
#[derive(Default)]
pub struct Databases(HashMap<StreamId, StreamTable<Database>>);

impl StreamLog for Databases {
    fn head(&self, stream: &StreamId) -> Result<Head, StorageError> {
        self.0.get(stream).map_or_else(|| Ok(Head::default()), |table| table.head(stream))
    }

    fn base(&self, stream: &StreamId) -> Result<Base, StorageError> {
        self.0.get(stream).map_or_else(|| Ok(Base::default()), |table| table.base(stream))
    }

    fn insert(&mut self, stream: &StreamId, commit: Commit) -> Result<Option<Position>, StorageError> {
        self.table(stream).insert(stream, commit)
    }

    fn find(&self, stream: &StreamId, key: &IdempotencyKey, visit: Visit<'_>) -> Result<(), StorageError> {
        self.0.get(stream).map_or(Ok(()), |table| table.find(stream, key, visit))
    }

    fn scan(
        &self,
        stream: &StreamId,
        start: Version,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.0.get(stream).map_or(Ok(()), |table| table.scan(stream, start, direction, visit))
    }

    fn forget(&mut self, stream: &StreamId, base: &Base) -> Result<(), StorageError> {
        self.table(stream).forget(stream, base)
    }
}

impl Databases {
    fn table(&mut self, stream: &StreamId) -> &mut StreamTable<Database> {
        self.0.entry(stream.clone()).or_insert_with(|| StreamTable::new(Database::in_memory()))
    }
}
