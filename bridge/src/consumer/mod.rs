//! Consumers as JSON, and the values of their handlers in JavaScript.

mod consumer_json;
mod documents;
mod failure_json;
mod outcome;

pub use consumer_json::{documents_json, followed_json, letters_json, status_members};
pub use documents::{get_document, put_document};
pub use failure_json::{failure_json, pending_failure_json};
pub use outcome::outcome_from_js;
