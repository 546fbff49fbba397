//! The tutorial's events are stored whole, and found by the id with which they were saved.
#![allow(clippy::unwrap_used)] // a test may panic

use serde_json::{Value, json};
use sillok::ErrorCode;
use sillok::store::{
    Append, Commit, CommitHash, EventId, EventStore, JsonText, MemoryLog, NewEvent, RecordedTime, StreamId,
    StreamLog, Version,
};
use sillok_bridge::{AggregateId, find_saved, saved_event};

fn append(store: &mut EventStore<MemoryLog>, stream: &sillok::store::StreamId, event: NewEvent) {
    let now = RecordedTime::from_millis(0);
    store.append(Append::to(stream.clone(), vec![event]), now, &mut EventId::default).unwrap();
}

fn save(store: &mut EventStore<MemoryLog>, event: &Value, dates: &[&[&str]]) {
    let (stream, event) = saved_event(&event.to_string(), &json!(dates).to_string()).unwrap();
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
fn the_number_1_and_the_text_1_are_different_ids() {
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
            saved_event(&json!({"aggregateId": 1, "type": event_type}).to_string(), "[]").unwrap();
        assert_eq!(event.event_type().as_str(), "EventSaved");
    }
    let (_, event) = saved_event(r#"{"aggregateId":1,"type":"Opened"}"#, "[]").unwrap();
    assert_eq!(event.event_type().as_str(), "Opened");
}

#[test]
fn an_event_without_a_proper_aggregate_id_is_refused() {
    for event in ["{}", r#"{"aggregateId":null}"#, r#"{"aggregateId":{}}"#, r#"{"aggregateId":""}"#] {
        let failure = saved_event(event, "[]").unwrap_err();
        assert_eq!(
            (failure.code.known(), failure.field.as_deref()),
            (Some(ErrorCode::InvalidStreamId), Some("aggregateId"))
        );
    }
    assert_eq!(saved_event("[1]", "[]").unwrap_err().code, ErrorCode::InvalidEvent);
    assert_eq!(saved_event("{", "[]").unwrap_err().code, ErrorCode::MalformedJson);
}

#[test]
fn an_appended_event_is_found_as_it_was_recorded() {
    let mut store = EventStore::default();
    let (stream, _) = saved_event(r#"{"aggregateId":"account-42"}"#, "[]").unwrap();
    append(&mut store, &stream, NewEvent::new("Opened", JsonText::parse("[1]").unwrap()).unwrap());
    let found = find(&store, json!("account-42"));
    assert_eq!(found[0]["event"]["aggregateId"], "account-42");
    assert_eq!((&found[0]["event"]["type"], &found[0]["event"]["data"]), (&json!("Opened"), &json!([1])));
}

#[test]
fn equal_numbers_of_javascript_are_equal_ids() {
    let mut store = EventStore::default();
    let (stream, event) = saved_event(r#"{"aggregateId":-0}"#, "[]").unwrap();
    append(&mut store, &stream, event);
    let zero = AggregateId::from_json("0").unwrap();
    let found: Value = serde_json::from_str(&find_saved(&store, &zero).unwrap()).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    // Texts of JSON.stringify: two neighbouring numbers, and a number beyond the exact whole numbers.
    assert_ne!(
        AggregateId::from_json("0.1").unwrap(),
        AggregateId::from_json("0.10000000000000002").unwrap()
    );
    assert_eq!(AggregateId::from_json("1e+21").unwrap().stream().unwrap().as_str(), "1e+21");
}

#[test]
fn a_field_whose_name_is_not_well_formed_unicode_is_stored() {
    let mut store = EventStore::default();
    let json = r#"{"\ud800":1,"aggregateId":"1"}"#;
    let (stream, event) = saved_event(json, "[]").unwrap();
    append(&mut store, &stream, event);
    let found = find_saved(&store, &AggregateId::from_json(r#""1""#).unwrap()).unwrap();
    assert_eq!(found, format!(r#"[{{"event":{json},"dates":[]}}]"#));
}

#[test]
fn an_appended_event_is_never_found_as_a_saved_one() {
    let metadata = [
        r#"{"saved":{}}"#,
        r#"{"saved":{"dates":[["__proto__","polluted"]]}}"#,
        r#"{"saved":{"dates":[]},"saved":{}}"#,
        r#"{ "saved" : { "dates" : [["at"]] } }"#,
        r#"{"saved":[["at"]]}"#,
        r#"{"saved":false}"#,
    ];
    for metadata in metadata {
        let mut store = EventStore::default();
        let (stream, _) = saved_event(r#"{"aggregateId":"1"}"#, "[]").unwrap();
        let data = JsonText::parse(r#"{"aggregateId":1,"at":"1970-01-01T00:00:00.000Z"}"#).unwrap();
        let event = NewEvent::new("X", data).unwrap();
        append(&mut store, &stream, event.with_metadata(JsonText::parse(metadata).unwrap()).unwrap());
        let id = AggregateId::from_json(r#""1""#).unwrap();
        let found = find_saved(&store, &id).unwrap();
        assert!(found.starts_with(r#"[{"event":{"aggregateId":"1","stream":"1","#), "{found}");
        let end = format!(r#""metadata":{metadata},"position":1,"checkpoint":"1"}},"dates":[]}}]"#);
        assert!(found.ends_with(&end), "{found}");
        assert_eq!(find(&store, json!(1)), json!([]), "{metadata}");
    }
}

/// A store with a commit from the time when notes were in the metadata.
fn with_note_in_metadata(data: &str, metadata: &str) -> EventStore<MemoryLog> {
    let mut log = MemoryLog::default();
    let version = Version::new(1).unwrap();
    let commit = Commit {
        first_version: version,
        version,
        time: RecordedTime::default(),
        events: format!(r#"[{{"id":"e-1","type":"X","data":{data},"metadata":{metadata}}}]"#).into(),
        hash: CommitHash::NONE,
        key: None,
    };
    log.insert(&StreamId::new("1").unwrap(), commit).unwrap();
    EventStore::new(log)
}

#[test]
fn an_old_note_in_the_metadata_still_marks_a_saved_event() {
    let data = r#"{"aggregateId":1,"at":"1970-01-01T00:00:00.000Z"}"#;
    for (metadata, dates) in
        [(r#"{"saved":{}}"#, json!([])), (r#"{"saved":{"dates":[["at"]]}}"#, json!([["at"]]))]
    {
        let store = with_note_in_metadata(data, metadata);
        let event: Value = serde_json::from_str(data).unwrap();
        assert_eq!(find(&store, json!(1)), json!([{"event": event, "dates": dates}]), "{metadata}");
        assert_eq!(find(&store, json!("1")), json!([]), "{metadata}");
    }
}

#[test]
fn metadata_that_only_resembles_an_old_note_is_returned_unchanged() {
    let data = r#"{"aggregateId":1}"#;
    for metadata in [r#"{"saved":{"at":1}}"#, r#"{"saved":{},"by":"x"}"#, r#"{"saved":{"\ud800":1}}"#] {
        let id = AggregateId::from_json(r#""1""#).unwrap();
        let found = find_saved(&with_note_in_metadata(data, metadata), &id).unwrap();
        assert!(found.contains(r#""id":"e-1""#), "{found}");
    }
    // An event that names another stream stays in its own stream.
    let found = find(&with_note_in_metadata(r#"{"aggregateId":"2"}"#, r#"{"saved":{}}"#), json!("1"));
    assert_eq!(found[0]["event"]["id"], "e-1");
}
