//! The price of a request: the rows that its statements read and wrote, as the runtime counts and bills them.

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
    /// The rows written to make the object's tables. They are written once, and no other field counts them.
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

/// Adds up the price of the statements of one turn, and of all statements since the start of the object.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    turn: Cell<Receipt>,
    total: Cell<Receipt>,
}

impl Meter {
    /// Adds the price of a statement. Its cursor knows the price after the last row was read.
    pub(super) fn add(&self, cursor: &Cursor) {
        let [rows_written, rows_read] = counts(cursor);
        self.add_receipt(Receipt { rows_written, rows_read, schema_rows_written: 0 });
    }

    /// Adds the price of a table or an index.
    pub(super) fn add_schema(&self, cursor: &Cursor) {
        let [schema_rows_written, rows_read] = counts(cursor);
        self.add_receipt(Receipt { rows_written: 0, rows_read, schema_rows_written });
    }

    pub(super) fn add_receipt(&self, receipt: Receipt) {
        self.turn.set(self.turn.get() + receipt);
    }

    /// Returns the price since the last call, and starts again at 0. Call it at the end of each turn.
    pub(crate) fn take(&self) -> Receipt {
        let receipt = self.turn.take();
        self.total.set(self.total.get() + receipt);
        receipt
    }

    /// Runs work that takes more than one turn, and returns its price without the price of other work meanwhile.
    pub(crate) async fn spent_on<T>(&self, work: impl Future<Output = T>) -> (T, Receipt) {
        // The future is boxed, so that it is not a part of every caller's future.
        let mut work = Box::pin(work);
        let mut spent = Receipt::default();
        let done = poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            spent = spent + self.take();
            polled
        });
        (done.await, spent)
    }

    /// The price of all statements since the start of the object.
    pub(crate) fn total(&self) -> Receipt {
        self.total.get()
    }
}

/// The rows that a statement wrote and read.
fn counts(cursor: &Cursor) -> [u64; 2] {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // numbers of rows
    [cursor.rows_written(), cursor.rows_read()].map(|rows| rows as u64)
}
