//! The port to a SQLite database.

use std::ops::ControlFlow;

use crate::store::logs::log::StorageError;

/// A value bound to a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A whole number of at most 2^53 - 1. A driver whose numbers are JavaScript's does not change it.
    Integer(u64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Value<'_> {
    /// The most bytes that these values take together.
    ///
    /// ```
    /// use sillok::store::sqlite::Value;
    ///
    /// assert_eq!(Value::bytes(&[Value::Integer(1), Value::Text("é"), Value::Blob(&[1, 2, 3])]), 13);
    /// ```
    #[must_use]
    pub fn bytes(values: &[Self]) -> usize {
        let bytes = values.iter().map(|value| match value {
            Self::Null => 0,
            Self::Integer(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        });
        bytes.sum()
    }
}

/// A row of a result. Columns are counted from 0.
pub trait Row {
    /// The whole number in a column. `None` if the column has another value.
    fn integer(&self, column: usize) -> Option<u64>;
    /// The text in a column. `None` if the column has another value.
    fn text(&self, column: usize) -> Option<&str>;
    /// The bytes in a column. `None` if the column has another value.
    fn blob(&self, column: usize) -> Option<&[u8]>;
}

/// A SQLite database. Each call is one statement, and one statement is atomic.
pub trait Sql {
    /// Runs a statement that returns no rows.
    ///
    /// # Errors
    /// [`StorageError`]. The statement then changed nothing.
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError>;

    /// Runs a statement that inserts at most one row. Returns the row's number (`rowid`), or `None` if it inserted none.
    ///
    /// # Errors
    /// [`StorageError`]. The statement may still have inserted the row.
    fn insert(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Option<u64>, StorageError> {
        self.execute(statement, values)?;
        let mut inserted = None;
        self.query("SELECT changes(), last_insert_rowid()", &[], &mut |row| {
            inserted = row.integer(0).filter(|rows| *rows > 0).and_then(|_| row.integer(1));
            ControlFlow::Break(())
        })?;
        Ok(inserted)
    }

    /// Runs a statement that makes a table or an index. It runs once in the life of a database, so a price may count it
    /// separately.
    ///
    /// # Errors
    /// [`StorageError`]. The statement then changed nothing.
    fn define(&self, statement: &'static str) -> Result<(), StorageError> {
        self.execute(statement, &[])
    }

    /// Runs a query and calls `visit` with each row until `visit` breaks.
    ///
    /// # Errors
    /// [`StorageError`]. Rows before the error have been visited.
    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;

    /// Runs `work` so that all its reads see the database at one moment, even if other connections write meanwhile.
    /// Within another `reading` or a [`transaction`](Self::transaction), the moment is that of the outer call. A
    /// database with only one connection just runs `work`.
    ///
    /// # Errors
    /// The error of `work`, or the error of the database if it cannot be read.
    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        work()
    }

    /// Runs `work` and writes everything that it writes, or nothing if it fails.
    ///
    /// The call excludes other writers before `work` reads anything, until its writes are committed. `work` reads,
    /// decides from what it has read, and writes. If another connection wrote in between, the decision would be wrong.
    /// In SQLite this is `BEGIN IMMEDIATE`. A plain `BEGIN` is not enough: it takes the lock only with the first write,
    /// and then fails if another connection has written. A database with only one connection, such as that of a Durable
    /// Object, has no other writers to exclude. [`shared_contract!`](crate::shared_contract) tests it with two
    /// connections.
    ///
    /// If another connection has the lock, the call waits for it. Or it fails at once with [`StorageError::busy`] and
    /// does not call `work`.
    ///
    /// # Errors
    /// The error of `work`, [`StorageError::busy`], or the error of the database if it could not commit.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>;

    /// The bytes that the database takes. 0 if it has no limit of its own.
    fn size(&self) -> u64;
}
