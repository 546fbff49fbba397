//! The tutorial's events: kept whole, found by the id they were saved with.
#![allow(clippy::unwrap_used)] // a test may panic

use serde_json::{Value, json};
use sillok::store::{Append, EventId, EventStore, JsonText, MemoryLog, NewEvent, RecordedTime};
use sillok_bridge::{AggregateId, find_saved, saved_event};

fn append(store: &mut EventStore<MemoryLog>, stream: &sillok::store::StreamId, event: NewEvent) {
    let now = RecordedTime::from_millis(0);
    store.append(Append::to(stream.clone(), vec![event]), now, &mut EventId::default).unwrap();
}

fn save(store: &mut EventStore<MemoryLog>, event: &Value, dates: &[&[&str]]) {
    let dates = dates.iter().map(|path| path.iter().map(ToString::to_string).collect()).collect();
    let (stream, event) = saved_event(&event.to_string(), dates).unwrap();
    append(store, &stream, event);
}

fn find(store: &EventStore<MemoryLog>, id: Value) -> Value {
    serde_json::from_str(&find_saved(store, &AggregateId::from_json(&id.to_string()).unwrap()).unwrap())
        .unwrap()
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

#[test]
fn numbers_are_the_same_as_javascript_has_it() {
    let mut store = EventStore::default();
    let (stream, event) = saved_event(r#"{"aggregateId":-0}"#, vec![]).unwrap();
    append(&mut store, &stream, event);
    let zero = AggregateId::from_json("0").unwrap();
    let found: Value = serde_json::from_str(&find_saved(&store, &zero).unwrap()).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    // As JSON.stringify writes them: one place apart, and beyond the whole numbers that are exact.
    assert_ne!(
        AggregateId::from_json("0.1").unwrap(),
        AggregateId::from_json("0.10000000000000002").unwrap()
    );
    assert_eq!(AggregateId::from_json("1e+21").unwrap().stream().unwrap().as_str(), "1e+21");
}

#[test]
fn a_field_whose_name_is_not_well_formed_unicode_is_kept() {
    let mut store = EventStore::default();
    let json = r#"{"\ud800":1,"aggregateId":"1"}"#;
    let (stream, event) = saved_event(json, vec![]).unwrap();
    append(&mut store, &stream, event);
    let found = find_saved(&store, &AggregateId::from_json(r#""1""#).unwrap()).unwrap();
    assert_eq!(found, format!(r#"[{{"event":{json},"dates":[]}}]"#));
}
