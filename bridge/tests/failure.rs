//! Every error the core can give has a stable code, written down here once more so that none changes unseen.
#![allow(clippy::unwrap_used)] // a test may panic

use serde_json::{Value, json};
use sillok::handler::{DocumentError, DocumentKey, Outcome};
use sillok::store::{
    AppendError, Direction, EventType, ExpectedVersion, IdempotencyKey, InvalidEvent, InvalidName, ReadError,
    ReadRange, StorageError, StreamId, TruncateError, Version,
};
use sillok_bridge::{Failure, RangeValue, Scalar, parse_events, parse_expected_version, parse_range};

fn stream() -> StreamId {
    StreamId::new("account-42").unwrap()
}

fn scalar(value: &Value) -> Scalar {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn the_codes_are_pinned() {
    let storage = StorageError::failed("");
    let codes = [
        StreamId::new("").unwrap_err().code(),
        InvalidEvent::Type(InvalidName::Empty).code(),
        InvalidEvent::Id(InvalidName::Empty).code(),
        InvalidEvent::MetadataNotObject.code(),
        InvalidEvent::MetadataTooLarge { bytes: 0 }.code(),
        AppendError::NoEvents.code(),
        AppendError::TooManyEvents { count: 0 }.code(),
        AppendError::CommitTooLarge { bytes: 0 }.code(),
        AppendError::InvalidWithCause { event: 0, reason: InvalidEvent::MetadataTooLarge { bytes: 0 } }
            .code(),
        AppendError::VersionExhausted { stream: stream() }.code(),
        AppendError::IdempotencyKeyReused { stream: stream() }.code(),
        AppendError::StreamDeleted { stream: stream() }.code(),
        AppendError::StreamFull { stream: stream() }.code(),
        IdempotencyKey::new("").unwrap_err().code(),
        TruncateError::BeyondEnd { stream: stream(), actual: Version::FIRST }.code(),
        TruncateError::StreamDeleted { stream: stream() }.code(),
        ReadError::StreamDeleted { stream: stream() }.code(),
        ReadError::StreamTruncated { stream: stream(), first_version: Version::FIRST }.code(),
        AppendError::Storage(storage.clone()).code(),
        StorageError::busy().code(),
        StorageError::read_only().code(),
        StorageError::corrupt(0, "").code(),
        ReadRange::new(Some(0), None, None, Direction::Forward).unwrap_err().code(),
        ReadRange::new(None, None, Some(1001), Direction::Forward).unwrap_err().code(),
    ];
    let pinned = [
        "invalid_stream_id",
        "invalid_event_type",
        "invalid_event_id",
        "invalid_metadata",
        "metadata_too_large",
        "no_events",
        "too_many_events",
        "commit_too_large",
        "metadata_too_large",
        "version_exhausted",
        "idempotency_key_reused",
        "stream_deleted",
        "stream_full",
        "invalid_idempotency_key",
        "invalid_parameter",
        "stream_deleted",
        "stream_deleted",
        "stream_truncated",
        "storage_failed",
        "storage_busy",
        "storage_read_only",
        "stored_data_corrupt",
        "invalid_parameter",
        "page_too_large",
    ];
    assert_eq!(codes, pinned);
}

#[test]
fn what_no_repetition_heals_is_pinned() {
    let of = |code: &str| Outcome::of_code(code, "");
    for code in [
        StreamId::new("").unwrap_err().code(),
        InvalidEvent::Type(InvalidName::Empty).code(),
        InvalidEvent::Id(InvalidName::Empty).code(),
        InvalidEvent::MetadataNotObject.code(),
        InvalidEvent::MetadataTooLarge { bytes: 0 }.code(),
        AppendError::NoEvents.code(),
        AppendError::TooManyEvents { count: 0 }.code(),
        AppendError::CommitTooLarge { bytes: 0 }.code(),
        AppendError::VersionExhausted { stream: stream() }.code(),
        AppendError::IdempotencyKeyReused { stream: stream() }.code(),
        AppendError::StreamDeleted { stream: stream() }.code(),
        IdempotencyKey::new("").unwrap_err().code(),
        DocumentKey::new("").unwrap_err().code(),
        DocumentError::TooLarge { bytes: 0 }.code(),
        ReadRange::new(Some(0), None, None, Direction::Forward).unwrap_err().code(),
        ReadRange::new(None, None, Some(1001), Direction::Forward).unwrap_err().code(),
        parse_events("[").unwrap_err().code(),
        parse_events("3").unwrap_err().code(),
        parse_expected_version(&Scalar::Other).unwrap_err().code.as_str(),
    ] {
        assert_eq!(of(code), Outcome::Refused { error: String::new() }, "{code}");
    }
    for code in [
        AppendError::StreamFull { stream: stream() }.code(),
        AppendError::Storage(StorageError::failed("")).code(),
        StorageError::corrupt(0, "").code(),
        DocumentError::Over.code(),
        "wrong_expected_version",
        "unavailable",
        "overloaded",
        "insufficient_scope",
        "",
    ] {
        assert_eq!(of(code), Outcome::failed(""), "{code}");
    }
}

#[test]
fn an_event_without_room_for_its_cause_is_named() {
    let reason = InvalidEvent::MetadataTooLarge { bytes: 20_000 };
    let failure = Failure::from(AppendError::InvalidWithCause { event: 2, reason });
    assert_eq!(
        serde_json::to_value(failure).unwrap(),
        json!({
            "code": "metadata_too_large",
            "detail": "with the ids of the event's cause, the metadata is 20000 bytes long, more than the 16384 allowed",
            "field": "events[2].metadata",
        })
    );
}

#[test]
fn a_conflict_tells_both_versions() {
    for (expected, json) in [
        (ExpectedVersion::NoStream, json!("no-stream")),
        (ExpectedVersion::StreamExists, json!("stream-exists")),
        (ExpectedVersion::Exactly(Version::FIRST), json!(1)),
    ] {
        let actual = Version::new(3).unwrap();
        let failure = Failure::from(AppendError::WrongExpectedVersion { stream: stream(), expected, actual });
        let value = serde_json::to_value(failure).unwrap();
        assert_eq!(value["code"], "wrong_expected_version");
        assert_eq!(
            (&value["stream"], &value["expected"], &value["actual"]),
            (&json!("account-42"), &json, &json!(3))
        );
    }
}

#[test]
fn an_expected_version_is_a_whole_number_or_a_word() {
    for value in [json!(0), json!(7), json!("any"), json!("no-stream"), json!("stream-exists")] {
        assert!(parse_expected_version(&scalar(&value)).is_ok(), "{value}");
    }
    for value in [
        json!(-1),
        json!(1.5),
        json!(9_007_199_254_740_992_u64),
        json!("3"),
        json!("Any"),
        json!(null),
        json!([1]),
    ] {
        let failure = parse_expected_version(&scalar(&value)).unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.field.as_deref()),
            ("invalid_expected_version", Some("expectedVersion"))
        );
    }
}

