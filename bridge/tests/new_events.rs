//! Reading events from JSON: accepted texts, and the code and the field of each refusal.
#![allow(clippy::unwrap_used)] // a test may panic

use sillok::ErrorCode;
use sillok_bridge::{InvalidEvents, parse_events, parse_ndjson};

/// The code and the field of a refusal.
fn refusal(text: &str) -> (ErrorCode, Option<String>) {
    let error = parse_events(text).unwrap_err();
    (error.code(), error.field())
}

#[test]
fn a_single_event_or_an_array_is_taken() {
    let event = r#" {"id":"a","type":"Opened","data":{"x": 1e400},"metadata":{"m":1}} "#;
    assert_eq!(parse_events(event).unwrap().len(), 1);
    assert_eq!(parse_events(&format!("[{event},{event}]")).unwrap().len(), 2);
    assert_eq!(parse_events("[]").unwrap().len(), 0);
}

#[test]
fn data_metadata_and_id_may_be_left_out() {
    assert_eq!(
        parse_events(r#"{"type":"Opened"}"#).unwrap(),
        parse_events(r#"{"type":"Opened","data":null}"#).unwrap()
    );
}

#[test]
fn a_type_may_be_written_with_escapes() {
    let events = parse_events(r#"{"t\u0079pe":"\u00dcber\n"}"#);
    assert_eq!(events.unwrap_err().code(), ErrorCode::InvalidEventType);
    let events = parse_events(r#"{"t\u0079pe":"\u00dcber"}"#).unwrap();
    assert_eq!(events[0].event_type().as_str(), "Über");
}

#[test]
fn a_line_is_an_event_and_empty_lines_are_skipped() {
    let text = "{\"type\":\"A\"}\r\n\n  \n{\"type\":\"B\"}";
    assert_eq!(parse_ndjson(text).unwrap().len(), 2);
    let error = parse_ndjson("{\"type\":\"A\"}\n\n{\"type\":}").unwrap_err();
    assert!(matches!(&error, InvalidEvents::Malformed(place) if place.line == 3), "{error:?}");
    let error = parse_ndjson("{\"type\":\"A\"}\n\n{\"type\":7}").unwrap_err();
    assert_eq!(
        (error.code(), error.field().as_deref()),
        (ErrorCode::InvalidEventType, Some("events[1].type"))
    );
}

#[test]
fn every_refusal_has_its_code_and_names_its_field() {
    let long = "x".repeat(201);
    let metadata = format!(r#"{{"m":"{}"}}"#, "x".repeat(16 * 1024));
    let cases = [
        ("", ErrorCode::MalformedJson, None),
        ("{", ErrorCode::MalformedJson, None),
        ("{\"type\":\"A\",}", ErrorCode::MalformedJson, None),
        ("{\"type\":\"A\"} {}", ErrorCode::MalformedJson, None),
        ("null", ErrorCode::InvalidEvent, Some("event")),
        ("\"text\"", ErrorCode::InvalidEvent, Some("event")),
        ("[{\"type\":\"A\"},7]", ErrorCode::InvalidEvent, Some("events[1]")),
        ("{\"data\":1}", ErrorCode::InvalidEvent, Some("type")),
        ("[{\"type\":\"A\"},{}]", ErrorCode::InvalidEvent, Some("events[1].type")),
        ("{\"type\":\"A\",\"kind\":1}", ErrorCode::InvalidEvent, Some("kind")),
        ("{\"type\":\"A\",\"type\":\"B\"}", ErrorCode::InvalidEvent, Some("type")),
        ("{\"type\":7}", ErrorCode::InvalidEventType, Some("type")),
        ("{\"type\":null}", ErrorCode::InvalidEventType, Some("type")),
        ("{\"type\":\"\"}", ErrorCode::InvalidEventType, Some("type")),
        ("{\"type\":\"\\ud800\"}", ErrorCode::InvalidEventType, Some("type")),
        (&format!("{{\"type\":\"{long}\"}}"), ErrorCode::InvalidEventType, Some("type")),
        ("{\"type\":\"A\",\"id\":7}", ErrorCode::InvalidEventId, Some("id")),
        ("{\"type\":\"A\",\"id\":\"\"}", ErrorCode::InvalidEventId, Some("id")),
        ("[{\"type\":\"A\",\"metadata\":[]}]", ErrorCode::InvalidMetadata, Some("events[0].metadata")),
        (
            &format!("{{\"type\":\"A\",\"metadata\":{metadata}}}"),
            ErrorCode::MetadataTooLarge,
            Some("metadata"),
        ),
    ];
    for (text, code, field) in cases {
        assert_eq!(refusal(text), (code, field.map(str::to_owned)), "{text}");
    }
}

#[test]
fn deep_nesting_is_stored_and_exhausts_no_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(parse_events(&format!("{{\"type\":\"A\",\"data\":{deep}}}")).unwrap().len(), 1);
    assert_eq!(refusal(&deep), (ErrorCode::InvalidEvent, Some("events[0]".to_owned())));
}
