//! What a request has cost: the rows that its statements read and wrote, as the runtime counts and bills them.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::ops::Add;

use serde::Serialize;
use sillok_bridge::message;

use super::object_sql::Cursor;

/// The rows written and read for one request, on the object that served it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    pub(crate) rows_written: u64,
    pub(crate) rows_read: u64,
    /// The rows written to make the object's tables, which happens once and is counted in nothing else here.
    pub(crate) schema_rows_written: u64,
}

message!(Receipt {
    rows_written: "rowsWritten",
    rows_read: "rowsRead",
    schema_rows_written: "schemaRowsWritten",
});

impl Add for Receipt {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows_written: self.rows_written.saturating_add(other.rows_written),
            rows_read: self.rows_read.saturating_add(other.rows_read),
            schema_rows_written: self.schema_rows_written.saturating_add(other.schema_rows_written),
        }
    }
}

/// Adds up what the statements of one turn cost, and what all have cost since the object has started.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    turn: Cell<Receipt>,
    total: Cell<Receipt>,
}

impl Meter {
    /// Adds what a statement has cost, which its cursor knows once nothing more is taken from it.
    pub(super) fn add(&self, cursor: &Cursor) {
        let [rows_written, rows_read] = counts(cursor);
        self.add_receipt(Receipt { rows_written, rows_read, schema_rows_written: 0 });
    }

    /// Adds what it has cost to make a table or an index.
    pub(super) fn add_schema(&self, cursor: &Cursor) {
        let [schema_rows_written, rows_read] = counts(cursor);
        self.add_receipt(Receipt { rows_written: 0, rows_read, schema_rows_written });
    }

    pub(super) fn add_receipt(&self, receipt: Receipt) {
        self.turn.set(self.turn.get() + receipt);
    }

    /// What was added up since the last time. Whoever has a turn takes it at its end, so that the next begins with nothing.
    pub(crate) fn take(&self) -> Receipt {
        let receipt = self.turn.take();
        self.total.set(self.total.get() + receipt);
        receipt
    }

    /// Does what takes more than a turn, and tells what it has cost: of what others do meanwhile, nothing.
    pub(crate) async fn spent_on<T>(&self, work: impl Future<Output = T>) -> (T, Receipt) {
        // Boxed, so that it is no part of the future of every caller.
        let mut work = Box::pin(work);
        let mut spent = Receipt::default();
        let done = poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            spent = spent + self.take();
            polled
        });
        (done.await, spent)
    }

    /// What was taken since the object has started.
    pub(crate) fn total(&self) -> Receipt {
        self.total.get()
    }
}

/// The rows that a statement wrote and read.
fn counts(cursor: &Cursor) -> [u64; 2] {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // numbers of rows
    [cursor.rows_written(), cursor.rows_read()].map(|rows| rows as u64)
}
