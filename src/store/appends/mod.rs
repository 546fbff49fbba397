//! Appends: the request, the key, and the decision.

pub(in crate::store) mod append;
pub(in crate::store) mod expected_version;
pub(in crate::store) mod idempotency_key;
