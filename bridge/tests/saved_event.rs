//! The tutorial's events: kept whole, found by the id they were saved with.
#![allow(clippy::unwrap_used)] // a test may panic

use serde_json::{Value, json};
use sillok::store::{EventId, EventStore, ExpectedVersion, JsonText, MemoryLog, NewEvent, RecordedTime};
use sillok_bridge::{AggregateId, find_saved, saved_event};

fn append(store: &mut EventStore<MemoryLog>, stream: &sillok::store::StreamId, event: NewEvent) {
    let now = RecordedTime::from_millis(0);
    store.append(stream, ExpectedVersion::Any, vec![event], now, &mut EventId::default).unwrap();
}

fn save(store: &mut EventStore<MemoryLog>, event: &Value, dates: &[&[&str]]) {
    let dates = dates.iter().map(|path| path.iter().map(ToString::to_string).collect()).collect();
    let (stream, event) = saved_event(&event.to_string(), dates).unwrap();
    append(store, &stream, event);
}

fn find(store: &EventStore<MemoryLog>, id: Value) -> Value {
    serde_json::from_str(&find_saved(store, &AggregateId::new(id).unwrap()).unwrap()).unwrap()
}

#[test]
fn an_event_comes_back_whole_with_the_places_of_its_dates() {
    let mut store = EventStore::default();
    let event =
        json!({"aggregateId": "1", "type": "Opened", "at": "2026-11-23T00:00:00.000Z", "more": {"a": [1]}});
    save(&mut store, &event, &[&["at"]]);
    save(&mut store, &json!({"aggregateId": "2"}), &[]);
    assert_eq!(find(&store, json!("1")), json!([{"event": event, "dates": [["at"]]}]));
    assert_eq!(find(&store, json!("3")), json!([]));
}

#[test]
fn the_number_1_and_the_text_1_are_told_apart() {
    let mut store = EventStore::default();
    save(&mut store, &json!({"aggregateId": 1, "n": 1}), &[]);
    save(&mut store, &json!({"aggregateId": "1", "n": 2}), &[]);
    assert_eq!(find(&store, json!(1)), json!([{"event": {"aggregateId": 1, "n": 1}, "dates": []}]));
    assert_eq!(find(&store, json!("1")), json!([{"event": {"aggregateId": "1", "n": 2}, "dates": []}]));
}

#[test]
fn a_type_that_cannot_be_one_does_not_refuse_the_event() {
    for event_type in [json!(7), json!(null), json!(""), json!("x".repeat(201))] {
        let (_, event) =
            saved_event(&json!({"aggregateId": 1, "type": event_type}).to_string(), vec![]).unwrap();
        assert_eq!(event.event_type().as_str(), "EventSaved");
    }
    let (_, event) = saved_event(r#"{"aggregateId":1,"type":"Opened"}"#, vec![]).unwrap();
    assert_eq!(event.event_type().as_str(), "Opened");
}

#[test]
fn an_event_without_a_proper_aggregate_id_is_refused() {
    for event in ["{}", r#"{"aggregateId":null}"#, r#"{"aggregateId":{}}"#, r#"{"aggregateId":""}"#] {
        let failure = saved_event(event, vec![]).unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.field.as_deref()),
            ("invalid_stream_id", Some("aggregateId"))
        );
    }
    assert_eq!(saved_event("[1]", vec![]).unwrap_err().code, "invalid_event");
    assert_eq!(saved_event("{", vec![]).unwrap_err().code, "malformed_json");
}

#[test]
fn an_appended_event_is_found_as_it_was_recorded() {
    let mut store = EventStore::default();
    let (stream, _) = saved_event(r#"{"aggregateId":"account-42"}"#, vec![]).unwrap();
    append(&mut store, &stream, NewEvent::new("Opened", JsonText::parse("[1]").unwrap()).unwrap());
    let found = find(&store, json!("account-42"));
    assert_eq!(found[0]["event"]["aggregateId"], "account-42");
    assert_eq!((&found[0]["event"]["type"], &found[0]["event"]["data"]), (&json!("Opened"), &json!([1])));
}
