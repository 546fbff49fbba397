//! Proofs: the hash chain of a stream, its verification and its export.

pub(in crate::store) mod export;
pub(in crate::store) mod hash;
pub(in crate::store) mod verify;
