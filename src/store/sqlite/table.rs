//! The parts that all tables share: a schema that the first write makes, and the reading of rows.

use std::cell::Cell;
use std::ops::ControlFlow;

use super::columns;
use super::port::{Row, Sql, Value};
use crate::store::logs::log::{StorageError, Visit};

/// The function that is called with each row of a query. [`ControlFlow::Break`] ends the query.
pub(crate) type VisitRow<'a> = &'a mut dyn FnMut(&dyn Row) -> Result<ControlFlow<()>, StorageError>;

/// The statements that make a table, and the query that finds it.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) create: &'static [&'static str],
    /// A query that returns a row once the last statement of `create` has run.
    pub(crate) exists: &'static str,
}

/// A database whose schema may not exist yet.
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

    pub(crate) fn exists(&self) -> Result<bool, StorageError> {
        if !self.exists.get() {
            self.sql.query(self.schema.exists, &[], &mut |_| {
                self.exists.set(true);
                ControlFlow::Break(())
            })?;
        }
        Ok(self.exists.get())
    }

    /// Makes the schema if it does not exist. After a crash, an empty schema may be left alone. The table remembers
    /// that the schema exists only after a later call has found it, because a transaction around this call may be
    /// rolled back.
    pub(crate) fn create(&self) -> Result<(), StorageError> {
        if !self.exists()? {
            self.schema.create.iter().try_for_each(|statement| self.sql.define(statement))?;
        }
        Ok(())
    }

    /// Forgets that the schema exists, because a transaction that made or found it was rolled back.
    pub(crate) fn doubt(&self) {
        self.exists.set(false);
    }

    /// Reads the only row of a query. Returns the default if there is no row.
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

    /// Calls `visit` with each row of a query, until `visit` breaks or fails.
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
