//! Hostile requests: each text in a path, a header, a query or a small body is accepted, or refused with the code of its place.
//! Nothing panics. A failure prints its shrunk input.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::store::{ExpectedVersion, StreamId};
use sillok_bridge::{Failure, RangeValue};

use super::accept::{Media, preferred};
use super::live::Following;
use super::names::stream_id;
use super::precondition::{EntityTag, expected_version, is_known};
use super::routes::{Part, Route};
use super::{query, request, streams};

/// Texts that contain the pieces that a parser of headers and URLs looks for, among any other characters.
fn nearly(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => any::<u64>().prop_map(|number| number.to_string()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// The refusal has this code, and names this field.
fn refused<T: std::fmt::Debug>(
    outcome: Result<T, Failure>,
    code: ErrorCode,
    fields: &[&str],
) -> Result<(), TestCaseError> {
    if let Err(failure) = outcome {
        prop_assert_eq!(&failure.code, &code, "{}", failure.detail);
        prop_assert!(code.fields().contains(&"field"), "{}", code);
        let field = failure.field.as_deref().unwrap_or_default();
        prop_assert!(fields.is_empty() || fields.contains(&field), "{}", field);
    }
    Ok(())
}

const PATHS: &[&str] =
    &["/", "/v1", "/streams/", "/events", "/verify", "%", "%2F", "%00", "%ff", "%C3%A9", ".", "a"];
const TAGS: &[&str] =
    &["\"", "*", "W/", ",", " ", "\t", "0", "3", "9007199254740991", "9007199254740992", "-", "+", "."];
const MEDIA: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "text/event-stream",
    "*/*",
    "application/*",
    ";q=",
    ";",
    ",",
    "=",
    "0.5",
    "nan",
    "1e9",
    "-1",
    " ",
];
const QUERIES: &[&str] = &[
    "?",
    "&",
    "=",
    "from",
    "to",
    "limit",
    "direction",
    "type",
    "complete",
    "backward",
    "true",
    "%",
    "%ff",
    "+",
    "1",
];
const CUTS: &[&str] = &["{", "}", "\"before\"", ":", ",", "1", "null", "[", "]", "\"after\"", "1e400", "-0"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn any_path_leads_somewhere(path in nearly(PATHS)) {
        if let Route::Stream { stream, .. } = Route::of(&path) {
            refused(stream_id(stream), ErrorCode::InvalidStreamId, &["stream"])?;
        }
        refused(stream_id(&path), ErrorCode::InvalidStreamId, &["stream"])?;
    }

    #[test]
    fn every_name_has_a_path(name in any::<String>()) {
        let Ok(name) = StreamId::new(&name) else { return Ok(()) };
        let encoded = utf8_percent_encode(name.as_str(), NON_ALPHANUMERIC).to_string();
        let path = format!("/v1/streams/{encoded}/events");
        prop_assert_eq!(Route::of(&path), Route::Stream { stream: &encoded, part: Part::Events });
        prop_assert_eq!(stream_id(&encoded), Ok(name));
    }

    #[test]
    fn any_condition_is_one_version_or_refused(
        matching in prop::option::of(nearly(TAGS)),
        none_matching in prop::option::of(nearly(TAGS)),
        version: u64,
    ) {
        let expected = expected_version(matching.as_deref(), none_matching.as_deref());
        if let Ok(ExpectedVersion::Exactly(version)) = expected {
            let tag = matching.as_deref().map(str::trim).unwrap_or_default();
            let named = tag.strip_prefix(&format!("\"{version}")).unwrap_or_default();
            prop_assert!(named == "\"" || named.starts_with('.'), "{}", tag);
        }
        refused(expected, ErrorCode::InvalidExpectedVersion, &["If-Match", "If-None-Match"])?;
        let tags = matching.unwrap_or_default();
        let known = is_known(&tags, EntityTag::of_version(version));
        prop_assert!(!known || tags.contains('*') || tags.contains(&version.to_string()));
    }

    #[test]
    fn any_last_event_id_is_a_version_or_refused(id in nearly(TAGS)) {
        let following = Following::new(RangeValue::default(), Some(&id));
        prop_assert!(following.is_err() || id.bytes().all(|byte| byte.is_ascii_digit()));
        refused(following, ErrorCode::InvalidParameter, &["Last-Event-ID"])?;
    }

    #[test]
    fn any_key_stays_as_it_is_or_is_refused(text in any::<String>()) {
        let key = request::checked_key(text.clone());
        prop_assert!(key.as_ref().map_or(true, |key| *key == text));
        refused(key, ErrorCode::InvalidIdempotencyKey, &["Idempotency-Key"])?;
    }

    #[test]
    fn whatever_is_accepted_was_offered(accept in nearly(MEDIA), count in 1..4_usize) {
        let offers = [Media::Json, Media::Ndjson, Media::EventStream];
        let wanted = preferred(&accept, offers.get(..count).unwrap_or_default());
        prop_assert!(wanted.is_none_or(|wanted| offers.iter().take(count).any(|offer| *offer == wanted)));
        // A live response is chosen only if the header names it.
        let is_named = accept.to_ascii_lowercase().contains("text/event-stream");
        prop_assert!(wanted != Some(Media::EventStream) || is_named);
    }

    #[test]
    fn any_query_is_a_range_or_refused(query in nearly(QUERIES)) {
        let url = format!("https://host/v1/streams/a/events?{query}");
        refused(query::range(&url), ErrorCode::InvalidParameter, &[])?;
        refused(query::none(&url), ErrorCode::InvalidParameter, &[])?;
        if let Ok((range, _)) = query::range(&url) {
            let fields = ["from", "to", "limit", "direction", "type", "complete"];
            for parsed in [sillok_bridge::parse_range(&range).map(|_| ()), Following::new(range, None).map(|_| ())] {
                let Err(failure) = parsed else { continue };
                let codes = [ErrorCode::InvalidParameter, ErrorCode::PageTooLarge, ErrorCode::InvalidEventType];
                prop_assert!(codes.iter().any(|code| failure.code == *code));
                prop_assert!(fields.contains(&failure.field.as_deref().unwrap_or_default()));
            }
        }
    }

    #[test]
    fn any_cut_is_a_version_or_refused(body in nearly(CUTS)) {
        let is_json = serde_json::from_str::<&RawValue>(&body).is_ok();
        let code = if is_json { ErrorCode::InvalidParameter } else { ErrorCode::MalformedJson };
        refused(streams::before(&body), code, &[])?;
    }
}
