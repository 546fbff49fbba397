//! The stored definition of a consumer that a request has defined. It lies beside the machine's tables.

use std::ops::ControlFlow;

use sillok::ErrorCode;
use sillok::store::sqlite::{Sql, Value};
use sillok_bridge::Failure;

use super::definition::Definition;
use crate::objects::ObjectSql;

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS definition_v1 (id INTEGER PRIMARY KEY, definition TEXT NOT NULL) STRICT";
const EXISTS: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'definition_v1'";
const STATE_EXISTS: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumers_v1'";
const READ: &str = "SELECT definition FROM definition_v1 WHERE id = 1";
const WRITE: &str = "INSERT INTO definition_v1 (id, definition) VALUES (1, ?1) \
    ON CONFLICT (id) DO UPDATE SET definition = excluded.definition";

/// Reads the stored definition. `None` if no request has defined the consumer.
pub(super) fn read(sql: &ObjectSql) -> Result<Option<Definition>, Failure> {
    let mut text = None;
    if !exists(sql, EXISTS)? {
        return Ok(None);
    }
    sql.query(READ, &[], &mut |row| {
        text = row.text(0).map(str::to_owned);
        ControlFlow::Break(())
    })?;
    let corrupt = |error: serde_json::Error| Failure::new(ErrorCode::StoredDataCorrupt, error.to_string());
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(corrupt)
}

/// Whether a machine has stored its state here.
pub(super) fn is_state_left(sql: &ObjectSql) -> Result<bool, Failure> {
    exists(sql, STATE_EXISTS)
}

fn exists(sql: &ObjectSql, query: &'static str) -> Result<bool, Failure> {
    let mut exists = false;
    let found = sql.query(query, &[], &mut |_| {
        exists = true;
        ControlFlow::Break(())
    });
    found.map(|()| exists).map_err(Failure::from)
}

/// Stores the definition durably.
pub(super) fn write(sql: &ObjectSql, definition: &Definition) -> Result<(), Failure> {
    let text = serde_json::to_string(definition)
        .map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    sql.define(CREATE).and_then(|()| sql.execute(WRITE, &[Value::Text(&text)])).map_err(Failure::from)
}
