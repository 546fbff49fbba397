//! The one place where the core's types meet JavaScript's values and the JSON of events and consumers.
//!
//! Both adapters, the Cloudflare Worker and the npm package, pass through here, so that an event looks the
//! same and an error has the same code wherever it is met. The bridge converts; it decides nothing.

mod appended;
mod clock;
mod commits;
mod consumer_json;
mod directory;
mod documents;
mod event_json;
mod expected_version;
mod failure;
mod failure_code;
mod feed;
mod fresh_id;
mod js_value;
mod message;
mod new_events;
mod outcome;
mod range;
mod saved_event;
mod scalar;
mod sql_row;
mod text;
mod truncated;
mod verification;

pub use appended::AppendedJson;
pub use clock::{now, rfc3339};
pub use commits::{LineVerifier, read_commits};
pub use consumer_json::{documents_json, letters_json, status_members};
pub use directory::{DirectoryPageJson, DirectoryValue, StreamEntryJson, parse_directory};
pub use documents::{get_document, put_document};
pub use event_json::{PageJson, read_page};
pub use expected_version::{expected_version_json, parse_expected_version};
pub use failure::{Failure, Told};
pub use failure_code::FailureCode;
pub use feed::{FeedPageJson, FeedValue, feed_page, parse_feed, read_feed, write_feed_event};
pub use fresh_id::{fresh_id, random_bytes};
pub use js_value::{
    directory_from_js, expected_version_from_js, feed_from_js, idempotency_key_from_js, range_from_js,
    stream_id_from_js, version_from_js,
};
pub use message::{Message, field, field_or, object, part};
pub use new_events::{InvalidEvents, parse_events, parse_ndjson};
pub use outcome::outcome_from_js;
pub use range::{RangeValue, parse_range};
pub use saved_event::{AggregateId, find_saved, saved_event};
pub use scalar::Scalar;
pub use sql_row::{SqlRow, sql_values};
pub use truncated::TruncatedJson;
pub use verification::{ProofPage, VerificationJson, verify_page};
#[doc(hidden)]
pub use wasm_bindgen::JsValue;
