//! The platform's clock, from which the core's callers take the time, and the text of a time.

use std::cell::RefCell;

use chrono::{DateTime, SecondsFormat};
use sillok::store::RecordedTime;

/// The time by JavaScript's clock.
#[must_use]
pub fn now() -> RecordedTime {
    let millis = js_sys::Date::now().max(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // not negative, and bounded by `from_millis`
    RecordedTime::from_millis(millis as u64)
}

thread_local! {
    static LAST: RefCell<(RecordedTime, String)> = RefCell::default();
}

/// The time as text, in the form that events have: `2026-11-23T01:02:03.456Z`.
#[must_use]
pub fn rfc3339(time: RecordedTime) -> String {
    // All events of a commit have one time. Formatting it takes longer than writing the rest of an event.
    LAST.with_borrow_mut(|last| {
        if last.0 != time || last.1.is_empty() {
            *last = (time, in_words(time));
        }
        last.1.clone()
    })
}

fn in_words(time: RecordedTime) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