#[test]
fn a_range_names_the_part_that_is_wrong() {
    let cases = [
        (json!({"from": 0}), "invalid_parameter", "from"),
        (json!({"from": "1"}), "invalid_parameter", "from"),
        (json!({"to": -1}), "invalid_parameter", "to"),
        (json!({"from": 3, "to": 2}), "invalid_parameter", "to"),
        (json!({"limit": 0}), "invalid_parameter", "limit"),
        (json!({"limit": 1001}), "page_too_large", "limit"),
        (json!({"direction": "up"}), "invalid_parameter", "direction"),
        (json!({"type": ""}), "invalid_event_type", "type"),
        (json!({"type": 7}), "invalid_event_type", "type"),
        (json!({"complete": "false"}), "invalid_parameter", "complete"),
        (json!({"complete": 1}), "invalid_parameter", "complete"),
    ];
    for (value, code, field) in cases {
        let part = |name: &str| value.get(name).map(scalar);
        let range = RangeValue {
            from: part("from"),
            to: part("to"),
            limit: part("limit"),
            direction: part("direction"),
            event_type: part("type"),
            complete: part("complete"),
        };
        let failure = parse_range(&range).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.field.as_deref()), (code, Some(field)), "{value}");
    }
}

#[test]
fn a_range_survives_being_a_value() {
    for range in [
        ReadRange::all(),
        ReadRange::new(Some(3), Some(9), Some(5), Direction::Backward).unwrap(),
        ReadRange::new(None, Some(9), Some(5), Direction::Forward).unwrap(),
        ReadRange::all().of_type(EventType::new("Opened").unwrap()),
        ReadRange::new(Some(3), None, Some(5), Direction::Forward).unwrap().complete(),
    ] {
        assert_eq!(parse_range(&RangeValue::from(range.clone())), Ok(range));
    }
}
