//! The page budget: one count for everything that is read page by page.

use crate::store::limits::{PAGE_BYTES, PAGE_LOOKED_AT};

/// The rest of a page's budget.
///
/// The budget counts everything that a page looks at, wanted or not: commits, events, names, documents, dead letters,
/// and their bytes. A page ends at its limit of wanted items, or after it has looked at [`PAGE_LOOKED_AT`] items or
/// [`PAGE_BYTES`] bytes. So it exceeds these bounds by at most one commit. A page may be empty and still have a next
/// page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageBudget {
    wanted: usize,
    looked_at: usize,
    bytes: usize,
}

impl PageBudget {
    /// The budget of a page with at most `limit` wanted items.
    pub(crate) const fn of(limit: usize) -> Self {
        Self { wanted: limit, looked_at: PAGE_LOOKED_AT, bytes: PAGE_BYTES }
    }

    /// The same budget, with this number of bytes.
    pub(crate) const fn of_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Counts items that the page looked at, and their bytes.
    pub(crate) const fn look_at(&mut self, count: usize, bytes: usize) {
        self.looked_at = self.looked_at.saturating_sub(count);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Counts one wanted item that was found.
    pub(crate) const fn take(&mut self) {
        self.wanted = self.wanted.saturating_sub(1);
    }

    /// Whether the page has reached its limit of wanted items.
    pub(crate) const fn is_full(&self) -> bool {
        self.wanted == 0
    }

    /// Whether the page ends here, because it is full or has looked at enough.
    pub(crate) const fn is_spent(&self) -> bool {
        self.is_full() || self.looked_at == 0 || self.bytes == 0
    }
}
