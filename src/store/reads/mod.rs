//! Reading: ranges, pages, and how much a page may look at.

pub(crate) mod page_budget;
pub(crate) mod range;
pub(crate) mod read;
