//! The documents that projections make from events.

pub(in crate::handler) mod document_key;
pub(in crate::handler) mod documents;
pub(in crate::handler) mod projection;
pub(in crate::handler) mod recent;
