//! Each error of the core has a stable code. This test has its own list of the codes, so that none changes unnoticed.
#![allow(clippy::unwrap_used)] // a test may panic

use serde_json::{Value, json};
use sillok::ErrorCode;
use sillok::handler::{ConsumerName, DocumentError, DocumentKey, Kind, LetterId, OpenError, Outcome};
use sillok::store::{
    AppendError, Direction, EventType, ExpectedVersion, IdempotencyKey, InvalidEvent, InvalidName, ReadError,
    ReadRange, StorageError, StreamId, TruncateError, Version,
};
use sillok_bridge::{
    Failure, FailureCode, RangeValue, Scalar, parse_events, parse_expected_version, parse_range,
};

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
        ErrorCode::InvalidStreamId,
        ErrorCode::InvalidEventType,
        ErrorCode::InvalidEventId,
        ErrorCode::InvalidMetadata,
        ErrorCode::MetadataTooLarge,
        ErrorCode::NoEvents,
        ErrorCode::TooManyEvents,
        ErrorCode::CommitTooLarge,
        ErrorCode::MetadataTooLarge,
        ErrorCode::VersionExhausted,
        ErrorCode::IdempotencyKeyReused,
        ErrorCode::StreamDeleted,
        ErrorCode::StreamFull,
        ErrorCode::InvalidIdempotencyKey,
        ErrorCode::InvalidParameter,
        ErrorCode::StreamDeleted,
        ErrorCode::StreamDeleted,
        ErrorCode::StreamTruncated,
        ErrorCode::StorageFailed,
        ErrorCode::StorageBusy,
        ErrorCode::StorageReadOnly,
        ErrorCode::StoredDataCorrupt,
        ErrorCode::InvalidParameter,
        ErrorCode::PageTooLarge,
    ];
    assert_eq!(codes, pinned);
}

#[test]
fn a_failure_carries_only_the_fields_of_its_code() {
    let expected = ExpectedVersion::NoStream;
    let event = InvalidEvent::MetadataNotObject;
    let failures: [Failure; 16] = [
        StreamId::new("").unwrap_err().into(),
        ConsumerName::new("").unwrap_err().into(),
        DocumentKey::new("").unwrap_err().into(),
        LetterId::parse("").unwrap_err().into(),
        IdempotencyKey::new("").unwrap_err().into(),
        TruncateError::BeyondEnd { stream: stream(), actual: Version::FIRST }.into(),
        ReadError::StreamTruncated { stream: stream(), first_version: Version::FIRST }.into(),
        parse_events("3").unwrap_err().into(),
        ReadRange::new(Some(0), None, None, Direction::Forward).unwrap_err().into(),
        DocumentError::TooLarge { bytes: 0 }.into(),
        DocumentError::Mismatch { reason: String::new() }.into(),
        OpenError::Policy { field: "attempts" }.into(),
        OpenError::After.into(),
        OpenError::KindFixed { kind: Kind::Queue }.into(),
        AppendError::WrongExpectedVersion { stream: stream(), expected, actual: Version::FIRST }.into(),
        AppendError::InvalidWithCause { event: 0, reason: event }.into(),
    ];
    for failure in failures {
        let json = serde_json::to_value(&failure).unwrap();
        let fields = failure.code.known().unwrap().fields();
        let is_known = |name: &str| ["code", "detail"].contains(&name) || fields.contains(&name);
        assert!(json.as_object().unwrap().keys().all(|name| is_known(name)), "{json}");
    }
}

#[test]
fn the_code_of_another_version_stays_unchanged() {
    let code = FailureCode::of("no_such_code_here".to_owned());
    assert_eq!((code.known(), code.as_str()), (None, "no_such_code_here"));
    assert_eq!(serde_json::to_value(&code).unwrap(), "no_such_code_here");
    let known = FailureCode::of("unavailable".to_owned());
    assert_eq!((known.known(), known.to_string().as_str()), (Some(ErrorCode::Unavailable), "unavailable"));
}

#[test]
fn the_codes_that_a_retry_cannot_help_are_pinned() {
    let of = |code: ErrorCode| Outcome::of_code(code, "");
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
        ErrorCode::InvalidExpectedVersion,
    ] {
        assert_eq!(of(code), Outcome::refused(""), "{code}");
    }
    for code in [
        AppendError::StreamFull { stream: stream() }.code(),
        AppendError::Storage(StorageError::failed("")).code(),
        StorageError::corrupt(0, "").code(),
        DocumentError::Over.code(),
        ErrorCode::WrongExpectedVersion,
        ErrorCode::Unavailable,
        ErrorCode::Overloaded,
        ErrorCode::InsufficientScope,
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
            "detail": "with the ids of the event's cause, the metadata is 20000 bytes long; the most is 16384",
            "field": "events[2].metadata",
        })
    );
}

#[test]
fn a_conflict_has_both_versions() {
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
            (failure.code.known(), failure.field.as_deref()),
            (Some(ErrorCode::InvalidExpectedVersion), Some("expectedVersion"))
        );
    }
}

#[test]
fn a_range_names_the_part_that_is_wrong() {
    let cases = [
        (json!({"from": 0}), ErrorCode::InvalidParameter, "from"),
        (json!({"from": "1"}), ErrorCode::InvalidParameter, "from"),
        (json!({"to": -1}), ErrorCode::InvalidParameter, "to"),
        (json!({"limit": -1}), ErrorCode::InvalidParameter, "limit"),
        (json!({"limit": 1001}), ErrorCode::PageTooLarge, "limit"),
        (json!({"direction": "up"}), ErrorCode::InvalidParameter, "direction"),
        (json!({"type": ""}), ErrorCode::InvalidEventType, "type"),
        (json!({"type": 7}), ErrorCode::InvalidEventType, "type"),
        (json!({"complete": "false"}), ErrorCode::InvalidParameter, "complete"),
        (json!({"complete": 1}), ErrorCode::InvalidParameter, "complete"),
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
        assert_eq!((failure.code.known(), failure.field.as_deref()), (Some(code), Some(field)), "{value}");
    }
}

#[test]
fn a_range_as_a_value_is_read_again() {
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
