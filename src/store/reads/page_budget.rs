//! How much one page may cost: one count for everything that is read page by page.

use crate::store::limits::{PAGE_BYTES, PAGE_LOOKED_AT};

/// What is left of the work of one page.
///
/// Whatever a page looks at is counted, wanted or not: commits, events, names, documents, dead letters, and their bytes. A
/// page ends with as many as were asked for, or once it has looked at [`PAGE_LOOKED_AT`] of them or [`PAGE_BYTES`] bytes. So
/// it looks at that much and one commit more at most, and it may be empty and yet have a next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageBudget {
    wanted: usize,
    looked_at: usize,
    bytes: usize,
}

impl PageBudget {
    /// The budget of a page that holds at most `limit` of what is wanted.
    pub(crate) const fn of(limit: usize) -> Self {
        Self { wanted: limit, looked_at: PAGE_LOOKED_AT, bytes: PAGE_BYTES }
    }

    /// The same budget, but of so many bytes.
    pub(crate) const fn of_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Counts what was looked at: so many, of so many bytes together.
    pub(crate) const fn look_at(&mut self, count: usize, bytes: usize) {
        self.looked_at = self.looked_at.saturating_sub(count);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Counts one that is wanted and was found.
    pub(crate) const fn take(&mut self) {
        self.wanted = self.wanted.saturating_sub(1);
    }

    /// Whether the page holds as many as were asked for.
    pub(crate) const fn is_full(&self) -> bool {
        self.wanted == 0
    }

    /// Whether the page ends here, because it is full or has looked at enough.
    pub(crate) const fn is_spent(&self) -> bool {
        self.is_full() || self.looked_at == 0 || self.bytes == 0
    }
}
