//! What the core asks of a SQLite database.

use std::ops::ControlFlow;

use crate::store::logs::log::StorageError;

/// A value bound to a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A whole number of at most 2^53 - 1, so that it survives a driver whose numbers are JavaScript's.
    Integer(u64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Value<'_> {
    /// How many bytes these values take together, at most.
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
    /// The whole number in a column, or `None` when the column holds anything else.
    fn integer(&self, column: usize) -> Option<u64>;
    /// The text in a column, or `None` when the column holds anything else.
    fn text(&self, column: usize) -> Option<&str>;
    /// The bytes in a column, or `None` when the column holds anything else.
    fn blob(&self, column: usize) -> Option<&[u8]>;
}

/// A SQLite database. Each call is one statement, and one statement is atomic.
pub trait Sql {
    /// Runs a statement that returns no rows.
    ///
    /// # Errors
    /// [`StorageError`]; the statement then changed nothing.
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError>;

    /// Runs a statement that inserts a row or none, and tells whether it did.
    ///
    /// # Errors
    /// [`StorageError`]; it is then not certain that nothing was inserted.
    fn insert(&self, statement: &'static str, values: &[Value<'_>]) -> Result<bool, StorageError> {
        self.execute(statement, values)?;
        let mut inserted = false;
        self.query("SELECT changes()", &[], &mut |row| {
            inserted = row.integer(0).is_some_and(|rows| rows > 0);
            ControlFlow::Break(())
        })?;
        Ok(inserted)
    }

    /// Runs a statement that makes a table or an index. It happens once in a database's life, so whoever counts what
    /// statements cost may count this apart.
    ///
    /// # Errors
    /// [`StorageError`]; the statement then changed nothing.
    fn define(&self, statement: &'static str) -> Result<(), StorageError> {
        self.execute(statement, &[])
    }

    /// Runs a query and calls `visit` with each row until it breaks off.
    ///
    /// # Errors
    /// [`StorageError`]; rows before the failure have been visited.
    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;

    /// Runs `work` so that all it reads is of one moment, whatever other connections write meanwhile. Within another
    /// `reading`, or within a [`transaction`](Self::transaction), all is of the moment of that one. A database that no
    /// other connection writes to just runs it.
    ///
    /// # Errors
    /// What `work` says, or that the database cannot be read.
    fn reading(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        work()
    }

    /// Runs `work` so that what it writes is written as one: all of it, or nothing when it fails.
    ///
    /// It excludes other writers from before `work` reads anything until what it wrote is committed. `work` reads, decides
    /// by what it has read, and writes; if another connection wrote in between, the decision would be wrong. In SQLite this
    /// is `BEGIN IMMEDIATE`. A plain `BEGIN` is not enough: it takes the lock only with the first write, and then fails if
    /// another connection has written. A database that only one connection can reach, such as that of a Durable Object,
    /// has no other writers to exclude. [`shared_contract!`](crate::shared_contract) tests it with two connections.
    ///
    /// Where another connection has the lock, it waits for it, or fails at once with
    /// [`StorageError::busy`] and has not called `work`.
    ///
    /// # Errors
    /// What `work` says, [`StorageError::busy`], or that the database could not commit.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError>;

    /// How many bytes the database takes; 0 where it has no limit of its own.
    fn size(&self) -> u64;
}
