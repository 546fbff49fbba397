//! Events, appends and reads as values and JSON.

mod appended;
mod event_json;
mod expected_version;
mod head;
mod new_events;
mod range;
mod saved_event;
mod truncated;

pub use appended::AppendedJson;
pub(crate) use event_json::write_events;
pub use event_json::{PageJson, read_page};
pub use expected_version::{expected_version_json, parse_expected_version};
pub use head::HeadJson;
pub use new_events::{InvalidEvents, parse_events, parse_ndjson};
pub use range::{RangeValue, parse_range};
pub(crate) use range::{event_type, invalid, number};
pub use saved_event::{AggregateId, find_saved, saved_event};
pub use truncated::TruncatedJson;
