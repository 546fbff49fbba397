//! Hostile input: each text that is read as events, as a range or as a stored commit is accepted, or refused with a code.
//! Nothing panics. A failure prints its shrunk input.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::store::{Append, EventId, EventStore, MemoryLog, NewEvent, ReadRange, RecordedTime, StreamId};
use sillok_bridge::{
    Failure, InvalidEvents, RangeValue, Scalar, find_saved, parse_events, parse_expected_version,
    parse_ndjson, parse_range, read_commits, read_page, saved_event, verify_page,
};

/// Texts that are almost events: a valid text with a few bytes removed, repeated or replaced.
fn nearly_events() -> impl Strategy<Value = String> {
    let proper = prop_oneof![
        Just(
            r#"{"type":"Opened","data":{"a":[1,2.5e-3,null,true,"\u00e9\ud83d\ude00"]},"metadata":{"m":{}},"id":"x"}"#
        ),
        Just(r#"[{"type":"A"},{"id":"1","type":"B","data":[[[]]]}]"#),
        Just("{\"type\":\"A\"}\n\n{\"type\":\"B\",\"data\":\"\\u0000\"}\r\n"),
    ];
    let piece = prop_oneof![
        Just(String::new()),
        "[\\[\\]{}\",:\\\\]{1,3}",
        "[0-9eE+.-]{1,4}",
        Just("\\ud800".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\"type\":".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    let edits = prop::collection::vec((any::<Index>(), any::<Index>(), piece), 0..5);
    (proper, edits).prop_map(|(proper, edits)| {
        let mut characters: Vec<char> = proper.chars().collect();
        for (from, length, piece) in edits {
            let from = from.index(characters.len() + 1);
            let to = (from + length.index(4)).min(characters.len());
            characters.splice(from..to, piece.chars());
        }
        characters.into_iter().collect()
    })
}

/// A refusal has a code for the sender. It names a field unless the text is not JSON.
fn taken_or_refused(events: Result<Vec<NewEvent>, InvalidEvents>) -> Result<(), TestCaseError> {
    let Err(error) = events else { return Ok(()) };
    let codes = [
        ErrorCode::MalformedJson,
        ErrorCode::InvalidEvent,
        ErrorCode::InvalidEventType,
        ErrorCode::InvalidEventId,
        ErrorCode::InvalidMetadata,
        ErrorCode::MetadataTooLarge,
    ];
    let failure = Failure::from(error);
    let (code, named) = (failure.code.known(), failure.field.is_some());
    prop_assert!(code.is_some_and(|code| codes.contains(&code)), "{:?}", code);
    let is_one_event = !named && code == Some(ErrorCode::InvalidEvent);
    prop_assert!(named != (code == Some(ErrorCode::MalformedJson)) || is_one_event, "{:?}", failure);
    Ok(())
}

/// Appends the events of the text to a store, and reads them back as JSON.
fn through_a_store(text: &str) -> Result<(), TestCaseError> {
    let Ok(events) = parse_events(text) else { return taken_or_refused(parse_events(text)) };
    let count = events.len();
    let (mut store, stream) = (EventStore::new(MemoryLog::new()), StreamId::new("s").unwrap());
    let append = Append::to(stream.clone(), events);
    if store.append(append, RecordedTime::default(), &mut EventId::default).is_err() {
        return Ok(());
    }
    let page = read_page(&store, &stream, &ReadRange::all()).unwrap();
    let read: Vec<&RawValue> = serde_json::from_str(&page.events).unwrap();
    prop_assert_eq!(read.len(), count);
    prop_assert_eq!(store.verify(&stream).unwrap().broken, None);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_accepted_or_refused(text in any::<String>()) {
        taken_or_refused(parse_events(&text))?;
        taken_or_refused(parse_ndjson(&text))?;
    }

    #[test]
    fn a_text_that_is_almost_an_event_is_accepted_or_refused(text in nearly_events()) {
        through_a_store(&text)?;
        taken_or_refused(parse_ndjson(&text))?;
    }

    #[test]
    fn a_text_that_is_almost_a_saved_event_is_accepted_or_refused(text in nearly_events()) {
        let text = text.replacen("\"id\"", "\"aggregateId\"", 1);
        let Ok((stream, event)) = saved_event(&text, "[]") else { return Ok(()) };
        let mut store = EventStore::new(MemoryLog::new());
        let append = Append::to(stream, vec![event]);
        store.append(append, RecordedTime::default(), &mut EventId::default).unwrap();
        let id: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(id) = id.get("aggregateId") {
            let id = sillok_bridge::AggregateId::from_json(&id.to_string()).unwrap();
            let found = find_saved(&store, &id).unwrap();
            prop_assert!(serde_json::from_str::<serde_json::Value>(&found).is_ok(), "{}", found);
        }
    }

    #[test]
    fn any_range_is_accepted_or_refused(
        from in prop::option::of(any::<u64>()),
        to in prop::option::of(0..30_u64),
        direction in prop::option::of("forward|backward|[a-z]{0,3}"),
    ) {
        let range = RangeValue {
            from: from.map(Into::into),
            to: to.map(Into::into),
            direction: direction.map(Into::into),
            ..RangeValue::default()
        };
        if let Err(failure) = parse_range(&range) {
            prop_assert_eq!(failure.code.known(), Some(ErrorCode::InvalidParameter));
            prop_assert!(["from", "to", "direction"].contains(&failure.field.as_deref().unwrap()));
        }
    }

    #[test]
    fn any_expected_version_is_accepted_or_refused(text in nearly_events(), number: u64, word in "any|no-stream|[a-z-]{0,9}") {
        let parsed = serde_json::from_str(&text).unwrap_or(Scalar::Other);
        for value in [parsed, number.into(), word.into()] {
            if let Err(failure) = parse_expected_version(&value) {
                prop_assert_eq!(failure.code.known(), Some(ErrorCode::InvalidExpectedVersion));
            }
        }
    }

    #[test]
    fn any_next_is_accepted_or_refused(next in "([0-9]{1,17} ){1,2}([0-9a-f]{64}|0{64}|[0-9]{1,3}) ?[0-9]{0,21}|\\PC{0,9}") {
        let (store, stream) = (EventStore::new(MemoryLog::new()), StreamId::new("s").unwrap());
        for page in [verify_page(&store, stream.clone(), Some(&next)), read_commits(&store, &stream, Some(&next))] {
            match page {
                Ok(page) => prop_assert_eq!(page.next, None),
                Err(failure) => prop_assert_eq!(failure.code.known(), Some(ErrorCode::InvalidParameter)),
            }
        }
    }
}
