//! Documents: what projections make of events.

pub(in crate::handler) mod document_key;
pub(in crate::handler) mod documents;
pub(in crate::handler) mod projection;
