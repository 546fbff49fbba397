//! What all tables share: a schema that comes into being with the first write, and how rows are read.

use std::cell::Cell;
use std::ops::ControlFlow;

use super::columns;
use super::port::{Row, Sql, Value};
use crate::store::logs::log::{StorageError, Visit};

/// What is called with each row of a query; [`ControlFlow::Break`] ends it.
pub(crate) type VisitRow<'a> = &'a mut dyn FnMut(&dyn Row) -> Result<ControlFlow<()>, StorageError>;

/// The statements that make a table and tell whether it is there.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) create: &'static [&'static str],
    /// A query with a row once the last of the statements in `create` has run.
    pub(crate) exists: &'static str,
}

/// A database in which a schema may or may not be there yet.
#[derive(Debug, Clone)]
pub(crate) struct Table<S> {
    pub(crate) sql: S,
    schema: &'static Schema,
    exists: Cell<bool>,
}

impl<S: Sql> Table<S> {
    pub(crate) fn new(sql: S, schema: &'static Schema) -> Self {
        Self { sql, schema, exists: Cell::new(false) }
    }

    fn exists(&self) -> Result<bool, StorageError> {
        if !self.exists.get() {
            self.sql.query(self.schema.exists, &[], &mut |_| {
                self.exists.set(true);
                ControlFlow::Break(())
            })?;
        }
        Ok(self.exists.get())
    }

    /// Makes the schema, unless it is there. Left behind alone, by a crash before what follows, it is empty. That it is
    /// there is only believed once it was seen by a later call: a transaction around this one may be rolled back.
    pub(crate) fn create(&self) -> Result<(), StorageError> {
        if !self.exists()? {
            self.schema.create.iter().try_for_each(|statement| self.sql.define(statement))?;
        }
        Ok(())
    }

    /// Believes nothing about the schema any more: a transaction in which it was made and seen was rolled back.
    pub(crate) fn doubt(&self) {
        self.exists.set(false);
    }

    /// What the only row of a query is read as; the default where there is no row.
    pub(crate) fn one<T: Default>(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        if !self.exists()? {
            return Ok(T::default());
        }
        let mut found = Ok(T::default());
        self.sql.query(statement, values, &mut |row| {
            found = read(row);
            ControlFlow::Break(())
        })?;
        found
    }

    /// Calls `visit` with each row of a query until it breaks off or fails.
    pub(crate) fn rows(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: VisitRow<'_>,
    ) -> Result<(), StorageError> {
        if !self.exists()? {
            return Ok(());
        }
        let mut outcome = Ok(());
        self.sql.query(statement, values, &mut |row| {
            visit(row).unwrap_or_else(|error| {
                outcome = Err(error);
                ControlFlow::Break(())
            })
        })?;
        outcome
    }

    /// Calls `visit` with each row of a query as a commit.
    pub(crate) fn commits(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.rows(statement, values, &mut |row| Ok(visit(columns::commit(row)?)))
    }
}
