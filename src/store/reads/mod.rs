//! Reading: ranges, pages, and the budget of a page.

pub(crate) mod page_budget;
pub(crate) mod range;
pub(crate) mod read;
