//! The one place where the core's types meet JavaScript's values and the JSON of events and consumers.
//!
//! Both adapters use the bridge: the Cloudflare Worker and the npm package. So an event has the same form, and an error has
//! the same code, in both of them. The bridge converts values. It decides nothing.

mod aggregate;
mod clock;
mod consumer;
mod events;
mod failure;
mod failure_code;
mod feeds;
mod fresh_id;
mod js;
mod proof;

pub use aggregate::{
    ExecutedJson, JsBehaviour, PendingPage, SECRET_FAULT, ScriptedBehaviour, StateJson, event_input,
    parse_command, parse_json, parse_rejection, read_pending,
};
pub use clock::{now, rfc3339};
pub use consumer::{
    documents_json, failure_json, followed_json, get_document, letters_json, outcome_from_js,
    pending_failure_json, put_document, status_members,
};
pub use events::{
    AggregateId, AppendedJson, HeadJson, InvalidEvents, PageJson, RangeValue, TruncatedJson,
    expected_version_json, find_saved, parse_events, parse_expected_version, parse_ndjson, parse_range,
    read_page, saved_event,
};
pub use failure::{Failure, FailureParts};
pub use failure_code::FailureCode;
pub use feeds::{
    DirectoryPageJson, DirectoryValue, FeedPageJson, FeedValue, StreamEntryJson, feed_page, parse_directory,
    parse_feed, read_feed, write_feed_event,
};
pub use fresh_id::{fresh_id, random_bytes};
pub use js::{
    Message, Scalar, SqlRow, directory_from_js, expected_version_from_js, feed_from_js, field, field_or,
    idempotency_key_from_js, number_from_js, object, part, range_from_js, sql_values, stream_id_from_js,
    version_from_js,
};
pub use proof::{LineVerifier, ProofPage, VerificationJson, read_commits, verify_page};
#[doc(hidden)]
pub use wasm_bindgen::JsValue;
