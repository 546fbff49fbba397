//! Hostile input: whatever text arrives as events, as a range or as a stored commit, it is taken or refused with a code,
//! and nothing panics. A failure prints its shrunk input.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // a test may panic

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::value::RawValue;
use sillok::store::{Append, EventId, EventStore, MemoryLog, ReadRange, RecordedTime, StreamId};
use sillok_bridge::{
    Failure, RangeValue, find_saved, parse_events, parse_ndjson, parse_range, read_page, saved_event,
};

/// Texts that are almost events: a proper one with a few bytes removed, repeated or replaced.
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

/// Appends the text's events to a store and reads them back as JSON.
fn through_a_store(text: &str) -> Result<(), TestCaseError> {
    let Ok(events) = parse_events(text) else { return Ok(()) };
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
    fn any_text_is_events_or_refused(text in any::<String>()) {
        if let Err(error) = parse_events(&text) {
            prop_assert!(!Failure::from(&error).code.is_empty());
        }
        if let Err(error) = parse_ndjson(&text) {
            prop_assert!(!Failure::from(&error).code.is_empty());
        }
    }

    #[test]
    fn what_is_nearly_an_event_is_kept_or_refused(text in nearly_events()) {
        through_a_store(&text)?;
        if let Err(error) = parse_ndjson(&text) {
            prop_assert!(!Failure::from(&error).code.is_empty());
        }
    }

    #[test]
    fn what_is_nearly_a_saved_event_is_kept_or_refused(text in nearly_events()) {
        let text = text.replacen("\"id\"", "\"aggregateId\"", 1);
        let Ok((stream, event)) = saved_event(&text, Vec::new()) else { return Ok(()) };
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
    fn any_range_is_taken_or_refused(
        from in prop::option::of(any::<f64>()),
        to in prop::option::of(any::<i64>()),
        direction in prop::option::of("forward|backward|[a-z]{0,3}"),
    ) {
        let range = RangeValue {
            from: from.map(Into::into),
            to: to.map(Into::into),
            direction: direction.map(Into::into),
            ..RangeValue::default()
        };
        if let Err(failure) = parse_range(&range) {
            prop_assert!(["from", "to", "direction"].contains(&failure.field.unwrap().as_str()));
        }
    }
}
