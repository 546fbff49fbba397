//! Verifications and exports as JSON, page by page.

mod commits;
mod verification;

pub use commits::{LineVerifier, read_commits};
pub use verification::{ProofPage, VerificationJson, verify_page};
